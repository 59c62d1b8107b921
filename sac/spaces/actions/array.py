"""What actions that are one array have in common."""

from typing import Any, NamedTuple

import numpy as np
from gymnasium import Space
from numpy.typing import NDArray


class Part(NamedTuple):
    """A leaf of an action space: what has an entropy of its own."""

    name: str  # keys from the root joined by "/"; empty for a space without parts
    continuous: int  # columns in [-1, 1]
    categories: tuple[int, ...]  # of each further column, how many there are


class ArrayActions:
    """Actions of a space without parts.

    A subclass sets `space`, `shape`, and `continuous` or `categories`, and defines `to_policy`.
    """

    space: Any
    shape: tuple[int, ...]
    continuous = 0
    categories: tuple[int, ...] = ()
    slack: NDArray[np.float64] | float = 0.0  # how far from its middle units mean the same action

    @property
    def parts(self) -> tuple[Part, ...]:
        """Return the one part."""
        return (Part("", self.continuous, self.categories),)

    @property
    def array_shape(self) -> tuple[int, ...]:
        """Return the shape of an action as one array, as exported policies give it."""
        return self.shape

    @property
    def array_dtype(self) -> np.dtype:
        """Return the dtype of such an array."""
        return np.dtype(self.space.dtype)

    def to_policy(self, actions: NDArray[Any]) -> NDArray[Any]:
        """Return the environment's actions (n, *shape) in policy units."""
        raise NotImplementedError

    def as_array(self, actions: NDArray[Any]) -> NDArray[Any]:
        """Return the environment's actions as one array: they are."""
        return actions

    def of_array(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return the environment's actions that `as_array` returned."""
        return array

    def first(self, actions: NDArray[Any]) -> Any:
        """Return the one action of a batch of one."""
        return actions[0, ...]

    def distance(self, units: NDArray[Any], actions: NDArray[Any]) -> NDArray[Any]:
        """Return how far policy units (n, *shape) are from those that mean these actions."""
        gap = np.abs(units - self.to_policy(actions)) - self.slack
        return np.maximum(gap, 0.0)

    def sample(self, space: Space) -> NDArray[Any]:
        """Draw a random action in policy units, from a copy of the space."""
        return self.to_policy(np.asarray(space.sample())[None])[0]


def columns_step(
    low: NDArray[Any],
    high: NDArray[Any],
    whole: NDArray[Any],
    start: NDArray[Any],
    order: NDArray[Any] | None = None,
) -> tuple[str, dict[str, NDArray[Any]]]:
    """Return the step of an exported policy from columns in policy units to the environment's.

    Columns in [-1, 1] come first, with their bounds, and `whole` is 1 where they are rounded; then
    categories, counted from `start`. `order` puts all of them in the order of the space.
    """
    if order is None:
        order = np.arange(len(low) + len(start))
    return "columns", {
        "low": np.asarray(low, np.float64),
        "high": np.asarray(high, np.float64),
        "whole": np.asarray(whole, np.float64),
        "start": np.asarray(start, np.float64),
        "order": np.asarray(order, np.int64),
    }
