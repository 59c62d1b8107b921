"""For learning on a GPU, beyond what torch offers: uploads, and tables of records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.backend import cuda, resolved
from autograd.dtypes import DeviceLike, device_argument
from autograd.tensors.tensor import Tensor


class Upload:
    """Brings NumPy arrays to a GPU in one copy beside its work, through pinned memory.

    torch has pinned tensors and streams for it. `upload = Upload("cuda")`, then
    `upload([a, b])` returns tensors; neither the call nor the GPU's earlier work waits for them.
    """

    def __init__(self, device: DeviceLike = "cuda") -> None:
        """`device`: the GPU."""
        self._staging = cuda().staging(resolved(device_argument(device)).index)

    def __call__(self, arrays: Sequence[np.ndarray]) -> list[Tensor]:
        """Return the arrays as tensors on the GPU."""
        return [Tensor._wrap(array) for array in self._staging(arrays)]


class Records:
    """A table of records with four fields on a GPU; the host fills it and draws batches from it.

    A draw is one copy to the GPU, of row numbers and of what has changed, and two kernels.
    """

    def __init__(self, rows: int, fields: Sequence[Any], device: DeviceLike = "cuda") -> None:
        """`fields`: shape and NumPy dtype of each; MemoryError if they do not fit."""
        self._records = cuda().records(rows, fields, resolved(device_argument(device)).index)

    @property
    def nbytes(self) -> int:
        """Bytes of the GPU's memory that the table takes."""
        return self._records.nbytes

    def write(self, rows: np.ndarray, values: Sequence[np.ndarray]) -> None:
        """Write records into different rows; `values`: an array for each field."""
        self._records.write(rows, values)

    def draw(
        self, rows: np.ndarray, nexts: np.ndarray, aside: np.ndarray,
        changed: np.ndarray, values: Sequence[np.ndarray],
    ) -> list[Tensor]:  # fmt: skip
        """Write `values` to rows `changed`; return the fields at `rows`, and field 0 at `nexts`.

        Numbers in `nexts` past the last row mean rows of `aside`, which holds values of field 0.
        """
        return [Tensor._wrap(a) for a in self._records.draw(rows, nexts, aside, changed, values)]
