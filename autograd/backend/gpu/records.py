"""Transitions on a GPU; one copy and two kernels write rows and draw a batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.backend.gpu.staging import Staging

Field = tuple[tuple[int, ...], Any]  # shape and dtype in one record


class Records:
    """A table of records with four fields each; the host fills it and draws batches from it."""

    def __init__(self, backend: Any, index: int, rows: int, fields: Sequence[Field]) -> None:
        """Reserve memory for `rows` records on a GPU; MemoryError if they do not fit."""
        self._backend = backend
        self._staging = Staging(backend, index)
        self._rows = rows
        self._fields = fields
        sizes = [math.prod(shape) * np.dtype(dtype).itemsize for shape, dtype in fields]
        # Words of four bytes are copied faster than bytes, if all fields consist of whole words.
        self._word = np.dtype(np.uint8 if any(size % 4 for size in sizes) else np.uint32)
        self._widths = [size // self._word.itemsize for size in sizes]
        self._width = sum(self._widths)
        backend.use(index)
        self._store = backend.zeros((rows, self._width), self._word)

    @property
    def nbytes(self) -> int:
        """Bytes of the GPU's memory that the table takes."""
        return self._store.nbytes

    def write(self, rows: np.ndarray, values: Sequence[np.ndarray]) -> None:
        """Write records into different rows; `values`: an array for each field."""
        if len(rows):
            self._write(*self._staging([rows.astype(np.int64), self._packed(len(rows), values)]))

    def _packed(self, count: int, values: Sequence[np.ndarray]) -> np.ndarray:
        parts = [
            np.ascontiguousarray(value, dtype).reshape(count, math.prod(shape)).view(self._word)
            for value, (shape, dtype) in zip(values, self._fields, strict=True)
        ]
        return np.concatenate(parts, axis=1)

    def _write(self, rows: Any, records: Any) -> None:
        kernel = self._backend.kernel("write_records")
        kernel(records, rows, self._width, self._store, size=records.size)

    def draw(
        self, rows: np.ndarray, nexts: np.ndarray, aside: np.ndarray,
        changed: np.ndarray, values: Sequence[np.ndarray],
    ) -> list[Any]:  # fmt: skip
        """Write `values` to rows `changed`; return the fields at `rows`, and field 0 at `nexts`.

        Numbers in `nexts` past the last row mean rows of `aside`, which holds values of field 0.
        """
        count = len(rows)
        shape, dtype = self._fields[0]
        size = math.prod(shape)
        aside = np.ascontiguousarray(aside, dtype).reshape(len(aside), size).view(self._word)
        rows, nexts, aside, changed, records = self._staging(
            [
                rows.astype(np.int64), nexts.astype(np.int64), aside, changed.astype(np.int64),
                self._packed(len(changed), values),
            ]
        )  # fmt: skip
        if changed.size:
            self._write(changed, records)
        fields = [*self._fields, (shape, dtype)]
        out = [self._backend.empty((count, *shape), dtype) for shape, dtype in fields]
        words = [array.reshape(-1).view(self._word) for array in out]
        self._backend.kernel("read_records")(
            self._store, aside, rows, nexts, self._width, self._rows, *self._widths, *words,
            size=count * (self._width + self._widths[0]),
        )  # fmt: skip
        return out
