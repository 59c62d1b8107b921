"""Conventions of vector environments: when they reset, and how they batch nested values."""

from typing import Any

from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv

from sac.errors import EnvironmentSetupError


def item(batch: Any, index: int) -> Any:
    """Return one environment's entry of an array, or of a dict or tuple of arrays."""
    if isinstance(batch, dict):
        masks = {f"_{key}" for key in batch}  # Gymnasium's marks of who has an entry
        return {key: item(part, index) for key, part in batch.items() if key not in masks}
    if isinstance(batch, tuple):
        return tuple(item(part, index) for part in batch)
    return batch[index]


def autoreset_mode(env: VectorEnv) -> AutoresetMode:
    """Return when an environment resets after an episode; EnvironmentSetupError if unknown."""
    given, inner = env.metadata.get("autoreset_mode"), env.unwrapped
    if isinstance(inner, AsyncVectorEnv | SyncVectorEnv) and env.metadata is inner.metadata:
        given = inner.autoreset_mode  # before Gymnasium 1.4 the newest of a class writes it for all
    for mode in AutoresetMode:
        if given in (mode, mode.value, mode.name):
            return mode
    modes = ", ".join(f"AutoresetMode.{mode.name}" for mode in AutoresetMode)
    raise EnvironmentSetupError(
        f"{env} does not say when it resets after an episode: expected one of {modes} under "
        f"metadata['autoreset_mode'], got {given!r}"
    )
