"""An environment that takes its time: what actors are measured with."""

import time
from typing import Any

import gymnasium
import numpy as np

STEP_SECONDS = 0.005
EPISODE_STEPS = 200


class Sleeping(gymnasium.Env[Any, Any]):
    """Sleeps for 5 ms in each step, as one that waits for a simulator or a robot."""

    observation_space = gymnasium.spaces.Box(-1, 1, (17,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (6,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Begin an episode."""
        super().reset(seed=seed)
        self._steps = 0
        return self._observation(), {}

    def step(self, action: Any) -> Any:
        """Sleep, and give random numbers."""
        time.sleep(STEP_SECONDS)
        self._steps += 1
        reward = float(self.np_random.random())
        return self._observation(), reward, False, self._steps >= EPISODE_STEPS, {}

    def _observation(self) -> Any:
        return self.np_random.uniform(-1, 1, 17).astype(np.float32)


gymnasium.register("Sleeping-v0", f"{__name__}:Sleeping")
