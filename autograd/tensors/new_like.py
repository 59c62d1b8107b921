"""New tensors with the dtype and device of another: `new_zeros` and so on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

from autograd.backend import Array, DType, home, place
from autograd.dtypes import device, device_argument
from autograd.engine.python_values import array_of_data, scalar_of
from autograd.functional.checks import shape_of
from autograd.functional.keywords import Options, settings_of

if TYPE_CHECKING:
    from autograd.types import Operand, Tensor


def _settings(self: Tensor, name: str, options: Options) -> tuple[DType, device, bool]:
    """Return dtype, device and `requires_grad`; dtype and device are those of `self` by default."""
    wanted, place, requires_grad = settings_of(name, self._array.dtype, **options)
    return wanted, self.device if place is None else device_argument(place), requires_grad


def _made(self: Tensor, array: Array, requires_grad: bool) -> Tensor:
    result = self._wrap(array)
    return result.requires_grad_() if requires_grad else result


def new_tensor(self: Tensor, data: Any, **options: Unpack[Options]) -> Tensor:
    """A tensor with a copy of `data`."""
    array = getattr(data, "_array", None)
    array = array_of_data(data, None) if array is None else array.copy()
    wanted, where, requires_grad = _settings(self, "new_tensor", options)
    return _made(self, place(array.astype(wanted, copy=False), where), requires_grad)


def new_full(
    self: Tensor, size: Sequence[int], fill_value: Operand, **options: Unpack[Options]
) -> Tensor:
    """A tensor filled with one number."""
    wanted, where, requires_grad = _settings(self, "new_full", options)
    number = scalar_of(fill_value, wanted)
    array = home(where).full(shape_of("new_full", (size,)), number, wanted)
    return _made(self, array, requires_grad)


def new_empty(self: Tensor, *size: Any, **options: Unpack[Options]) -> Tensor:
    """An uninitialised tensor."""
    return _of_shape(self, "empty", size, options)


def new_zeros(self: Tensor, *size: Any, **options: Unpack[Options]) -> Tensor:
    """A tensor of zeros."""
    return _of_shape(self, "zeros", size, options)


def new_ones(self: Tensor, *size: Any, **options: Unpack[Options]) -> Tensor:
    """A tensor of ones."""
    return _of_shape(self, "ones", size, options)


def _of_shape(self: Tensor, name: str, size: tuple[Any, ...], options: Options) -> Tensor:
    wanted, where, requires_grad = _settings(self, f"new_{name}", options)
    make = getattr(home(where), name)
    return _made(self, make(shape_of(f"new_{name}", size), wanted), requires_grad)
