"""Random actions before learning starts, each held for some steps."""

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sac.seeding import generator_to_json, restore_generator
from sac.spaces import ActionCodec


class RandomActions:
    """Draws in policy units from an action space, for each environment on its own.

    An action that is held for `repeat` steps goes further than one that changes at every step: a
    car gathers speed, a pole swings higher, and a rare reward is met sooner. An action is held to
    the end of its episode at most.
    """

    def __init__(self, codec: ActionCodec, num_envs: int, repeat: int, seed: int) -> None:
        """Draw from a copy of the space, as the environment itself may draw from its own."""
        self._codec, self._space = codec, copy.deepcopy(codec.space)
        self._space.seed(seed)
        self._repeat = repeat
        self._held: list[Any] = [None] * num_envs
        self._left = np.zeros(num_envs, np.int64)  # steps that each is held for

    def draw(self) -> NDArray[Any]:
        """Return an action in policy units for each environment."""
        for env in np.flatnonzero(self._left == 0):
            self._held[env] = self._codec.sample(self._space)
            self._left[env] = self._repeat
        self._left -= 1
        return np.stack(self._held)

    def end(self, ended: NDArray[np.bool_]) -> None:
        """Let go of the actions of environments whose episodes ended."""
        self._left[ended] = 0

    def reseed(self, seed: int) -> None:
        """Continue with draws from another seed, after the actions that are held."""
        self._space.seed(seed)

    def state(self) -> dict[str, Any]:
        """Return all that drawing needs to continue, as a tree of JSON values and arrays."""
        is_held = self._left.any()
        return {
            "generator": generator_to_json(self._space.np_random),
            "units": np.stack(self._held) if is_held else None,
            "left": self._left.tolist(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from a `state`; ValueError where it is one of other environments."""
        restore_generator(self._space.np_random, state["generator"])
        left, held = np.array(state["left"], np.int64), state.get("units")
        if state.get("held") is not None:  # an earlier version's, in the environment's units
            held = self._codec.to_policy(state["held"])
        if left.shape != self._left.shape or (held is not None and len(held) != len(left)):
            raise ValueError(f"expected actions of {len(self._left)} environments, got {len(left)}")
        self._left = left
        self._held = [None] * len(left) if held is None else list(held.copy())
