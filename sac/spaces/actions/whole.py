"""Whole numbers between bounds: a Box of integers."""

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from sac.errors import SpaceError
from sac.spaces.actions.array import ArrayActions, columns_step
from sac.spaces.actions.box import check_bounds

LARGEST = 2**53  # float64 holds all whole numbers up to here


class WholeActions(ArrayActions):
    """Actions of a Box of integers: float32 in [-1, 1] for the policy, rounded for the environment.

    Each whole number has an equal share of [-1, 1]; the middle of the share stands for it.
    """

    dtype = np.dtype(np.float32)  # of policy units, as they are stored and learned from

    def __init__(self, space: spaces.Box) -> None:
        """Take a Box of integers; raise SpaceError where it is empty or has infinite bounds."""
        check_bounds(space, space.bounded_below & space.bounded_above)
        self.space = space
        self.shape: tuple[int, ...] = space.shape
        self.size = self.continuous = int(np.prod(self.shape))
        self._low, self._high = (bound.astype(np.float64) for bound in (space.low, space.high))
        if np.max(np.abs([self._low, self._high])) > LARGEST:
            raise SpaceError(
                f"the action space {space} has bounds beyond 2^53, which can't be told apart: wrap "
                "the environment as gymnasium.wrappers.TransformAction with bounds that suit it"
            )
        self._count = self._high - self._low + 1
        self.slack = 1 / self._count

    @property
    def bounds(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the lowest and the highest action."""
        return self.space.low, self.space.high

    def to_environment(self, actions: NDArray[Any]) -> NDArray[Any]:
        """Return policy-unit actions (n, *shape) as the environment takes them."""
        share = np.asarray(actions, np.float64) * 0.5 + 0.5
        places = np.floor(self._low * (1 - share) + (self._high + 1) * share)
        return np.clip(places, self._low, self._high).astype(self.space.dtype)

    def to_policy(self, actions: NDArray[Any]) -> NDArray[Any]:
        """Return the environment's actions (n, *shape) in policy units."""
        places = np.clip(np.asarray(actions, np.float64), self._low, self._high) - self._low
        return ((2 * places + 1) / self._count - 1).astype(np.float32)

    def contains(self, actions: NDArray[Any]) -> bool:
        """Return whether all actions (n, *shape) of the environment are within the bounds."""
        return bool(np.all((actions >= self.space.low) & (actions <= self.space.high)))

    def output_step(self) -> tuple[str, dict[str, NDArray[Any]]]:
        """Return what `to_environment` does, by name, with its arrays: for an exported policy."""
        whole = np.ones(self.size)
        return columns_step(self._low.ravel(), self._high.ravel(), whole, np.zeros(0))

    def uniform(self, n: int, generator: np.random.Generator) -> NDArray[Any]:
        """Draw random actions in policy units (n, *shape)."""
        return generator.uniform(-1, 1, (n, *self.shape)).astype(self.dtype)
