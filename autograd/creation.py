"""Making tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.dtypes import numpy_dtype
from autograd.tensor import Tensor


def tensor(data: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor with a copy of `data`; Python floats become float32."""
    array = np.array(data)
    if dtype is not None:
        array = array.astype(numpy_dtype(dtype))
    elif array.dtype == np.float64 and not isinstance(data, np.ndarray | np.generic):
        array = array.astype(np.float32)
    result = Tensor._wrap(array)
    if requires_grad:
        result.requires_grad = True
    return result


def legacy_array(data: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The elements of `Tensor(2, 3)` or `Tensor([1, 2])`."""
    if isinstance(data, int):
        return np.empty((data, *shape), np.float32)
    return np.array(data, np.float32)
