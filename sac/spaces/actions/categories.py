"""Several choices at once: MultiDiscrete and MultiBinary."""

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from sac.errors import SpaceError
from sac.spaces.actions.array import ArrayActions, columns_step


class CategoriesActions(ArrayActions):
    """One of n in each place: 0 to n - 1 for the policy, `start` added for the environment."""

    dtype = np.dtype(np.float32)  # of policy units, as they are stored: whole numbers
    bounds: None = None

    def __init__(self, space: spaces.MultiDiscrete | spaces.MultiBinary) -> None:
        """Take the space; raise SpaceError where there is nothing to choose."""
        self.space = space
        self.shape: tuple[int, ...] = space.shape
        self.size = int(np.prod(self.shape))
        if self.size == 0:
            raise SpaceError(f"the action space {space} has no dimension to act in")
        if isinstance(space, spaces.MultiBinary):
            self._sizes, self._start = np.full(self.shape, 2), np.zeros(self.shape, np.int64)
        else:
            self._sizes, self._start = space.nvec, space.start
        self.categories = tuple(self._sizes.ravel().tolist())

    def to_environment(self, actions: NDArray[Any]) -> NDArray[Any]:
        """Return policy-unit actions (n, *shape) as the environment takes them."""
        return (np.asarray(actions, np.int64) + self._start).astype(self.space.dtype)

    def to_policy(self, actions: NDArray[Any]) -> NDArray[Any]:
        """Return the environment's actions (n, *shape) in policy units."""
        return (np.asarray(actions, np.int64) - self._start).astype(self.dtype)

    def contains(self, actions: NDArray[Any]) -> bool:
        """Return whether all actions (n, *shape) of the environment are among the choices."""
        units = self.to_policy(actions)
        return bool(np.all((units >= 0) & (units < self._sizes)))

    def output_step(self) -> tuple[str, dict[str, NDArray[Any]]]:
        """Return what `to_environment` does, by name, with its arrays: for an exported policy."""
        none = np.zeros(0)
        return columns_step(none, none, none, self._start.ravel())

    def uniform(self, n: int, generator: np.random.Generator) -> NDArray[Any]:
        """Draw random actions in policy units (n, *shape)."""
        return generator.integers(self._sizes, size=(n, *self.shape)).astype(self.dtype)
