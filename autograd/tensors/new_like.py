"""New tensors with the dtype and device of another: `new_zeros` and so on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autograd.backend import Array, home, place
from autograd.dtypes import DeviceLike, DTypeLike, device_argument, dtype_argument
from autograd.engine.python_values import array_of_data, scalar_of
from autograd.functional.checks import shape_of

if TYPE_CHECKING:
    from autograd.types import Operand, Tensor


def _kind(
    self: Tensor, name: str, dtype: DTypeLike | None, device: DeviceLike | None
) -> tuple[Any, Any]:
    """Resolve the dtype and device; None means those of `self`."""
    return (
        self._array.dtype if dtype is None else dtype_argument(name, dtype),
        self.device if device is None else device_argument(device),
    )


def _made(self: Tensor, array: Array, requires_grad: bool) -> Tensor:
    result = self._wrap(array)
    return result.requires_grad_() if requires_grad else result


def new_tensor(
    self: Tensor,
    data: Any,
    *,
    dtype: DTypeLike | None = None,
    device: DeviceLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor with a copy of `data`."""
    array = getattr(data, "_array", None)
    array = array_of_data(data, None) if array is None else array.copy()
    wanted, where = _kind(self, "new_tensor", dtype, device)
    return _made(self, place(array.astype(wanted, copy=False), where), requires_grad)


def new_full(
    self: Tensor,
    size: Sequence[int],
    fill_value: Operand,
    *,
    dtype: DTypeLike | None = None,
    device: DeviceLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor filled with one number."""
    wanted, where = _kind(self, "new_full", dtype, device)
    number = scalar_of(fill_value, wanted)
    array = home(where).full(shape_of("new_full", (size,)), number, wanted)
    return _made(self, array, requires_grad)


def new_empty(
    self: Tensor,
    *size: Sequence[int],
    dtype: DTypeLike | None = None,
    device: DeviceLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """An uninitialised tensor."""
    wanted, where = _kind(self, "new_empty", dtype, device)
    return _made(self, home(where).empty(shape_of("new_empty", size), wanted), requires_grad)


def new_zeros(
    self: Tensor,
    *size: Sequence[int],
    dtype: DTypeLike | None = None,
    device: DeviceLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of zeros."""
    wanted, where = _kind(self, "new_zeros", dtype, device)
    return _made(self, home(where).zeros(shape_of("new_zeros", size), wanted), requires_grad)


def new_ones(
    self: Tensor,
    *size: Sequence[int],
    dtype: DTypeLike | None = None,
    device: DeviceLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of ones."""
    wanted, where = _kind(self, "new_ones", dtype, device)
    return _made(self, home(where).ones(shape_of("new_ones", size), wanted), requires_grad)
