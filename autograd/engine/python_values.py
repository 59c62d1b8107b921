"""Arrays from Python values: numbers, nested lists, NumPy arrays, tensors."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from functools import reduce
from itertools import chain
from typing import Any

import numpy as np

from autograd.dtypes import dtype_of
from autograd.engine.promotion import promote_types

FLOAT32, INT64, BOOL = np.dtype(np.float32), np.dtype(np.int64), np.dtype(np.bool_)
_OF_PYTHON: dict[type, np.dtype] = {float: FLOAT32, int: INT64, bool: BOOL}


def array_of_data(data: Any, dtype: np.dtype | None, *, copy: bool = True) -> np.ndarray:
    """Return the array of `tensor(data, dtype=dtype)`; without `copy` it may share memory."""
    if isinstance(data, np.ndarray):
        if dtype is None and not copy and data.dtype is FLOAT32 and data.flags.c_contiguous:
            return data
        check_numpy(data)
        return data.astype(dtype or data.dtype, copy=copy)
    if isinstance(data, np.generic):
        dtype_of(data.dtype)
        return np.asarray(data, dtype or data.dtype)
    if not is_sequence(data):
        return _array_of_leaves([data], (), dtype)
    if isinstance(data, str | bytes):
        raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
    leaves, shape = _unpack(data)
    return _array_of_leaves(leaves, shape, dtype)


def check_numpy(array: np.ndarray) -> None:
    """Raise if a NumPy array cannot be the memory of a tensor."""
    if not array.dtype.isnative:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. Conversion "
            "between byte orders is currently not supported. Use array.astype(array.dtype."
            "newbyteorder('='))."
        )
    dtype_of(array.dtype)
    if any(stride < 0 for stride in array.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative "
            "strides are not currently supported. (You can probably work around this by making a "
            "copy of your array  with array.copy().)"
        )


def is_sequence(value: Any) -> bool:
    """Whether a value is a sequence: a list, tuple, range, or an array with dimensions."""
    if isinstance(value, np.ndarray) or hasattr(value, "_array"):
        return bool(value.ndim)
    return isinstance(value, Sequence)


def _unpack(data: Any) -> tuple[list[Any], tuple[int, ...]]:
    """Flatten nested sequences; return their numbers and their shape."""
    level: list[Any] = [data]
    shape: list[int] = []
    if any(isinstance(part, np.ndarray) for part in data):
        warnings.warn(
            "Creating a tensor from a list of numpy.ndarrays is extremely slow. Please consider "
            "converting the list to a single numpy.ndarray with numpy.array() before converting to "
            "a tensor.",
            UserWarning,
            stacklevel=5,
        )
    while level and is_sequence(level[0]) and not isinstance(level[0], str | bytes):
        length = len(level[0])
        for part in level:
            if not is_sequence(part):
                raise TypeError("not a sequence")
            if len(part) != length:
                raise ValueError(
                    f"expected sequence of length {length} at dim {len(shape)} (got {len(part)})"
                )
        shape.append(length)
        level = list(chain.from_iterable(level))
    return level, tuple(shape)


def _array_of_leaves(
    leaves: list[Any], shape: tuple[int, ...], dtype: np.dtype | None
) -> np.ndarray:
    dtypes: Any = {_OF_PYTHON.get(kind) for kind in set(map(type, leaves))}
    if None in dtypes:  # some are not Python's numbers
        dtypes = {_leaf_dtype(leaf) for leaf in leaves}
        leaves = [leaf.item() if hasattr(leaf, "item") else leaf for leaf in leaves]
    inferred = FLOAT32 if not leaves else reduce(promote_types, dtypes)
    try:
        array = np.array(leaves, _wide(inferred)).reshape(shape)
    except OverflowError:
        raise ValueError("Overflow when unpacking long long") from None
    target = dtype or inferred
    if not shape and target.kind in "iu" and inferred.kind != "f":
        scalar_of(leaves[0], target)
    with np.errstate(all="ignore"):
        return array.astype(target, copy=False)


def _wide(dtype: np.dtype) -> np.dtype:
    return np.dtype({"f": np.float64, "i": np.int64, "u": np.int64, "b": np.bool_}[dtype.kind])


def _leaf_dtype(leaf: Any) -> np.dtype:
    for kind in (bool, int, float):
        if isinstance(leaf, kind) and not isinstance(leaf, np.generic):
            return _OF_PYTHON[kind]
    if isinstance(leaf, str | bytes):
        raise TypeError(f"new(): invalid data type '{type(leaf).__name__}'")
    if isinstance(leaf, np.generic | np.ndarray):
        return dtype_of(leaf.dtype).numpy
    if hasattr(leaf, "_array"):
        return leaf._array.dtype
    if is_sequence(leaf):
        raise TypeError(f"'{type(leaf).__name__}' object cannot be interpreted as an integer")
    missing = ": autograd does not offer complex numbers" if isinstance(leaf, complex) else ""
    raise RuntimeError(f"Could not infer dtype of {type(leaf).__name__}{missing}")


def scalar_of(value: Any, dtype: np.dtype) -> Any:
    """Convert a number to `dtype`, truncating fractions; RuntimeError if it does not fit."""
    if dtype.kind in "iu":
        if not math.isfinite(value):
            raise _overflow(dtype)
        limits = np.iinfo(dtype)
        # torch lets a negative number wrap around in an unsigned dtype.
        lowest = -limits.max if limits.min == 0 else limits.min
        if not lowest <= int(value) <= limits.max:
            raise _overflow(dtype)
        return np.array(int(value)).astype(dtype)[()]
    if dtype.kind == "f" and math.isfinite(value) and abs(value) > np.finfo(dtype).max:
        raise _overflow(dtype)
    return dtype.type(value)


def _overflow(dtype: np.dtype) -> RuntimeError:
    return RuntimeError(f"value cannot be converted to type {dtype.name}_t without overflow")
