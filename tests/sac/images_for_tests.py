"""Small environments that show images."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

SIDE, SPOT = 36, 8
IMAGE = spaces.Box(0, 255, (SIDE, SIDE, 1), np.uint8)
ACTION = spaces.Box(-1.0, 1.0, (1,), np.float32)


def spot(place: float) -> np.ndarray:
    """Return an image with a bright square, whose place from -1 to 1 is that from left to right."""
    image = np.zeros(IMAGE.shape, np.uint8)
    left = round((place + 1) / 2 * (SIDE - SPOT))
    image[14 : 14 + SPOT, left : left + SPOT] = 255
    return image


class SpotEnv(gymnasium.Env):
    """Rewards actions near the place of a spot, which moves in each of 10 steps.

    Actions of 0 get about -5 in an episode, and those of the spot's place 0. `sign`: it is a number
    beside the image, and the action is to be that many times the place.
    """

    def __init__(self, sign: bool = False) -> None:
        parts: dict[str, spaces.Space] = {
            "image": IMAGE,
            "sign": spaces.Box(-1, 1, (1,), np.float32),
        }
        self.observation_space = spaces.Dict(parts) if sign else IMAGE
        self.action_space = ACTION
        self._has_sign = sign

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self._steps = 0
        return self._observe(), {}

    def step(self, action: np.ndarray) -> Any:
        reward = -abs(float(action[0]) - self._sign * self._place)
        self._steps += 1
        return self._observe(), reward, False, self._steps >= 10, {}

    def _observe(self) -> Any:
        self._place = float(self.np_random.uniform(-1, 1))
        self._sign = float(self.np_random.choice([-1, 1])) if self._has_sign else 1.0
        image = spot(self._place)
        return {"image": image, "sign": np.array([self._sign], "f4")} if self._has_sign else image


gymnasium.register("Spot-v0", lambda **kwargs: SpotEnv(**kwargs))
