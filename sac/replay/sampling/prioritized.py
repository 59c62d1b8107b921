"""Prioritised draws: Schaul et al. 2016, arXiv:1511.05952."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.random import Generator

from sac.replay.rings import Rings

EPSILON = 1e-6  # on each error, so that no transition is lost for good
REBUILD_SHARE = 16  # of the rows: where more have changed, all sums are taken anew


class SumTree:
    """Numbers by row, and their sums by pairs, pairs of pairs and so on.

    To find or to change rows takes one step a level, for all of them at once. A sum depends on the
    numbers alone, to the bit, and not on how they came.
    """

    def __init__(self, rows: int) -> None:
        """Begin with zeros."""
        self._depth = (rows - 1).bit_length()
        self._first = 1 << self._depth  # the leaf of row 0
        self._sums = np.zeros(2 * self._first)
        self.numbers = self._sums[self._first : self._first + rows]  # to read; `set` changes them
        self._changed: list[np.ndarray] | None = []  # rows whose sums are out of date; None: all
        self._count = 0

    def set(self, rows: np.ndarray, numbers: Any) -> None:
        """Set the numbers of rows; of a row that is given twice, the last counts."""
        self.numbers[rows] = numbers
        if self._changed is not None:
            self._changed.append(rows)
            self._count += len(rows)
            if self._count > len(self.numbers) // REBUILD_SHARE:
                self._changed = None

    @property
    def total(self) -> float:
        """The sum of all numbers."""
        self._refresh()
        return float(self._sums[1])

    def find(self, shares: np.ndarray) -> np.ndarray:
        """Return the row at each share, from 0 to 1, of the total; never one whose number is 0."""
        values, sums = shares * self.total, self._sums
        nodes = np.ones(len(shares), np.int64)
        for _ in range(self._depth):
            nodes *= 2
            left = sums.take(nodes)
            # Rounding may carry a value past the end of what is there: not into an empty half.
            goes_right = (values >= left) & (sums.take(nodes + 1) > 0)
            values -= left * goes_right
            nodes += goes_right
        return nodes - self._first

    def _refresh(self) -> None:
        sums = self._sums
        if self._changed is None:
            for level in reversed(range(self._depth)):
                start, end = 1 << level, 2 << level
                np.add(sums[2 * start : 2 * end : 2], sums[2 * start + 1 : 2 * end : 2],
                       out=sums[start:end])  # fmt: skip
        elif self._changed:
            nodes = (np.concatenate(self._changed) + self._first) >> 1
            pairs = sums.reshape(-1, 2)  # of each node, its two below
            for _ in range(self._depth):
                below = pairs.take(nodes, axis=0)
                sums[nodes] = below[:, 0] + below[:, 1]
                nodes >>= 1
        self._changed, self._count = [], 0


class Priorities:
    """Draws a transition in proportion to p = (|TD error| + epsilon)^alpha.

    A loss counts as much as (N P)^-beta, P the probability of a transition among N, divided by the
    largest of its batch. `beta` rises to 1 over a run. A new transition has the largest p seen.
    `uniform_weight` is what one of P = 1 / N, as of a uniform draw, would count beside the last.
    """

    def __init__(self, rings: Rings, alpha: float, beta: float) -> None:
        self._rings = rings
        self._alpha, self._beta = alpha, beta
        self._tree = SumTree(rings.rows)
        self._largest = 1.0
        self._drawn = np.zeros(0, np.int64)
        self.uniform_weight = 1.0

    def added(self, rows: list[int], heads: list[int]) -> None:
        """Take note of rows that hold new transitions, and of those that hold none since."""
        self._tree.set(np.array(rows, np.int64), self._largest)
        self._tree.set(np.array(heads, np.int64), 0.0)

    def draw(
        self, batch_size: int, generator: Generator, progress: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows, one of each of as many equal parts of the total, and their weights (n, 1).

        `progress` is the part of the run that is over. IndexError where nothing is stored.
        """
        if not len(self._rings):
            raise IndexError("cannot sample from an empty replay buffer")
        shares = (np.arange(batch_size) + generator.random(batch_size)) / batch_size
        self._drawn = rows = self._tree.find(shares)
        beta = self._beta + (1 - self._beta) * min(progress, 1.0)
        probability = self._tree.numbers[rows] / self._tree.total
        weight = (len(self._rings) * probability) ** -beta
        self.uniform_weight = 1 / float(weight.max())
        return rows, (weight / weight.max()).astype(np.float32)[:, None]

    def learned(self, errors: np.ndarray) -> None:
        """Take the last draw's |TD errors| (n, 1); what is not finite changes nothing.

        More of them, of transitions from elsewhere, may follow.
        """
        error = errors[: len(self._drawn), 0].astype(np.float64)
        known = np.isfinite(error)
        numbers = (error[known] + EPSILON) ** self._alpha
        self._tree.set(self._drawn[known], numbers)
        self._largest = max(self._largest, float(numbers.max(initial=0)))

    def state(self) -> dict[str, Any]:
        """Return all that draws depend on, with the rings, as a tree of numbers and arrays."""
        rows = self._rings.used_rows()
        return {"numbers": self._tree.numbers[rows], "largest": self._largest}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`, with the rings of that time; ValueError if it does not fit."""
        rows, numbers = self._rings.used_rows(), np.asarray(state["numbers"], np.float64)
        stored = np.isin(rows, self._rings.transition_rows(np.arange(len(self._rings))))
        if numbers.shape != rows.shape or not np.array_equal(numbers > 0, stored):
            raise ValueError(f"expected the priorities of {len(self._rings)} transitions")
        self._largest = float(state["largest"])
        self._tree = SumTree(self._rings.rows)
        self._tree.set(rows, numbers)
