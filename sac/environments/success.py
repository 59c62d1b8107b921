"""The success of an episode, if the environment reports it in the info of the last step."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

SUCCESS = "is_success"
KEYS = (SUCCESS, "success")  # Gymnasium-Robotics and SB3; Meta-World


def success_of(info: Mapping[str, Any]) -> bool | None:
    """Return the success in the info of one environment; None if it reports none."""
    for key in KEYS:
        if info.get(key) is not None:
            return bool(np.all(info[key]))
    return None


def successes_of(infos: Mapping[str, Any], indices: Sequence[int]) -> list[bool | None]:
    """Return the successes of ended episodes by the infos of a vector environment."""
    # An environment that was reset in the same step keeps the episode's info under this key.
    infos = infos.get("final_info", infos)
    if not isinstance(infos, Mapping):
        return [None] * len(indices)
    return [success_of(_single(infos, index)) for index in indices]


def _single(infos: Mapping[str, Any], index: int) -> dict[str, Any]:
    """Return one environment's entries; Gymnasium's array `_key` says who has a `key`."""
    return {
        key: infos[key][index]
        for key in KEYS
        if key in infos and infos.get(f"_{key}", {index: True})[index]
    }
