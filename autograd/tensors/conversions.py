"""A tensor in another dtype or on another device; what it says of its memory."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import dtypes
from autograd.backend import backend_of, loaded, resolved
from autograd.dtypes import DeviceLike, DTypeLike, Size, device_argument, dtype_argument
from autograd.engine.apply import apply, moved
from autograd.engine.python_values import array_of_data
from autograd.functional import joining
from autograd.functional.checks import shape_of, type_name, wrap_dim
from autograd.ops import shape as ops

if TYPE_CHECKING:
    from autograd.types import Tensor


def to(
    self: Tensor,
    *args: Any,
    device: DeviceLike | None = None,
    dtype: DTypeLike | None = None,
    non_blocking: bool = False,
    copy: bool = False,
) -> Tensor:
    """Convert dtype and device: `to(dtype)`, `to(device, dtype)`, `to(other)`.

    If nothing changes, it is the tensor itself, unless `copy`. `non_blocking` has no effect.
    """
    rest = list(args)
    if rest and hasattr(rest[0], "_array"):
        other = rest.pop(0)
        device, dtype = other.device, other.dtype
    elif rest and (rest[0] is None or isinstance(rest[0], dtypes.device | str | int)):
        device = rest.pop(0)
        if rest and not isinstance(rest[0], bool):
            dtype = rest.pop(0)
    elif rest:
        dtype = rest.pop(0)
    if len(rest) > 2:
        raise TypeError("to() received too many positional arguments: expected a device, a dtype, "
                        "non_blocking and copy, or another tensor")  # fmt: skip
    copy = copy or rest[1:] == [True]
    return converted(
        self,
        None if device is None else device_argument(device),
        None if dtype is None else dtype_argument("to", dtype),
        copy=copy,
    )


def converted(
    self: Tensor, device: dtypes.device | None, dtype: np.dtype | None, *, copy: bool = False
) -> Tensor:
    """`self` in another NumPy dtype, on another device; None keeps either."""
    if device is not None and (loaded or device.type == "cuda"):
        device = resolved(device)
        if device != self.device:
            self = moved(self, device)
            copy = False
    if dtype is None or dtype == self._array.dtype:
        return apply(ops.clone, self, order="K") if copy else self
    return apply(ops.to_dtype, self, dtype=dtype)


def converter(dtype: dtypes.dtype) -> Callable[[Any], Tensor]:
    """Make the method that converts to `dtype`, such as `float()`."""

    def convert(self: Tensor) -> Tensor:
        array = self._array
        return self if array.dtype == dtype.numpy else apply(ops.to_dtype, self, dtype=dtype.numpy)

    convert.__name__ = dtype.name
    convert.__doc__ = f"The elements as {dtype.name}; the tensor itself if they are."
    return convert


def cpu(self: Tensor) -> Tensor:
    """The tensor in host memory."""
    return converted(self, dtypes.CPU, None)


def cuda(self: Tensor, device: DeviceLike | None = None) -> Tensor:
    """The tensor on a GPU."""
    return converted(self, device_argument("cuda" if device is None else device), None)


def type_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor in the dtype of `other`."""
    return converted(self, other.device, other._array.dtype)


def type_(self: Tensor, dtype: Any = None) -> Any:
    """The name of the tensor's type, such as torch.FloatTensor; with `dtype`, the tensor in it."""
    if dtype is None:
        return f"torch.{type_name(self._array)}Tensor"
    if isinstance(dtype, str):
        by_name = {f"torch.{type_name(np.empty(0, d.numpy))}Tensor": d for d in dtypes.ALL}
        if dtype not in by_name:
            raise ValueError(f"invalid type: '{dtype}'")
        dtype = by_name[dtype]
    return converted(self, None, dtype_argument("type", dtype))


def length(self: Tensor) -> int:
    """`len(tensor)`: the size of the first dimension."""
    if self._array.ndim == 0:
        raise TypeError("len() of a 0-d tensor")
    return self._array.shape[0]


def iterate(self: Tensor) -> Iterator[Any]:
    """The parts along the first dimension."""
    if self._array.ndim == 0:
        raise TypeError("iteration over a 0-d tensor")
    return iter(joining.unbind(self))


def size(self: Tensor, dim: int | None = None) -> Any:
    """The shape, or the size of one dimension."""
    shape = self._array.shape
    if dim is None:
        return dtypes.size_of(self._array)
    return shape[wrap_dim(operator.index(dim), len(shape))]


def dim(self: Tensor) -> int:
    """The number of dimensions."""
    return self._array.ndim


def numel(self: Tensor) -> int:
    """The number of elements."""
    return self._array.size


def element_size(self: Tensor) -> int:
    """The bytes of one element."""
    return self._array.itemsize


def stride(self: Tensor, dim: int | None = None) -> Any:
    """The distance of neighbours along each dimension, or along one, in elements."""
    strides = tuple(n // self._array.itemsize for n in self._array.strides)
    return strides if dim is None else strides[wrap_dim(dim, len(strides))]


def nbytes(self: Tensor) -> int:
    """The bytes of all elements."""
    return self._array.nbytes


def is_cuda(self: Tensor) -> bool:
    """Whether the elements are on a GPU."""
    return backend_of(self._array).device_type == "cuda"


def is_cpu(self: Tensor) -> bool:
    """Whether the elements are in host memory."""
    return not is_cuda(self)


def get_device(self: Tensor) -> int:
    """The number of the GPU that holds the elements; -1 on the CPU."""
    index = backend_of(self._array).device_index(self._array)
    return -1 if index is None else index


def data_ptr(self: Tensor) -> int:
    """The address of the first element."""
    return backend_of(self._array).address(self._array)


def is_signed(input: Tensor) -> bool:
    """Whether the elements can be negative."""
    return input._array.dtype.kind in "if"


def is_floating_point(input: Tensor) -> bool:
    """Whether the elements are floating point numbers."""
    return input._array.dtype.kind == "f"


def is_complex(input: Tensor) -> bool:
    """Whether the elements are complex numbers, which autograd does not have."""
    return False


def legacy_array(data: Any, shape: tuple[Any, ...]) -> np.ndarray:
    """The float32 array of `Tensor(2, 3)`, a shape, or of `Tensor([1, 2])`, data."""
    if isinstance(data, bool | float):
        raise TypeError(f"new(): data must be a sequence (got {type(data).__name__})")
    if isinstance(data, int | Size):
        return np.empty(shape_of("new", (data, *shape)), np.float32)
    if hasattr(data, "_array"):
        return data._array
    return array_of_data(data, np.dtype(np.float32))
