"""Whether an episode succeeded, where an environment's info says so in its last step."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

SUCCESS = "is_success"
KEYS = (SUCCESS, "success")  # Gymnasium-Robotics and SB3's, then Meta-World's


def success_of(info: Mapping[str, Any]) -> bool | None:
    """Return what the info of one environment says; None where it says nothing."""
    for key in KEYS:
        if info.get(key) is not None:
            return bool(np.all(info[key]))
    return None


def successes_of(infos: Mapping[str, Any], indices: Sequence[int]) -> list[bool | None]:
    """Return what the infos of a vector environment say of these environments' ended episodes."""
    # An environment that was reset in the same step keeps the episode's own info there.
    infos = infos.get("final_info", infos)
    if not isinstance(infos, Mapping):
        return [None] * len(indices)
    return [success_of(_single(infos, index)) for index in indices]


def _single(infos: Mapping[str, Any], index: int) -> dict[str, Any]:
    """Take one environment's entries; Gymnasium marks those it has in an array `_key`."""
    return {
        key: infos[key][index]
        for key in KEYS
        if key in infos and infos.get(f"_{key}", {index: True})[index]
    }
