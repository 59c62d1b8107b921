"""Shapes: views where CuPy has views, and arrays put together."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.cupy_standin.counts import recorder
from tests.cupy_standin.ndarray import check_device, ndarray, new, view_of


def require(*arrays: Any) -> None:
    """TypeError for what is no array of a device, ValueError for one of another device."""
    for a in arrays:
        if not isinstance(a, ndarray):
            raise TypeError(f"Unsupported type {type(a)}")
    check_device(*arrays)


def reshape(a: ndarray, newshape: Any, order: str = "C", *, copy: bool | None = None) -> ndarray:
    """A view where the layout allows one, otherwise a copy."""
    if not isinstance(a, ndarray):
        raise TypeError(f"Unsupported type {type(a)}")
    result = a._host.reshape(newshape, order=order)  # type: ignore[call-overload]
    if copy or (a.size and not np.shares_memory(result, a._host)):
        check_device(a)
        recorder.kernel("cupy_copy")
        return new(result.copy() if copy else result)
    return view_of(a, result)


def ravel(a: ndarray, order: str = "C") -> ndarray:
    """One dimension, as a view where the layout allows one."""
    return reshape(a, -1, order)


def transpose(a: ndarray, axes: Any = None) -> ndarray:
    """A view with its axes in another order."""
    return view_of(a, a._host.transpose(axes))


def permute_dims(a: ndarray, axes: Any = None) -> ndarray:
    """A view with its axes in another order."""
    return transpose(a, axes)


def swapaxes(a: ndarray, axis1: int, axis2: int) -> ndarray:
    """A view with two axes exchanged."""
    return view_of(a, a._host.swapaxes(axis1, axis2))


def moveaxis(a: ndarray, source: Any, destination: Any) -> ndarray:
    """A view with axes moved."""
    return view_of(a, np.moveaxis(a._host, source, destination))


def squeeze(a: ndarray, axis: Any = None) -> ndarray:
    """A view without axes of size 1."""
    return view_of(a, np.squeeze(a._host, axis))


def expand_dims(a: ndarray, axis: Any) -> ndarray:
    """A view with new axes of size 1."""
    return view_of(a, np.expand_dims(a._host, axis))


def broadcast_to(array: ndarray, shape: Any) -> ndarray:
    """A view of a larger shape; CuPy knows no arrays that can't be written to."""
    if not isinstance(array, ndarray):
        raise TypeError(f"Unsupported type {type(array)}")
    host = np.broadcast_to(array._host, shape)
    strided = np.lib.stride_tricks.as_strided(array._host, host.shape, host.strides)
    return view_of(array, strided)


def as_strided(x: ndarray, shape: Any = None, strides: Any = None) -> ndarray:
    """A view of any shape and strides."""
    host = np.lib.stride_tricks.as_strided(x._host, shape, strides)
    return view_of(x, host)


def diagonal(a: ndarray, offset: int = 0, axis1: int = 0, axis2: int = 1) -> ndarray:
    """A view of the elements with equal indices in two axes."""
    host = a._host.diagonal(offset, axis1, axis2)
    host.flags.writeable = True
    return view_of(a, host)


def flip(a: ndarray, axis: Any = None) -> ndarray:
    """A view from the other end."""
    return view_of(a, np.flip(a._host, axis))


def concatenate(
    tup: Any,
    axis: int | None = 0,
    out: Any = None,
    *,
    dtype: Any = None,
    casting: str = "same_kind",
) -> ndarray:
    """Arrays side by side."""
    arrays = list(tup)
    for a in arrays:
        if not isinstance(a, ndarray):
            raise TypeError("Only cupy arrays can be concatenated")
    check_device(*arrays, out)
    joined = np.concatenate([a._host for a in arrays], axis)
    recorder.kernel("cupy_copy", len(arrays))
    if out is None:
        return new(joined.astype(joined.dtype if dtype is None else dtype, order="C", copy=False))
    if out.shape != joined.shape:
        raise ValueError("Output array is the wrong shape")
    out._host[...] = joined
    return out


def stack(
    tup: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind"
) -> ndarray:
    """Arrays along a new axis."""
    return concatenate([expand_dims(a, axis) for a in tup], axis, out, dtype=dtype)


def split(ary: ndarray, indices_or_sections: Any, axis: int = 0) -> list[ndarray]:
    """Views of parts."""
    return [view_of(ary, part) for part in np.split(ary._host, indices_or_sections, axis)]


def tile(A: ndarray, reps: Any) -> ndarray:
    """The array, repeated along its axes."""
    require(A)
    recorder.kernel("cupy_copy")
    return new(np.tile(A._host, reps))


def repeat(a: ndarray, repeats: Any, axis: int | None = None) -> ndarray:
    """Every element, repeated."""
    require(a)
    recorder.kernel("cupy_copy")
    return new(np.repeat(a._host, repeats, axis))


def roll(a: ndarray, shift: Any, axis: Any = None) -> ndarray:
    """The elements moved along, round the end."""
    require(a)
    recorder.kernel("cupy_copy", 2)
    return new(np.roll(a._host, shift, axis))


def pad(array: ndarray, pad_width: Any, mode: str = "constant", **kwargs: Any) -> ndarray:
    """The array within a frame."""
    require(array)
    recorder.add("memsets")
    recorder.kernel("cupy_copy", 2)
    return new(np.pad(array._host, pad_width, mode, **kwargs))  # type: ignore[call-overload]


def copyto(dst: ndarray, src: Any, casting: str = "same_kind", where: Any = None) -> None:
    """Write into an array, where a condition holds."""
    check_device(dst, src, where)
    if isinstance(src, np.ndarray | list | tuple):
        raise TypeError(f"Unsupported type {type(src)}")
    host = src._host if isinstance(src, ndarray) else src
    recorder.kernel("cupy_copyto")
    if where is None:
        np.copyto(dst._host, host, casting=casting)  # type: ignore[arg-type]
    else:
        np.copyto(dst._host, host, casting=casting, where=where._host)  # type: ignore[arg-type]


def may_share_memory(a: ndarray, b: ndarray, max_work: Any = None) -> bool:
    """Whether two arrays may have elements in common."""
    return bool(np.may_share_memory(a._host, b._host))


def shares_memory(a: ndarray, b: ndarray, max_work: Any = None) -> bool:
    """Whether two arrays have elements in common."""
    return bool(np.shares_memory(a._host, b._host))


def shape(a: ndarray) -> tuple[int, ...]:
    """The sizes of the axes."""
    return a.shape


def ndim(a: ndarray) -> int:
    """How many axes there are."""
    return a.ndim


def size(a: ndarray, axis: int | None = None) -> int:
    """How many elements there are, along an axis."""
    return a.size if axis is None else a.shape[axis]
