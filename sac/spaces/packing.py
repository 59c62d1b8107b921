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
        # The columns of each part, with their places among the floats of a packed row, or bytes.
        self._floats, count = _in_turn([part for part, is_byte in pairs if not is_byte], 0)
        self._float_bytes = FLOAT_BYTES * count
        parts = [part for part, is_byte in pairs if is_byte]
        self._bytes, needed = _in_turn(parts, self._float_bytes)
        self.row_bytes = -(-needed // FLOAT_BYTES) * FLOAT_BYTES
        self.features = ends[-1]

    def pack(self, rows: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return rows (n, features) as bytes (n, row_bytes)."""
        packed = np.zeros((len(rows), self.row_bytes), np.uint8)
        floats = packed[:, : self._float_bytes].view(np.float32)
        for part, place in self._floats:
            floats[:, place] = rows[:, part]
        for part, place in self._bytes:
            packed[:, place] = rows[:, part]
        return packed

    def unpack_into(self, rows: Any, packed: Any, float32: Any) -> None:
        """Fill rows (n, features) from bytes, of NumPy or as tensors, with its name of float32."""
        floats = packed[:, : self._float_bytes].view(float32)
        for part, place in self._floats:
            rows[:, part] = floats[:, place]
        for part, place in self._bytes:
            rows[:, part] = packed[:, place]

    def unpack(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return rows (n, features) of bytes (n, row_bytes)."""
        rows = np.empty((len(packed), self.features), np.float32)
        self.unpack_into(rows, packed, np.float32)
        return rows


def _in_turn(parts: Sequence[slice], start: int) -> tuple[list[tuple[slice, slice]], int]:
    """Return each part with its place, one after the other from `start`, and the end of all."""
    placed = []
    for part in parts:
        stop = start + part.stop - part.start
        placed.append((part, slice(start, stop)))
        start = stop
    return placed, start
