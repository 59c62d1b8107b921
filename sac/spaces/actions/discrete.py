"""Discrete actions: one of n."""

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from sac.spaces.actions.array import ArrayActions, columns_step


class DiscreteActions(ArrayActions):
    """Actions of a Discrete space: 0 to n - 1 for the policy, `start` added for the environment."""

    dtype = np.dtype(np.int64)  # of policy units, as they are stored and learned from
    shape: tuple[int, ...] = ()
    size = 1  # columns of an action as the networks take it
    bounds: None = None

    def __init__(self, space: spaces.Discrete) -> None:
        """Take the space."""
        self.space = space
        self.n = int(space.n)
        self.start = int(space.start)
        self.categories = (self.n,)

    def to_environment(self, actions: NDArray[Any]) -> NDArray[Any]:
        """Return policy-unit actions (n,) as the environment takes them."""
        return (np.asarray(actions, np.int64) + self.start).astype(self.space.dtype)

    def to_policy(self, actions: NDArray[Any]) -> NDArray[Any]:
        """Return the environment's actions (n,) in policy units."""
        return np.asarray(actions, np.int64) - self.start

    def contains(self, actions: NDArray[Any]) -> bool:
        """Return whether all actions (n,) of the environment are among the n."""
        units = self.to_policy(actions)
        return bool(np.all((units >= 0) & (units < self.n)))

    def output_step(self) -> tuple[str, dict[str, NDArray[Any]]]:
        """Return what `to_environment` does, by name, with its arrays: for an exported policy."""
        none = np.zeros(0)
        return columns_step(none, none, none, np.array([self.start]))

    def first(self, actions: NDArray[Any]) -> Any:
        """Return the one action of a batch of one: a scalar, which can index a table."""
        return actions[0]

    def uniform(self, n: int, generator: np.random.Generator) -> NDArray[Any]:
        """Draw random actions in policy units (n,)."""
        return generator.integers(self.n, size=n)
