"""New tensors: from data, of given sizes, or like another tensor."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from autograd.backend import NUMPY, Array, backend_of, home, place
from autograd.dtypes import DeviceLike, DTypeLike, device_argument, dtype_argument
from autograd.engine.grad_mode import state
from autograd.engine.promotion import is_number, number_dtype
from autograd.engine.python_values import array_of_data, check_numpy, scalar_of
from autograd.functional.checks import integer, require_tensor, shape_of
from autograd.functional.keywords import Options, settings_of
from autograd.tensors.tensor import Tensor

if TYPE_CHECKING:
    from autograd.types import Operand

FLOAT32, INT64 = np.dtype(np.float32), np.dtype(np.int64)


def made(
    array: Array, device: DeviceLike | None = None, requires_grad: builtins.bool = False
) -> Tensor:
    """Wrap a new array in a tensor on `device`."""
    if requires_grad and array.dtype.kind != "f":
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
    result = Tensor._wrap(array if device is None else place(array, device_argument(device)))
    if requires_grad:
        result._requires_grad = True
    if state.inference:
        result._inference = True
    return result


def _home(device: DeviceLike | None) -> Any:
    """The backend of a `device=` argument."""
    return NUMPY if device is None else home(device_argument(device))


def tensor(
    data: Any,
    *,
    dtype: DTypeLike | None = None,
    device: DeviceLike | None = None,
    requires_grad: builtins.bool = False,
) -> Tensor:
    """A tensor with a copy of `data`: numbers, nested lists of them, arrays.

    Python floats become float32, whole numbers int64; arrays and tensors keep their dtype.
    """
    wanted = None if dtype is None else dtype_argument("tensor", dtype)
    if isinstance(data, Tensor):
        array = data._array.astype(wanted or data._array.dtype)
        return made(array, data.device if device is None else device, requires_grad)
    array = array_of_data(data, wanted)
    return made(array.copy() if array is data else array, device, requires_grad)


def as_tensor(
    data: Any, *, dtype: DTypeLike | None = None, device: DeviceLike | None = None
) -> Tensor:
    """`data` as a tensor, without a copy if it is a tensor or an array already."""
    wanted = None if dtype is None else dtype_argument("as_tensor", dtype)
    if isinstance(data, Tensor):
        return data.to(dtype=dtype, device=device)
    return made(array_of_data(data, wanted, copy=False), device)


def asarray(
    obj: Any,
    *,
    dtype: DTypeLike | None = None,
    device: DeviceLike | None = None,
    copy: builtins.bool | None = None,
) -> Tensor:
    """`obj` as a tensor; `copy=True` always copies."""
    make = tensor if copy else as_tensor
    return make(obj, dtype=dtype, device=device)


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A tensor that shares the memory of a NumPy array."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    check_numpy(ndarray)
    return made(ndarray)


def empty(*shape: Any, size: Sequence[int] | None = None, **options: Unpack[Options]) -> Tensor:
    """An uninitialised tensor."""
    return _of_shape("empty", shape, size, **options)


def zeros(*shape: Any, size: Sequence[int] | None = None, **options: Unpack[Options]) -> Tensor:
    """A tensor of zeros."""
    return _of_shape("zeros", shape, size, **options)


def ones(*shape: Any, size: Sequence[int] | None = None, **options: Unpack[Options]) -> Tensor:
    """A tensor of ones."""
    return _of_shape("ones", shape, size, **options)


def _of_shape(
    name: str, shape: tuple[Any, ...], size: Sequence[int] | None, **options: Any
) -> Tensor:
    wanted, device, requires_grad = settings_of(name, FLOAT32, **options)
    make = getattr(_home(device), name)
    return made(make(shape_of(name, shape, size), wanted), None, requires_grad)


def full(size: Sequence[int], fill_value: Operand, **options: Unpack[Options]) -> Tensor:
    """A tensor filled with one number."""
    if not isinstance(size, tuple | list):
        raise TypeError(
            f"full(): argument 'size' (position 1) must be tuple of ints, not {type(size).__name__}"
        )
    value = number("full", fill_value, "fill_value", 2)
    wanted, device, requires_grad = settings_of("full", number_dtype(value), **options)
    array = _home(device).full(shape_of("full", (size,)), scalar_of(value, wanted), wanted)
    return made(array, None, requires_grad)


def eye(n: builtins.int, m: builtins.int | None = None, **options: Unpack[Options]) -> Tensor:
    """The identity matrix of `n` rows and `m` columns."""
    n = integer("eye", n, "n")
    m = n if m is None else integer("eye", m, "m", 2)
    for name, value in (("n", n), ("m", m)):
        if value < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {value}")
    wanted, device, requires_grad = settings_of("eye", FLOAT32, **options)
    return made(_home(device).eye(n, m, dtype=wanted), None, requires_grad)


def zeros_like(input: Tensor, **options: Unpack[Options]) -> Tensor:
    """Zeros in the shape, dtype and device of `input`."""
    return _like("zeros_like", input, 0, **options)


def ones_like(input: Tensor, **options: Unpack[Options]) -> Tensor:
    """Ones in the shape, dtype and device of `input`."""
    return _like("ones_like", input, 1, **options)


def empty_like(input: Tensor, **options: Unpack[Options]) -> Tensor:
    """An uninitialised tensor in the shape, dtype and device of `input`."""
    return _like("empty_like", input, None, **options)


def full_like(input: Tensor, fill_value: Operand, **options: Unpack[Options]) -> Tensor:
    """A tensor filled with one number, in the shape, dtype and device of `input`."""
    return _like("full_like", input, number("full_like", fill_value, "fill_value", 2), **options)


def _like(name: str, input: Tensor, value: Any, **options: Any) -> Tensor:
    require_tensor(name, input)
    wanted, device, requires_grad = settings_of(name, input._array.dtype, **options)
    array = backend_of(input._array).empty_like(input._array, dtype=wanted)
    if value is not None:
        array[...] = scalar_of(value, array.dtype)
    return made(array, device, requires_grad)


def number(name: str, value: Any, argument: str, position: builtins.int) -> Any:
    """Return the Python number of a number, or of a tensor with a single element."""
    if isinstance(value, Tensor) and value._array.size == 1:
        return value.item()
    if is_number(value):
        return value.item() if isinstance(value, np.generic) else value
    raise TypeError(
        f"{name}(): argument '{argument}' (position {position}) must be Number, "
        f"not {type(value).__name__}"
    )
