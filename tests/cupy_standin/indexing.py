"""Reading and writing by index: arrays of indices wrap around, and a repeated one has no order."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from tests.cupy_standin.counts import recorder
from tests.cupy_standin.creation import array
from tests.cupy_standin.ndarray import check_device, ndarray, new, view_of

ADDED = "iIefdLQ"  # what atomicAdd can add


def prepared(index: Any) -> tuple[Any, ...]:
    """The parts of an index, where lists and NumPy's arrays have been copied to the device."""
    parts = index if isinstance(index, tuple) else (index,)
    found = []
    for part in parts:
        if part is None or part is Ellipsis or isinstance(part, slice | ndarray):
            found.append(part)
        elif isinstance(part, bool | np.bool_):
            raise IndexError("the stand-in takes no single truth as an index")
        elif np.isscalar(part):
            found.append(int(part))  # type: ignore[arg-type]
        else:
            moved = array(part)
            found.append(moved.astype(np.int32) if moved.size == 0 else moved)
    return tuple(found)


def is_basic(parts: tuple[Any, ...]) -> bool:
    """Whether the index names a view."""
    return not any(isinstance(part, ndarray) for part in parts)


def wrapped(a: ndarray, parts: tuple[Any, ...]) -> tuple[Any, ...]:
    """NumPy's index for the same elements: whole numbers beyond the ends come round again."""
    used = sum(_dimensions(part) for part in parts)
    if used > a.ndim:
        raise IndexError(
            f"too many indices for array: array is {a.ndim}-dimensional, but {used} were indexed"
        )
    found, axis = [], 0
    for part in parts:
        if isinstance(part, ndarray):
            check_device(part)
            found.append(_wrapped_one(a, part, axis))
        else:
            found.append(part)
        axis += a.ndim - used if part is Ellipsis else _dimensions(part)
    return tuple(found)


def _dimensions(part: Any) -> int:
    if part is None or part is Ellipsis:
        return 0
    return part.ndim if isinstance(part, ndarray) and part.dtype.kind == "b" else 1


def _wrapped_one(a: ndarray, part: ndarray, axis: int) -> np.ndarray:
    kind, size = part.dtype.kind, a.shape[axis] if axis < a.ndim else 0
    if kind == "b":
        recorder.kernel("cupy_scan", 2)
        recorder.synchronization("a mask as an index")
        return part._host
    if kind not in "iu":
        raise IndexError(
            "arrays used as indices must be of integer or boolean type. "
            f"(actual: {part.dtype.type})"
        )
    if size == 0:
        if part.size:
            raise IndexError("an index into a dimension of size 0 destroys the CUDA context")
        return part._host
    return part._host % size


def _launches(parts: tuple[Any, ...]) -> int:
    arrays = sum(isinstance(part, ndarray) for part in parts)
    return 1 if arrays == 1 else arrays + 2


def getitem(a: ndarray, index: Any) -> ndarray:
    """A view for numbers and slices, a new array for arrays of indices."""
    parts = prepared(index)
    if is_basic(parts):
        return view_of(a, a._host[(*parts, ...)] if Ellipsis not in parts else a._host[parts])
    check_device(a)
    recorder.kernel("cupy_take", _launches(parts))
    return new(np.array(a._host[wrapped(a, parts)], order="C"))


def setitem(a: ndarray, index: Any, value: Any) -> None:
    """Write elements; of several values for one element a random one stays."""
    parts = prepared(index)
    check_device(a, value)
    if is_basic(parts):
        part = view_of(a, a._host[(*parts, ...)] if Ellipsis not in parts else a._host[parts])
        if isinstance(value, ndarray):
            _assign(part, value)
        else:
            part.fill(value)
        return
    if not isinstance(value, ndarray):
        value = array(value, dtype=a.dtype)
    recorder.kernel("cupy_scatter_update", _launches(parts))
    with np.errstate(all="ignore"):
        _put_in_random_order(a._host, wrapped(a, parts), value._host.astype(a.dtype))


def _assign(part: ndarray, value: ndarray) -> None:
    same_layout = part.shape == value.shape and part.strides == value.strides
    if same_layout and part.dtype == value.dtype and part._host.flags.c_contiguous:
        if part.data.ptr == value.data.ptr:
            return
        recorder.add("device_copies")
    else:
        recorder.kernel("cupy_copy")
    with np.errstate(all="ignore"):
        part._host[...] = value._host


def _put_in_random_order(host: np.ndarray, index: tuple[Any, ...], values: np.ndarray) -> None:
    places = np.arange(host.size).reshape(host.shape)[index]
    values = np.broadcast_to(values, places.shape)
    order = list(range(places.size))
    random.SystemRandom().shuffle(order)
    where = np.unravel_index(places.ravel()[order], host.shape)
    host[where] = values.ravel()[order]


def scatter_add(a: ndarray, slices: Any, value: Any) -> None:
    """Add to elements, repeatedly to repeated ones; not for every dtype."""
    parts = prepared(slices)
    check_device(a, value)
    if not is_basic(parts) and a.dtype.char not in ADDED:
        raise TypeError(
            "scatter_add only supports int32, float16, float32, float64, uint32, uint64, "
            "as data type"
        )
    if not isinstance(value, ndarray):
        value = array(value, dtype=a.dtype)
    recorder.kernel("cupy_scatter_add", _launches(parts))
    with np.errstate(all="ignore"):
        np.add.at(a._host, wrapped(a, parts), value._host.astype(a.dtype))


def take(a: ndarray, indices: Any, axis: int | None = None, out: Any = None) -> ndarray:
    """Elements along an axis, by numbers that wrap around."""
    if not isinstance(indices, ndarray) and not np.isscalar(indices):
        indices = array(indices, dtype=int)
    check_device(a, indices, out)
    numbers = indices._host if isinstance(indices, ndarray) else np.asarray(indices)
    size = a.size if axis is None else a.shape[axis]
    if size == 0 and numbers.size:
        raise IndexError("cannot do a non-empty take from an empty axes.")
    recorder.kernel("cupy_take")
    taken = np.take(a._host, numbers % max(size, 1), axis)
    if out is None:
        return new(np.array(taken, order="C"))
    if out.dtype != a.dtype:
        raise TypeError("Output dtype mismatch")
    if out.shape != np.shape(taken):
        raise ValueError("Output shape mismatch")
    out._host[...] = taken
    return out


def take_along_axis(a: ndarray, indices: ndarray, axis: int | None) -> ndarray:
    """Elements along an axis, by their own numbers at every place."""
    _integers(indices)
    if axis is None:
        a, axis = a.ravel(), 0
    if a.ndim != indices.ndim:
        raise ValueError("`indices` and `a` must have the same number of dimensions")
    return getitem(a, _along(a, indices, axis))


def put_along_axis(arr: ndarray, indices: ndarray, values: Any, axis: int) -> None:
    """Write elements along an axis, by their own numbers at every place."""
    _integers(indices)
    setitem(arr, _along(arr, indices, axis), values)


def _integers(indices: Any) -> None:
    if indices.dtype.kind not in "iu":
        raise IndexError("`indices` must be an integer array")


def _along(a: ndarray, indices: ndarray, axis: int) -> tuple[ndarray, ...]:
    axis = range(a.ndim)[axis]
    recorder.kernel("cupy_arange", a.ndim - 1)
    return tuple(
        indices if i == axis else new(np.arange(n).reshape((-1,) + (1,) * (a.ndim - i - 1)))
        for i, n in enumerate(a.shape)
    )


def nonzero(a: ndarray) -> tuple[ndarray, ...]:
    """Where the elements are not 0: the host has to wait for their number."""
    check_device(a)
    recorder.kernel("cupy_nonzero", 3)
    recorder.synchronization("nonzero")
    return tuple(new(part) for part in np.nonzero(a._host))
