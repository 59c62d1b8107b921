"""New arrays, and arrays from the host."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.cupy_standin.counts import recorder
from tests.cupy_standin.ndarray import check_device, checked_dtype, ndarray, new


def array(
    obj: Any,
    dtype: Any = None,
    copy: bool | None = True,
    order: str | None = "K",
    subok: bool = False,
    ndmin: int = 0,
    *,
    blocking: bool = False,
) -> ndarray:
    """An array of what is on the host or, mostly a copy, on a device."""
    if subok:
        raise NotImplementedError
    if isinstance(obj, ndarray):
        dtype = obj.dtype if dtype is None else dtype
        result = obj
        if obj.device.id != _current():
            result = obj.copy()
        result = result.astype(dtype, order=order, copy=bool(copy) and result is obj)
    elif _is_sequence_of_arrays(obj):
        from tests.cupy_standin.manipulation import stack

        result = stack(list(obj)).astype(obj[0].dtype if dtype is None else dtype, copy=False)
    else:
        result = _from_host(np.array(obj, dtype), order, blocking)
    if ndmin > result.ndim:
        result = result.reshape((1,) * (ndmin - result.ndim) + result.shape)
    return result


def _current() -> int:
    from tests.cupy_standin.devices import current_device

    return current_device()


def _is_sequence_of_arrays(obj: Any) -> bool:
    return isinstance(obj, list | tuple) and any(isinstance(part, ndarray) for part in obj)


def _from_host(host: np.ndarray, order: str | None, blocking: bool) -> ndarray:
    checked_dtype(host.dtype)
    if host.ndim == 0:  # travels as an argument of the kernel that fills the array
        result = new(host.copy())
        recorder.kernel("fill")
        return result
    if blocking:
        recorder.synchronization("array")
    recorder.add("to_device")
    column_major = order == "F" or (order in ("K", "A", None) and host.flags.f_contiguous)
    return new(host.copy("F" if column_major else "C"))


def asarray(
    a: Any,
    dtype: Any = None,
    order: str | None = None,
    *,
    copy: bool | None = None,
    blocking: bool = False,
) -> ndarray:
    """The array itself where it is one of the current device, of that dtype."""
    return array(a, dtype, bool(copy), order or "K", blocking=blocking)


def ascontiguousarray(a: ndarray, dtype: Any = None) -> ndarray:
    """The elements in row-major order."""
    _require(a)
    result = a.astype(a.dtype if dtype is None else dtype, order="C", copy=False)
    return result if result.ndim else result.reshape(1)


def asfortranarray(a: ndarray, dtype: Any = None) -> ndarray:
    """The elements in column-major order."""
    _require(a)
    return a.astype(a.dtype if dtype is None else dtype, order="F", copy=False)


def asnumpy(
    a: Any,
    stream: Any = None,
    order: str = "C",
    out: np.ndarray | None = None,
    *,
    blocking: bool = True,
) -> np.ndarray:
    """A copy in host memory."""
    if isinstance(a, ndarray):
        return a.get(stream=stream, order=order, out=out, blocking=blocking)
    return np.asarray(a, order=order)  # type: ignore[call-overload]


def copy(a: ndarray, order: str = "K") -> ndarray:
    """A copy on the current device."""
    _require(a)
    return a.copy(order)


def empty(shape: Any, dtype: Any = float, order: str = "C") -> ndarray:
    """An uninitialised array, float64 unless told otherwise."""
    return _made(_poisoned(np.empty(_shape(shape), checked_dtype(dtype), order=order)))  # type: ignore[call-overload]


def _poisoned(host: np.ndarray) -> np.ndarray:
    # Whoever reads what nobody has written shall not find zeros by luck.
    host.fill(np.nan if host.dtype.kind == "f" else 77 if host.dtype.kind in "iu" else 1)
    return host


def zeros(shape: Any, dtype: Any = float, order: str = "C") -> ndarray:
    """An array of zeros, float64 unless told otherwise."""
    recorder.add("memsets")
    return _made(np.zeros(_shape(shape), checked_dtype(dtype), order=order))  # type: ignore[call-overload]


def ones(shape: Any, dtype: Any = float, order: str = "C") -> ndarray:
    """An array of ones, float64 unless told otherwise."""
    recorder.kernel("fill")
    return _made(np.ones(_shape(shape), checked_dtype(dtype), order=order))  # type: ignore[call-overload]


def full(shape: Any, fill_value: Any, dtype: Any = None, order: str = "C") -> ndarray:
    """An array of one value, whose dtype it has unless told otherwise."""
    if dtype is None:
        dtype = fill_value.dtype if isinstance(fill_value, ndarray) else np.array(fill_value).dtype
    result = _made(np.empty(_shape(shape), checked_dtype(dtype), order=order))  # type: ignore[call-overload]
    if isinstance(fill_value, ndarray):
        check_device(fill_value)
        recorder.kernel("cupy_copy")
        result._host[...] = fill_value._host
    else:
        result.fill(fill_value)
    return result


def empty_like(
    prototype: ndarray, dtype: Any = None, order: str = "K", subok: None = None, shape: Any = None
) -> ndarray:
    """An uninitialised array like another one."""
    return _made(_poisoned(_like(prototype, dtype, order, subok, shape)))


def zeros_like(
    a: ndarray, dtype: Any = None, order: str = "K", subok: None = None, shape: Any = None
) -> ndarray:
    """An array of zeros like another one."""
    recorder.add("memsets")
    host = _like(a, dtype, order, subok, shape)
    host[...] = 0
    return _made(host)


def ones_like(
    a: ndarray, dtype: Any = None, order: str = "K", subok: None = None, shape: Any = None
) -> ndarray:
    """An array of ones like another one."""
    return full_like(a, 1, dtype, order, subok, shape)


def full_like(
    a: ndarray,
    fill_value: Any,
    dtype: Any = None,
    order: str = "K",
    subok: None = None,
    shape: Any = None,
) -> ndarray:
    """An array of one value like another one."""
    result = _made(_like(a, dtype, order, subok, shape))
    result.fill(fill_value)
    return result


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> ndarray:
    """Numbers in even steps, which have to be numbers of the host."""
    _numbers(start, stop, step)
    recorder.kernel("cupy_arange")
    if stop is None:
        start, stop = 0, start
    return _made(np.arange(start, stop, step, dtype=dtype))


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Numbers between two."""
    _numbers(start, stop, num)
    recorder.kernel("cupy_linspace")
    return _made(np.linspace(start, stop, num, endpoint, dtype=dtype))


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = float, order: str = "C") -> ndarray:
    """Ones on a diagonal."""
    recorder.add("memsets")
    recorder.kernel("fill")
    return _made(np.eye(N, M, k, dtype))


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = float) -> ndarray:
    """Ones on and below a diagonal."""
    recorder.kernel("cupy_tri")
    return _made(np.tri(N, M, k, dtype))


def tril(m: ndarray, k: int = 0) -> ndarray:
    """The part on and below a diagonal."""
    _require(m)
    recorder.kernel("cupy_tri", 2)
    return new(np.tril(m._host, k))


def triu(m: ndarray, k: int = 0) -> ndarray:
    """The part on and above a diagonal."""
    _require(m)
    recorder.kernel("cupy_tri", 2)
    return new(np.triu(m._host, k))


def _made(host: np.ndarray) -> ndarray:
    return new(host)


def _shape(shape: Any) -> Any:
    return shape if isinstance(shape, tuple | list) else (int(shape),)


def _numbers(*values: Any) -> None:
    """TypeError for a value that lies on a device."""
    for value in values:
        if isinstance(value, ndarray):
            raise TypeError("the stand-in takes numbers here: one of a device would be fetched")


def _like(a: ndarray, dtype: Any, order: str, subok: None, shape: Any) -> np.ndarray:
    _require(a)
    if subok is not None:
        raise TypeError("subok is not supported yet")
    dtype = a.dtype if dtype is None else checked_dtype(dtype)
    return np.empty_like(a._host, dtype, order=order, shape=shape)  # type: ignore[call-overload]


def _require(*arrays: Any) -> None:
    for a in arrays:
        if not isinstance(a, ndarray):
            raise TypeError(f"Unsupported type {type(a)}")
    check_device(*arrays)
