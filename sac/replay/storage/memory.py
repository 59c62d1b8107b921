"""A replay's rows in memory: no checkpoint has them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from sac.errors import CheckpointError
from sac.replay.storage.interface import Columns, Rows


class MemoryTable:
    """A `Table` in memory: each row lies where its number says."""

    def __init__(self, columns: Columns, rows: int) -> None:
        self.columns = {
            name: np.zeros((rows, *column.shape), column.dtype) for name, column in columns.items()
        }
        self._rows = rows

    def __len__(self) -> int:
        return self._rows

    def has(self, rows: Rows) -> bool:
        return bool(((rows >= 0) & (rows < self._rows)).all())

    def locate(self, rows: Rows) -> Rows:
        return rows

    def claim(self, row: int) -> int:
        return row

    def extend(self, rows: int) -> None:
        for name, array in self.columns.items():
            grown = np.zeros((rows, *array.shape[1:]), array.dtype)
            grown[: len(array)] = array
            self.columns[name] = grown
        self._rows = rows


class MemoryStorage:
    """A `Storage` in memory, reserved at once and touched as it fills."""

    def table(self, name: str, columns: Columns, rows: int, max_rows: int) -> MemoryTable:
        return MemoryTable(columns, rows)

    def open(self, folder: Path) -> None: ...

    def commit(self) -> dict[str, Any]:
        return {}

    def load(self, document: Any) -> None:
        raise CheckpointError("this replay is in memory: it can't take over rows from the disk")

    def hold(self, step: int, document: Any) -> None: ...

    def release(self, steps: Iterable[int]) -> None: ...

    def held(self) -> set[int]:
        return set()
