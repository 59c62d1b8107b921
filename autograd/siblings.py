"""New tensors in the dtype and place of another: the methods `new_zeros` and the like."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.backend import backend_of
from autograd.data import array_of_data, scalar_of
from autograd.dtypes import device_argument, dtype_argument
from autograd.functional.checks import shape_of


def _sibling(
    self: Any, name: str, array: np.ndarray, dtype: Any, device: Any, requires_grad: bool
) -> Any:
    wanted = self._array.dtype if dtype is None else dtype_argument(name, dtype)
    place = self.device if device is None else device_argument(device)
    array = array.astype(wanted, copy=False)
    result = self._wrap(backend_of(array).place(array, place))
    return result.requires_grad_() if requires_grad else result


def new_tensor(
    self: Any, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """A tensor with a copy of `data`."""
    array = getattr(data, "_array", None)
    array = array_of_data(data, None) if array is None else array.copy()
    return _sibling(self, "new_tensor", array, dtype, device, requires_grad)


def new_full(
    self: Any,
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """A tensor that holds one number everywhere."""
    wanted = self._array.dtype if dtype is None else dtype_argument("new_full", dtype)
    array = np.full(shape_of("new_full", (size,)), scalar_of(fill_value, wanted))
    return _sibling(self, "new_full", array, dtype, device, requires_grad)


def new_empty(
    self: Any, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """A tensor whose elements hold whatever the memory held."""
    array = np.empty(shape_of("new_empty", size), self._array.dtype)
    return _sibling(self, "new_empty", array, dtype, device, requires_grad)


def new_zeros(
    self: Any, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """A tensor of zeros."""
    array = np.zeros(shape_of("new_zeros", size), self._array.dtype)
    return _sibling(self, "new_zeros", array, dtype, device, requires_grad)


def new_ones(
    self: Any, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """A tensor of ones."""
    array = np.ones(shape_of("new_ones", size), self._array.dtype)
    return _sibling(self, "new_ones", array, dtype, device, requires_grad)
