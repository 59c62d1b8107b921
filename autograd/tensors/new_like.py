"""New tensors in the dtype and place of another: the methods `new_zeros` and the like."""

from __future__ import annotations

from typing import Any

from autograd.backend import home, place
from autograd.dtypes import device_argument, dtype_argument
from autograd.engine.python_values import array_of_data, scalar_of
from autograd.functional.checks import shape_of


def _kind(self: Any, name: str, dtype: Any, device: Any) -> tuple[Any, Any]:
    """The dtype and the device that are asked for, those of `self` for None."""
    return (
        self._array.dtype if dtype is None else dtype_argument(name, dtype),
        self.device if device is None else device_argument(device),
    )


def _made(self: Any, array: Any, requires_grad: bool) -> Any:
    result = self._wrap(array)
    return result.requires_grad_() if requires_grad else result


def new_tensor(
    self: Any, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """A tensor with a copy of `data`."""
    array = getattr(data, "_array", None)
    array = array_of_data(data, None) if array is None else array.copy()
    wanted, where = _kind(self, "new_tensor", dtype, device)
    return _made(self, place(array.astype(wanted, copy=False), where), requires_grad)


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
    wanted, where = _kind(self, "new_full", dtype, device)
    number = scalar_of(fill_value, wanted)
    array = home(where).full(shape_of("new_full", (size,)), number, wanted)
    return _made(self, array, requires_grad)


def new_empty(
    self: Any, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """A tensor whose elements hold whatever the memory held."""
    wanted, where = _kind(self, "new_empty", dtype, device)
    return _made(self, home(where).empty(shape_of("new_empty", size), wanted), requires_grad)


def new_zeros(
    self: Any, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """A tensor of zeros."""
    wanted, where = _kind(self, "new_zeros", dtype, device)
    return _made(self, home(where).zeros(shape_of("new_zeros", size), wanted), requires_grad)


def new_ones(
    self: Any, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """A tensor of ones."""
    wanted, where = _kind(self, "new_ones", dtype, device)
    return _made(self, home(where).ones(shape_of("new_ones", size), wanted), requires_grad)
