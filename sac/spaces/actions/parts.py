"""Actions of several parts: Dict and Tuple spaces, nested as they may be."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import NDArray

from sac.spaces.actions.array import Part, columns_step
from sac.spaces.actions.box import BoxActions
from sac.spaces.actions.categories import CategoriesActions
from sac.spaces.actions.discrete import DiscreteActions
from sac.spaces.actions.whole import WholeActions

Leaf = BoxActions | WholeActions | DiscreteActions | CategoriesActions


def named_leaves(space: Space, name: str = "") -> Iterator[tuple[str, Space]]:
    """Yield the spaces in a Dict or Tuple that are neither, with their keys joined by "/"."""
    for key, part in _items(space):
        path = f"{name}/{key}" if name else str(key)
        if isinstance(part, spaces.Dict | spaces.Tuple):
            yield from named_leaves(part, path)
        else:
            yield path, part


def _items(space: Any) -> list[tuple[Any, Space]]:
    return list(space.items() if isinstance(space, spaces.Dict) else enumerate(space.spaces))


def _taken(space: Space, actions: Any) -> Iterator[Any]:
    """Yield the actions of the leaves, in order."""
    if isinstance(space, spaces.Dict | spaces.Tuple):
        for key, part in _items(space):
            yield from _taken(part, actions[key])
    else:
        yield actions


def _joined(space: Space, actions: Iterator[Any]) -> Any:
    """Return what `_taken` took to pieces."""
    if not isinstance(space, spaces.Dict | spaces.Tuple):
        return next(actions)
    parts = {key: _joined(part, actions) for key, part in _items(space)}
    return parts if isinstance(space, spaces.Dict) else tuple(parts.values())


class PartsActions:
    """Actions of a Dict or Tuple: a row of float32 for the policy, as the replay stores it.

    The columns in [-1, 1] of all parts come first, then the categories as whole numbers. A batch of
    the environment's actions has the form of the space, with arrays (n, ...) as leaves.
    """

    dtype = np.dtype(np.float32)
    array_dtype = np.dtype(np.float64)

    def __init__(self, space: Any, leaves: Sequence[tuple[str, Leaf]]) -> None:
        """Take the space, and the names and codecs of its leaves, one at least."""
        self.space = space
        self._leaves = [codec for _, codec in leaves]
        found = [Part(name, codec.continuous, codec.categories) for name, codec in leaves]
        self._arranged = sorted(range(len(found)), key=lambda i: bool(found[i].categories))
        self.parts: tuple[Part, ...] = tuple(found[i] for i in self._arranged)
        self.continuous = sum(part.continuous for part in self.parts)
        self.categories = tuple(n for part in self.parts for n in part.categories)
        self.size = sum(codec.size for codec in self._leaves)
        self.shape = self.array_shape = (self.size,)
        self._columns: list[slice] = [slice(0)] * len(found)
        place = 0
        for i in self._arranged:
            self._columns[i] = slice(place, place + self._leaves[i].size)
            place += self._leaves[i].size
        slack = [
            np.broadcast_to(self._leaves[i].slack, self._leaves[i].shape).ravel()
            for i in self._arranged
            if found[i].continuous
        ]
        self.slack = np.concatenate([*slack, np.zeros(len(self.categories))])

    @property
    def bounds(self) -> tuple[NDArray[Any], NDArray[Any]] | None:
        """Return the lowest and the highest of the columns in [-1, 1]; None without any."""
        leaves = [self._leaves[i] for i in self._arranged if self._leaves[i].continuous]
        if not leaves:
            return None
        low, high = zip(*(leaf.bounds for leaf in leaves if leaf.bounds), strict=True)
        return tuple(np.concatenate([bound.ravel() for bound in each]) for each in (low, high))  # type: ignore[return-value]

    def to_environment(self, actions: NDArray[Any]) -> Any:
        """Return policy-unit actions (n, size) as the environment takes them."""
        pairs = zip(self._leaves, self._columns, strict=True)
        units = ((leaf, actions[:, columns]) for leaf, columns in pairs)
        return _joined(
            self.space,
            (leaf.to_environment(part.reshape(len(part), *leaf.shape)) for leaf, part in units),
        )

    def to_policy(self, actions: Any) -> NDArray[Any]:
        """Return the environment's actions in policy units (n, size)."""
        pairs = list(zip(self._leaves, _taken(self.space, actions), strict=True))
        units = [leaf.to_policy(part).reshape(len(part), -1) for leaf, part in pairs]
        return np.concatenate([units[i] for i in self._arranged], axis=1).astype(self.dtype)

    def as_array(self, actions: Any) -> NDArray[np.float64]:
        """Return the environment's actions as rows (n, size), the parts in their order."""
        parts = [np.asarray(part, np.float64) for part in _taken(self.space, actions)]
        return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)

    def of_array(self, array: NDArray[Any]) -> Any:
        """Return the environment's actions that `as_array` returned."""
        ends = np.cumsum([leaf.size for leaf in self._leaves])
        parts = zip(self._leaves, np.split(array, ends[:-1], axis=1), strict=True)
        return _joined(
            self.space,
            (part.reshape(len(part), *leaf.shape).astype(leaf.space.dtype) for leaf, part in parts),
        )

    def row_of(self, action: Any) -> NDArray[np.float64]:
        """Return the environment's one action as a row (size,) of its own."""
        batch = (np.asarray(part)[None] for part in _taken(self.space, action))
        return self.as_array(_joined(self.space, batch))[0]

    def of_row(self, row: NDArray[Any]) -> Any:
        """Return the action that `row_of` returned."""
        return self.first(self.of_array(row[None]))

    def first(self, actions: Any) -> Any:
        """Return the one action of a batch of one."""
        parts = zip(self._leaves, _taken(self.space, actions), strict=True)
        return _joined(self.space, (leaf.first(part) for leaf, part in parts))

    def contains(self, actions: Any) -> bool:
        """Return whether all actions of the environment are within their spaces."""
        parts = zip(self._leaves, _taken(self.space, actions), strict=True)
        return all(leaf.contains(part) for leaf, part in parts)

    def distance(self, units: NDArray[Any], actions: Any) -> NDArray[Any]:
        """Return how far policy units (n, size) are from those that mean these actions."""
        return np.maximum(np.abs(units - self.to_policy(actions)) - self.slack, 0.0)

    def output_step(self) -> tuple[str, dict[str, NDArray[Any]]]:
        """Return what `as_array` of `to_environment` does, by name: for an exported policy."""
        low, high = self.bounds or (np.zeros(0), np.zeros(0))
        whole, start = [np.zeros(0)], [np.zeros(0)]
        for leaf in (self._leaves[i] for i in self._arranged):
            if leaf.continuous:
                whole.append(np.full(leaf.size, isinstance(leaf, WholeActions)))
            else:
                zero = np.zeros((1, *leaf.shape))
                start.append(leaf.to_environment(zero).ravel())
        order = [np.arange(self.size)[columns] for columns in self._columns]
        return columns_step(
            low, high, np.concatenate(whole), np.concatenate(start), np.concatenate(order)
        )

    def uniform(self, n: int, generator: np.random.Generator) -> NDArray[Any]:
        """Draw random actions in policy units (n, size)."""
        drawn = [leaf.uniform(n, generator).reshape(n, -1) for leaf in self._leaves]
        return np.concatenate([drawn[i] for i in self._arranged], axis=1).astype(self.dtype)

    def sample(self, space: Space) -> NDArray[Any]:
        """Draw a random action in policy units by the generator of a copy of the space.

        Not by `space.sample`, as each part has a generator of its own.
        """
        return self.uniform(1, space.np_random)[0]
