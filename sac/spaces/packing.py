"""Rows of float32 whose parts of uint8 are kept in bytes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

FLOAT_BYTES = 4


class Packing:
    """Turns rows of float32 into rows of bytes and back: floats first, then what fits into uint8.

    Rows are padded to whole floats, so that a view of many of them as floats lies right in memory.
    """

    def __init__(self, sizes: Sequence[int], are_bytes: Sequence[bool]) -> None:
        """Take the numbers of features of the parts of a row, and which of them are bytes."""
        ends = np.cumsum(sizes).tolist()
        columns = [slice(end - size, end) for size, end in zip(sizes, ends, strict=True)]
        pairs = list(zip(columns, are_bytes, strict=True))
        self._floats = [part for part, is_byte in pairs if not is_byte]
        self._bytes = [part for part, is_byte in pairs if is_byte]
        self._float_bytes = FLOAT_BYTES * sum(part.stop - part.start for part in self._floats)
        needed = self._float_bytes + sum(part.stop - part.start for part in self._bytes)
        self.row_bytes = -(-needed // FLOAT_BYTES) * FLOAT_BYTES
        self.features = ends[-1]

    def pack(self, rows: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return rows (n, features) as bytes (n, row_bytes)."""
        packed = np.zeros((len(rows), self.row_bytes), np.uint8)
        floats = packed[:, : self._float_bytes].view(np.float32)
        start = 0
        for part in self._floats:
            floats[:, start : start + part.stop - part.start] = rows[:, part]
            start += part.stop - part.start
        start = self._float_bytes
        for part in self._bytes:
            packed[:, start : start + part.stop - part.start] = rows[:, part]
            start += part.stop - part.start
        return packed

    def unpack_into(self, rows: Any, packed: Any, float32: Any) -> None:
        """Fill rows (n, features) from bytes, of NumPy or as tensors, with its name of float32."""
        floats, start = packed[:, : self._float_bytes].view(float32), 0
        for part in self._floats:
            rows[:, part] = floats[:, start : start + part.stop - part.start]
            start += part.stop - part.start
        start = self._float_bytes
        for part in self._bytes:
            rows[:, part] = packed[:, start : start + part.stop - part.start]
            start += part.stop - part.start

    def unpack(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return rows (n, features) of bytes (n, row_bytes)."""
        rows = np.empty((len(packed), self.features), np.float32)
        self.unpack_into(rows, packed, np.float32)
        return rows
