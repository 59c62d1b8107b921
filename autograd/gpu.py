"""What learning on a GPU needs and torch has under no name: uploads, and tables of records."""

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
        """The arrays as tensors on the GPU."""
        return [Tensor._wrap(array) for array in self._staging(arrays)]


class Records:
    """A table of records of four fields on a GPU, which the host fills and draws batches from.

    A draw is one copy to the GPU, of row numbers and of what has changed, and two kernels.
    """

    def __init__(self, rows: int, fields: Sequence[Any], device: DeviceLike = "cuda") -> None:
        """`fields`: shape and NumPy dtype of each; MemoryError where the GPU has not the memory."""
        self._records = cuda().records(rows, fields, resolved(device_argument(device)).index)

    @property
    def nbytes(self) -> int:
        """Bytes of the GPU's memory."""
        return self._records.nbytes

    def write(self, rows: np.ndarray, values: Sequence[np.ndarray]) -> None:
        """Put records into rows, each of which is named once; `values`: arrays of the fields."""
        self._records.write(rows, values)

    def draw(
        self, rows: np.ndarray, nexts: np.ndarray, aside: np.ndarray,
        changed: np.ndarray, values: Sequence[np.ndarray],
    ) -> list[Tensor]:  # fmt: skip
        """The fields at `rows`, then field 0 at `nexts`, after `values` were put into `changed`.

        Numbers in `nexts` from the number of rows on mean rows of `aside`, values of field 0.
        """
        return [Tensor._wrap(a) for a in self._records.draw(rows, nexts, aside, changed, values)]
