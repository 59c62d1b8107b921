"""Continuous actions: a Box with finite bounds."""

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from sac.errors import SpaceError
from sac.spaces.actions.array import ArrayActions

# As an array: NumPy takes longer to see what a number of Python's is than to add it.
HALF, ONE = np.array(0.5), np.array(1.0)


class BoxActions(ArrayActions):
    """Actions of a Box: float32 in [-1, 1] for the policy, the space's bounds for the environment.

    -1 and 1 are exactly the bounds. Where both bounds are equal the policy's action is 0.
    """

    dtype = np.dtype(np.float32)  # of policy units, as they are stored and learned from

    def __init__(self, space: spaces.Box) -> None:
        """Take a Box of floats; raise SpaceError where it is empty or has infinite bounds."""
        check_bounds(space, np.isfinite(space.low) & np.isfinite(space.high))
        self.space = space
        self.shape: tuple[int, ...] = space.shape
        # Columns of an action as the networks take it.
        self.size = self.continuous = int(np.prod(self.shape))
        # Batches of one: with them NumPy's loop over a single action needs no broadcasting.
        self._low = space.low.astype(np.float64)[None]
        self._high = space.high.astype(np.float64)[None]
        # Halved, so that even the widest finite bounds do not overflow.
        half_width = 0.5 * self._high - 0.5 * self._low
        self._is_free = half_width > 0
        self._safe_half_width = np.where(self._is_free, half_width, 1.0)

    @property
    def bounds(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the lowest and the highest action."""
        return self.space.low, self.space.high

    def to_environment(self, actions: NDArray[Any]) -> NDArray[Any]:
        """Return policy-unit actions (n, *shape) as the environment takes them."""
        share = np.asarray(actions, np.float64) * HALF + HALF
        mixed = self._low * (ONE - share) + self._high * share  # exact at both ends
        inside = np.minimum(np.maximum(mixed, self._low), self._high)
        return inside.astype(self.space.dtype)

    def to_policy(self, actions: NDArray[Any]) -> NDArray[Any]:
        """Return the environment's actions (n, *shape) in policy units."""
        given = np.asarray(actions, np.float64)
        share = (0.5 * given - 0.5 * self._low) / self._safe_half_width
        units = np.where(self._is_free, 2.0 * share - 1.0, 0.0)
        return np.minimum(np.maximum(units, -1.0), 1.0).astype(np.float32)

    def contains(self, actions: NDArray[Any]) -> bool:
        """Return whether all actions (n, *shape) of the environment are within the bounds."""
        return bool(np.all((actions >= self.space.low) & (actions <= self.space.high)))

    def output_step(self) -> tuple[str, dict[str, NDArray[Any]]]:
        """Return what `to_environment` does, by name, with its arrays: for an exported policy."""
        # In float64, as here: exact at both ends, even for float64 actions.
        return "rescale", {"low": self._low.ravel(), "high": self._high.ravel()}

    def distance(self, units: NDArray[Any], actions: NDArray[Any]) -> NDArray[Any]:
        """Return by how much the environment's actions (n, *shape) differ from those of units.

        Relative to the largest bound, where that is above 1.
        """
        unit = max(1.0, *(float(np.abs(bound).max()) for bound in self.bounds))
        return np.abs(actions.astype(np.float64) - self.to_environment(units)) / unit

    def uniform(self, n: int, generator: np.random.Generator) -> NDArray[Any]:
        """Draw random actions in policy units (n, *shape)."""
        return generator.uniform(-1, 1, (n, *self.shape)).astype(self.dtype)


def check_bounds(space: spaces.Box, is_finite: NDArray[np.bool_]) -> None:
    """Raise SpaceError for a Box without a dimension, or where a bound is not finite."""
    if int(np.prod(space.shape)) == 0:
        raise SpaceError(f"the action space {space} has no dimension to act in")
    infinite = np.argwhere(~is_finite)
    if len(infinite):
        where = ", ".join(str(tuple(int(i) for i in index)) for index in infinite[:5])
        raise SpaceError(
            f"the action space {space} has infinite bounds at {where}: the policy needs finite "
            "ones. Wrap the environment as gymnasium.wrappers.TransformAction(env, lambda "
            f"action: action, gymnasium.spaces.Box(-1.0, 1.0, {space.shape})) with bounds that "
            "suit it (ClipAction makes bounds infinite, and RescaleAction needs finite ones)"
        )
