"""For learning on a GPU, beyond what torch offers: uploads, and tables of records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.backend import cuda, resolved
from autograd.backend.gpu import records, staging
from autograd.dtypes import DeviceLike, device_argument
from autograd.tensors.tensor import Tensor


class Upload(staging.Staging):
    """Brings NumPy arrays to a GPU in one copy beside its work, through pinned memory.

    torch has pinned tensors and streams for it. `upload = Upload("cuda")`, then
    `upload([a, b])` returns tensors; neither the call nor the GPU's earlier work waits for them.
    """

    def __init__(self, device: DeviceLike = "cuda") -> None:
        """`device`: the GPU."""
        super().__init__(cuda(), _index(device))

    def __call__(self, arrays: Sequence[np.ndarray]) -> list[Tensor]:
        """Return the arrays as tensors on the GPU."""
        return [Tensor._wrap(array) for array in super().__call__(arrays)]


class Records(records.Records):
    """A table of records with four fields on a GPU; the host fills it and draws batches from it.

    A draw is one copy to the GPU, of row numbers and of what has changed, and two kernels.
    """

    def __init__(self, rows: int, fields: Sequence[Any], device: DeviceLike = "cuda") -> None:
        """`fields`: shape and NumPy dtype of each; MemoryError if they do not fit."""
        super().__init__(cuda(), _index(device), rows, fields)

    def draw(self, *args: Any, **kwargs: Any) -> list[Tensor]:
        """Draw as `backend.gpu.records.Records` does, but return tensors."""
        return [Tensor._wrap(array) for array in super().draw(*args, **kwargs)]


def _index(device: DeviceLike) -> int:
    return resolved(device_argument(device)).index
