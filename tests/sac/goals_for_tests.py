"""A small environment with goals, whose reward says no more than whether one is reached."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

REACHING = "ReachingForTests-v0"
STEPS = 12
NEAR = 0.15


class ReachingEnv(gymnasium.Env):
    """Moves a point in a cube to a place. At random, it hardly ever comes near.

    `is_vectorised`: whether `compute_reward` takes batches; `ends`: whether to be near is the end.
    """

    def __init__(
        self, dimensions: int = 3, *, is_vectorised: bool = True, ends: bool = False
    ) -> None:
        place = spaces.Box(-2.0, 2.0, (dimensions,), np.float64)
        names = ("observation", "achieved_goal", "desired_goal")
        self.observation_space = spaces.Dict(dict.fromkeys(names, place))
        self.action_space = spaces.Box(-1.0, 1.0, (dimensions,), np.float32)
        self.is_vectorised = is_vectorised
        self.ends = ends

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.goal = self.np_random.uniform(-1.0, 1.0, self.action_space.shape)
        self.place = np.zeros_like(self.goal)
        self.steps = 0
        return self.observe(), {}

    def step(self, action: Any) -> Any:
        self.place = np.clip(self.place + 0.3 * action, -2.0, 2.0)
        self.steps += 1
        reward = float(self.compute_reward(self.place, self.goal, {}))
        terminated = bool(self.compute_terminated(self.place, self.goal, {}))
        info = {"is_success": reward == 0}
        return self.observe(), reward, terminated, self.steps == STEPS, info

    def compute_reward(self, achieved: Any, desired: Any, info: Any) -> Any:
        if not self.is_vectorised:
            return 0.0 if np.linalg.norm(achieved - desired) < NEAR else -1.0
        return np.where(np.linalg.norm(achieved - desired, axis=-1) < NEAR, 0.0, -1.0)

    def compute_terminated(self, achieved: Any, desired: Any, info: Any) -> Any:
        return self.ends & (self.compute_reward(achieved, desired, info) == 0)

    def observe(self) -> dict[str, np.ndarray]:
        places = {name: self.place.copy() for name in ("observation", "achieved_goal")}
        return places | {"desired_goal": self.goal.copy()}


gymnasium.register(REACHING, lambda **kwargs: ReachingEnv(**kwargs), disable_env_checker=True)
