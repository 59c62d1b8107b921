"""Parts of observations that are left out by name."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from gymnasium import Space, spaces
from gymnasium.vector import VectorEnv
from gymnasium.wrappers import TransformObservation
from gymnasium.wrappers.vector import TransformObservation as TransformObservations

from sac.errors import EnvironmentSetupError

KEY = "env.ignore_observations"


def ignoring(names: Sequence[str], env: Any) -> Any:
    """Return a (vector) environment whose observations lack the parts of these names.

    A name is a key of a Dict or a number in a Tuple, behind a dot for each level above it.
    EnvironmentSetupError for a name of no part, and where nothing is left.
    """
    is_vector = isinstance(env, VectorEnv)
    space = env.single_observation_space if is_vector else env.observation_space
    if unknown := [name for name in names if name not in _names(space)]:
        known = ", ".join(_names(space)) or f"none, as it is a {type(space).__name__}"
        raise EnvironmentSetupError(
            f"{KEY}: expected names of parts of the observation ({known}), got {unknown[0]!r}"
        )
    remaining = _without(space, space, names)
    if remaining is None:
        raise EnvironmentSetupError(f"{KEY}: expected a part to be left, got all: {space}")
    func = partial(_without, space, names=names)
    if not is_vector:
        return TransformObservation(env, func, remaining)
    try:
        return TransformObservations(env, func, single_observation_space=remaining)
    except ValueError as error:  # of its autoreset mode
        raise EnvironmentSetupError(f"{KEY}: {error}") from error


def _parts(space: Space) -> dict[str, tuple[Any, Space]]:
    """Return key and space of each part by name."""
    if isinstance(space, spaces.Dict):
        return {str(key): (key, part) for key, part in space.items()}
    if isinstance(space, spaces.Tuple):
        return {str(index): (index, part) for index, part in enumerate(space.spaces)}
    return {}


def _names(space: Space) -> list[str]:
    found = []
    for name, (_, part) in _parts(space).items():
        found += [name, *(f"{name}.{inner}" for inner in _names(part))]
    return found


def _without(space: Space, value: Any, names: Sequence[str]) -> Any:
    """Return an observation (or batch, or space) of `space` without parts; None: nothing is left.

    Also without what then is empty.
    """
    parts = _parts(space)
    if not parts:
        return value
    kept = {}
    for name, (key, part) in parts.items():
        if name not in names:
            inner = [rest.removeprefix(f"{name}.") for rest in names if rest.startswith(f"{name}.")]
            item = _without(part, value[key], inner)
            if item is not None:
                kept[key] = item
    if not kept:
        return None
    is_space = isinstance(value, Space)
    if isinstance(space, spaces.Dict):
        return spaces.Dict(kept) if is_space else kept
    return spaces.Tuple(kept.values()) if is_space else tuple(kept.values())
