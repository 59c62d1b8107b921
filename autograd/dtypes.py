"""dtypes, `Size` and `device`, under torch's names and with torch's repr."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_PYTHON_INT = int  # `int` will be the name of a dtype


class dtype:
    """The type of a tensor's elements."""

    def __init__(self, name: str, numpy: type) -> None:
        """`numpy`: the NumPy scalar type of the same layout."""
        self.name = name
        self.numpy = np.dtype(numpy)
        self.itemsize = self.numpy.itemsize
        self.is_floating_point = self.numpy.kind == "f"
        self.is_complex = False
        self.is_signed = self.numpy.kind in "if"

    def __repr__(self) -> str:
        """torch's: `torch.float32`."""
        return f"torch.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled by name, so that identity survives."""
        return dtype_named, (self.name,)


float16 = half = dtype("float16", np.float16)
float32 = float = dtype("float32", np.float32)
float64 = double = dtype("float64", np.float64)
int8 = dtype("int8", np.int8)
int16 = short = dtype("int16", np.int16)
int32 = int = dtype("int32", np.int32)
int64 = long = dtype("int64", np.int64)
uint8 = dtype("uint8", np.uint8)
bool = dtype("bool", np.bool_)

ALL = (float16, float32, float64, int8, int16, int32, int64, uint8, bool)
DTypeLike = dtype | type  # what `dtype=` takes: a dtype, or Python's float, int or bool
_BY_NUMPY = {d.numpy: d for d in ALL}
_BY_PYTHON = {"float": float64, "int": int64, "bool": bool}  # as `dtype=` arguments


def dtype_named(name: str) -> dtype:
    """The dtype called `name`, such as "float32"."""
    return next(d for d in ALL if d.name == name)


def dtype_of(numpy_dtype: np.dtype) -> dtype:
    """The dtype of a NumPy array's elements."""
    try:
        return _BY_NUMPY[numpy_dtype]
    except KeyError:
        raise TypeError(
            f"can't convert np.ndarray of type {numpy_dtype}. The only supported types are: "
            "float64, float32, float16, int64, int32, int16, int8, uint8, and bool."
        ) from None


def numpy_dtype(value: Any) -> np.dtype:
    """The NumPy dtype of one of our dtypes, of a Python type, or of a NumPy dtype."""
    if isinstance(value, dtype):
        return value.numpy
    if isinstance(value, type) and value.__name__ in _BY_PYTHON:
        return _BY_PYTHON[value.__name__].numpy
    if isinstance(value, np.dtype):
        return dtype_of(value).numpy
    raise TypeError(f"expected a torch dtype such as torch.float32, not {value!r}")


def dtype_argument(function: str, value: Any) -> np.dtype:
    """The NumPy dtype of a `dtype=` argument; TypeError for anything else."""
    if isinstance(value, dtype):
        return value.numpy
    if isinstance(value, type) and value.__name__ in _BY_PYTHON:
        return _BY_PYTHON[value.__name__].numpy
    shown = getattr(type(value), "__name__", value)
    raise TypeError(f"{function}(): argument 'dtype' must be torch.dtype, not {shown}")


def type_name(array: Any) -> str:
    """The name of an array's dtype in torch's messages, such as Float or Long."""
    return _TYPE_NAMES[array.dtype.name]


_TYPE_NAMES = {
    "float16": "Half", "float32": "Float", "float64": "Double", "int8": "Char", "int16": "Short",
    "int32": "Int", "int64": "Long", "uint8": "Byte", "bool": "Bool",
}  # fmt: skip


class Size(tuple):
    """The shape of a tensor."""

    def __new__(cls, iterable: Any = ()) -> Size:
        """Raise TypeError unless all are whole numbers."""
        values = tuple(iterable)
        for i, value in enumerate(values):
            if not hasattr(value, "__index__"):
                raise TypeError(
                    "torch.Size() takes an iterable of 'int' "
                    f"(item {i} is '{value.__class__.__name__}')"
                )
        return super().__new__(cls, (value.__index__() for value in values))

    def __repr__(self) -> str:
        """torch's: `torch.Size([2, 3])`."""
        return f"torch.Size({list(self)})"

    def numel(self) -> Any:
        """How many elements a tensor of this shape has."""
        return math.prod(self)

    def __getitem__(self, index: Any) -> Any:
        """A dimension, or the `Size` of a slice."""
        result = super().__getitem__(index)
        return Size(result) if isinstance(index, slice) else result

    def __add__(self, other: Any) -> Any:
        """The two shapes one after the other."""
        return Size(super().__add__(tuple(other)))

    def __radd__(self, other: Any) -> Any:
        """A tuple, then this shape."""
        return Size(other + tuple(self))

    def __mul__(self, count: Any) -> Any:
        """The dimensions `count` times."""
        return Size(super().__mul__(count))

    __rmul__ = __mul__

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as a tuple."""
        return Size, (tuple(self),)


def size_of(array: Any) -> Size:
    """The shape of an array, without the checks of `Size`."""
    return tuple.__new__(Size, array.shape)


class device:
    """Where a tensor's elements are: `device("cpu")`, `device("cuda")`, `device("cuda", 1)`."""

    def __init__(self, type: Any, index: Any = None) -> None:
        """Raise RuntimeError for a device string that torch would refuse."""
        if isinstance(type, device):
            type, index = type.type, type.index if index is None else index
        if isinstance(type, _PYTHON_INT):
            type, index = "cuda", type
        if not isinstance(type, str):
            raise TypeError(f"device(): expected a string such as 'cpu' or 'cuda:0', not {type!r}")
        kind, colon, number = type.partition(":")
        if not type:
            raise RuntimeError("Device string must not be empty")
        if colon and not number.isdigit():
            raise RuntimeError(f"Invalid device string: '{type}'")
        if kind not in ("cpu", "cuda"):
            raise RuntimeError(
                f"Expected one of cpu, cuda device type at start of device string: {type}"
            )
        if number and index is not None:
            raise RuntimeError(
                "type (string) must not include an index because index was passed explicitly: "
                f"{type}"
            )
        self.type: str = kind
        self.index = np.dtype(np.int64).type(number).item() if number else index

    def __repr__(self) -> str:
        """torch's: `device(type='cuda', index=0)`."""
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{index})"

    def __str__(self) -> str:
        """`cpu`, `cuda` or `cuda:1`."""
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> Any:
        """Same type and same index."""
        return isinstance(other, device) and str(self) == str(other)

    def __hash__(self) -> Any:
        """Hash by type and index."""
        return hash(str(self))


CPU = device("cpu")
DeviceLike = device | str | _PYTHON_INT  # what `device=` takes: an int is the number of a GPU


def device_argument(value: Any) -> device:
    """The device of a `device=` argument: a device, a string or the number of a GPU."""
    if isinstance(value, device):
        return value
    if isinstance(value, str):
        return device(value)
    if isinstance(value, _PYTHON_INT):
        return device(value)
    raise TypeError(
        f"argument 'device' must be torch.device, str or int, not {type(value).__name__}"
    )


class finfo:
    """The limits of a floating point dtype."""

    def __init__(self, type: Any = float32) -> None:
        """Raise TypeError unless it is a floating point dtype."""
        if not isinstance(type, dtype):
            raise TypeError(
                f"finfo(): argument 'type' (position 1) must be torch.dtype, not {_kind(type)}"
            )
        if not type.is_floating_point:
            raise TypeError(
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle "
                "'torch.finfo'"
            )
        limits = np.finfo(type.numpy)
        self.dtype = type.name
        self.bits = limits.bits
        self.eps, self.max, self.min = (v.item() for v in (limits.eps, limits.max, limits.min))
        self.tiny = self.smallest_normal = limits.smallest_normal.item()
        self.resolution = np.float64(str(limits.resolution)).item()

    def __repr__(self) -> str:
        """All limits, in six digits."""
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, "
            f"eps={self.eps:g}, smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, "
            f"dtype={self.dtype})"
        )


class iinfo:
    """The limits of an integer dtype."""

    def __init__(self, type: Any) -> None:
        """Raise TypeError unless it is an integer dtype."""
        if not isinstance(type, dtype):
            raise TypeError(
                f"iinfo(): argument 'type' (position 1) must be torch.dtype, not {_kind(type)}"
            )
        if type.numpy.kind not in "iu":
            raise TypeError(
                "torch.iinfo() requires an integer input type. Use torch.finfo to handle "
                "'torch.iinfo'"
            )
        limits: Any = np.iinfo(type.numpy)
        self.dtype = type.name
        self.bits, self.max, self.min = limits.bits, limits.max, limits.min

    def __repr__(self) -> str:
        """Both limits, in six digits."""
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"


def _kind(value: Any) -> str:
    return value.__class__.__name__
