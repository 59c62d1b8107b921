"""What a replay needs of the place where its rows lie."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

Rows = NDArray[Any]


class Column(NamedTuple):
    """What one row of a column holds."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]  # little-endian

    @classmethod
    def of(cls, shape: tuple[int, ...], dtype: DTypeLike) -> "Column":
        """Return a column of rows of this shape."""
        return cls(shape, np.dtype(dtype).newbyteorder("<"))

    @property
    def row_bytes(self) -> int:
        """Return the number of bytes of a row."""
        return math.prod(self.shape) * self.dtype.itemsize


Columns = Mapping[str, Column]


class Table(Protocol):
    """Rows of named columns. The number of a row does not say where in the arrays it lies."""

    @property
    def columns(self) -> Mapping[str, NDArray[Any]]:
        """Return the arrays; ask for each use, as a table that grows replaces them."""

    def __len__(self) -> int: ...

    def has(self, rows: Rows) -> bool:
        """Return whether all of these rows can be read."""

    def locate(self, rows: Rows) -> Rows:
        """Return where to read rows that have been written."""

    def claim(self, row: int) -> int:
        """Return where to read or write a row until the next `commit`."""

    def extend(self, rows: int) -> None:
        """Grow to this many rows."""


class Storage(Protocol):
    """Makes a replay's tables, and keeps what checkpoints need of them."""

    def table(self, name: str, columns: Columns, rows: int, max_rows: int) -> Table:
        """Make an empty table of so many rows that may grow to `max_rows`."""

    def open(self, folder: Path) -> None:
        """Keep the rows in this folder; what is there already waits for `load`."""

    def commit(self) -> dict[str, Any]:
        """Force all rows to the disk and return the document that finds them again.

        OSError where the disk fails; the rows are as usable as before.
        """

    def load(self, document: Any) -> None:
        """Take over the rows of a `commit`; CheckpointError, before any change, if it is wrong."""

    def hold(self, step: int, document: Any) -> None:
        """Keep what the checkpoint of this step needs until it is released."""

    def release(self, steps: Iterable[int]) -> None:
        """Free what only the checkpoints of these steps needed."""

    def held(self) -> set[int]:
        """Return the steps whose checkpoints are held."""
