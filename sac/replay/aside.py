"""Next observations that differ from the observation in the row after their transition."""

from collections import deque

import numpy as np

from sac.replay.storage.interface import Column, Storage

FIRST_ROWS = 16


class AsideObservations:
    """Observations beside the rings, each under a number, which is used again when it is free."""

    def __init__(self, observation: Column, storage: Storage, max_rows: int) -> None:
        self._table = storage.table("aside", {"observation": observation}, FIRST_ROWS, max_rows)
        self._free = deque(range(FIRST_ROWS))  # the longest unused first

    def keep(self, observation: np.ndarray) -> int:
        """Store an observation and return its number."""
        if not self._free:
            rows = len(self._table)
            self._table.extend(2 * rows)
            self._free.extend(range(rows, 2 * rows))
        number = self._free.popleft()
        place = self._table.claim(number)
        self._table.columns["observation"][place] = observation
        return number

    def read(self, numbers: np.ndarray) -> np.ndarray:
        """Return the observations of these numbers."""
        return self._table.columns["observation"][self._table.locate(numbers)]

    def give_back(self, number: int) -> None:
        """Free a number whose observation nobody needs anymore."""
        self._free.append(number)

    def load(self, used: np.ndarray) -> bool:
        """Continue with loaded rows of which these are used; return whether that is possible."""
        if not self._table.has(used) or len(np.unique(used)) != len(used):
            return False
        is_free = np.ones(len(self._table), np.bool_)
        is_free[used] = False
        self._free = deque(np.flatnonzero(is_free).tolist())
        return True
