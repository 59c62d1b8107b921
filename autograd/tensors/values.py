"""A tensor's values in Python and NumPy; `host` is the only way to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.backend import backend_of
from autograd.engine.grad_mode import refuse_capture, state
from autograd.engine.python_values import check_numpy
from autograd.functional import comparison

if TYPE_CHECKING:
    from autograd.types import Operand, Tensor


def host(self: Tensor) -> np.ndarray:
    """The elements in host memory. Everything that reads a value calls this."""
    refuse_capture("a value is read")
    return backend_of(self._array).to_numpy(self._array)


def item(self: Tensor) -> Any:
    """The only element as a Python number."""
    if self._array.size != 1:
        raise RuntimeError(
            f"a Tensor with {self._array.size} elements cannot be converted to Scalar"
        )
    return self._host().item()


def tolist(self: Tensor) -> Any:
    """The elements as nested lists of Python numbers; of a 0-d tensor the number."""
    return self._host().tolist()


def numpy(self: Tensor, *, force: bool = False) -> np.ndarray:
    """The elements as a NumPy array that shares their memory; `force` detaches and copies."""
    if not force:
        if self.requires_grad and state.grad_enabled:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. "
                "Use tensor.detach().numpy() instead."
            )
        if self.device.type != "cpu":
            raise TypeError(
                f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() to "
                "copy the tensor to host memory first."
            )
    return self._host()


def as_array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    """The result of `np.asarray(tensor)`."""
    return np.array(numpy(self), dtype=dtype, copy=copy)


def wrap_array(
    self: Tensor, array: np.ndarray, context: Any = None, return_scalar: bool = False
) -> Tensor:
    """The result of a function of NumPy's, such as `np.exp(tensor)`, outside the graph."""
    # Truth comes as uint8, torch's dtype for masks when it began to answer NumPy.
    array = array.astype("u1") if array.dtype.kind == "b" else array
    check_numpy(array)
    return self._wrap(array)


def _single(self: Tensor) -> Any:
    if self._array.size != 1:
        raise ValueError("only one element tensors can be converted to Python scalars")
    return self._host().item()


def as_float(self: Tensor) -> float:
    """`float(tensor)` of a single element."""
    return float(_single(self))


def as_int(self: Tensor) -> int:
    """`int(tensor)` of a single element."""
    return int(_single(self))


def as_complex(self: Tensor) -> complex:
    """`complex(tensor)` of a single element."""
    return complex(_single(self))


def as_bool(self: Tensor) -> bool:
    """`bool(tensor)` of a single element."""
    if self._array.size != 1:
        which = "no values" if self._array.size == 0 else "more than one value"
        raise RuntimeError(f"Boolean value of Tensor with {which} is ambiguous")
    return bool(self._host().item())


def as_index(self: Tensor) -> int:
    """The index that an integer tensor of a single element stands for."""
    if self._array.size != 1 or self._array.dtype.kind == "f":
        raise TypeError("only integer tensors of a single element can be converted to an index")
    return int(self._host().item())


def contains(self: Tensor, element: Operand) -> bool:
    """Whether any element equals `element`."""
    if not (hasattr(element, "_array") or isinstance(element, bool | int | float)):
        raise RuntimeError(
            "Tensor.__contains__ only supports Tensor or scalar, but you passed in a "
            f"{type(element)}."
        )
    return as_bool(comparison.eq(self, element).any())


def formatted(self: Tensor, specification: str) -> str:
    """`f"{tensor:.3f}"`; a 0-d tensor is formatted as its number."""
    if self._array.ndim == 0:
        return format(item(self), specification)
    return object.__format__(self, specification)
