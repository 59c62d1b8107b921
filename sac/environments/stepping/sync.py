"""Environments stepped one after the other in this process, without Gymnasium's detours."""

from typing import Any, TypeGuard

import numpy as np
from gymnasium import spaces
from gymnasium.vector import SyncVectorEnv


class SyncSteps:
    """Steps a SyncVectorEnv whose observations are Boxes and which resets nothing by itself.

    SyncVectorEnv.step takes apart and batches any space, copies each result into arrays of its own
    and these once more: for a quick environment that takes as long as its step.
    """

    def __init__(self, env: SyncVectorEnv) -> None:
        self._env = env

    @staticmethod
    def fits(env: Any) -> TypeGuard[SyncVectorEnv]:
        """Whether `step` does for this environment what its own does."""
        return (
            type(env) is SyncVectorEnv
            and isinstance(env.single_observation_space, spaces.Box)
            and isinstance(env.single_action_space, spaces.Box | spaces.Discrete)
        )

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Reset as SyncVectorEnv does."""
        return self._env.reset(seed=seed, options=options)

    def step(self, actions: np.ndarray) -> Any:
        """Step as SyncVectorEnv does; observations and ends come as lists."""
        env, infos = self._env, dict[str, Any]()
        outcomes = [one.step(action) for one, action in zip(env.envs, actions, strict=True)]
        observations, rewards, terminated, truncated, each_info = zip(*outcomes, strict=True)
        for index, info in enumerate(each_info):
            if info:
                infos = env._add_info(infos, info, index)
        return observations, rewards, terminated, truncated, infos
