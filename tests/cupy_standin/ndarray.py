"""The stand-in's array: what `cupy.ndarray` has, and no more."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.cupy_standin.counts import recorder
from tests.cupy_standin.devices import Device, Stream, current_device, get_current_stream
from tests.cupy_standin.memory import Memory, MemoryPointer
from tests.cupy_standin.pinned import pinned_bytes, transfers

NO_CONVERSION = (
    "Implicit conversion to a NumPy array is not allowed. "
    "Please use `.get()` to construct a NumPy array explicitly."
)
DTYPES = "?bhilqBHILQefdFD"


class Flags:
    """What is known of an array's layout; an array of CuPy's can always be written to."""

    __slots__ = ("_held",)

    def __init__(self, host: np.ndarray, owndata: bool) -> None:
        self._held = host.flags.c_contiguous, host.flags.f_contiguous, owndata

    c_contiguous = property(lambda self: self._held[0])
    f_contiguous = property(lambda self: self._held[1])
    owndata = property(lambda self: self._held[2])


class ndarray:
    """An array on a device. `_host` is the NumPy array that computes for it."""

    __slots__ = ("__weakref__", "_host", "_memory", "base")
    __hash__ = None  # type: ignore[assignment]
    __array_priority__ = 100

    _host: np.ndarray
    _memory: Memory
    base: ndarray | None

    if TYPE_CHECKING:  # the operators and most methods come from `methods`

        def __getattr__(self, name: str) -> Any: ...

        def __getitem__(self, index: Any) -> ndarray: ...

        def __setitem__(self, index: Any, value: Any) -> None: ...

    def __init__(
        self,
        shape: Any,
        dtype: Any = float,
        memptr: Any = None,
        strides: Any = None,
        order: Any = "C",
    ) -> None:
        if memptr is not None or strides is not None:
            raise NotImplementedError("the stand-in makes no array at a pointer")
        host = np.empty(shape, checked_dtype(dtype), order=order)
        self._host, self._memory, self.base = host, Memory(host), None

    # -- attributes

    shape = property(lambda self: self._host.shape)
    strides = property(lambda self: self._host.strides)
    dtype = property(lambda self: self._host.dtype)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    itemsize = property(lambda self: self._host.itemsize)
    nbytes = property(lambda self: self._host.nbytes)
    flags = property(lambda self: Flags(self._host, self.base is None))
    data = property(lambda self: MemoryPointer(self._memory, self._host))
    device = property(lambda self: Device(self._memory.device_id))

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "descr": self.dtype.descr,
            "stream": 1,
            "version": 3,
            "strides": None if self._host.flags.c_contiguous else self.strides,
            "data": (self.data.ptr, False),
        }

    def __len__(self) -> int:
        if not self._host.ndim:
            raise TypeError("len() of unsized object")
        return len(self._host)

    # -- to the host

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError(NO_CONVERSION)

    def get(
        self,
        stream: Stream | None = None,
        order: str = "C",
        out: np.ndarray | None = None,
        blocking: bool = True,
    ) -> np.ndarray:
        """A copy in host memory, which waits for the device unless told otherwise."""
        if out is None:
            out = np.empty(self.shape, self.dtype, order="F" if order == "F" else "C")
        elif not isinstance(out, np.ndarray):
            raise TypeError("Only numpy.ndarray can be obtained from cupy.ndarray")
        elif out.dtype != self.dtype:
            raise TypeError(f"{out.dtype} array cannot be obtained from {self.dtype} array")
        elif out.shape != self.shape:
            raise ValueError(
                f"Shape mismatch. Expected shape: {self.shape}, actual shape: {out.shape}"
            )
        if not self._host.flags.c_contiguous:
            recorder.kernel("cupy_copy")
        recorder.add("to_host")
        pinned = pinned_bytes(out.__array_interface__["data"][0], out.nbytes)
        if blocking or pinned is None:
            recorder.synchronization("get")
            transfers.finish()
        out[...] = self._host
        return out

    def set(self, arr: Any, stream: Stream | None = None) -> None:
        """Take over the elements of a NumPy array of the same shape and dtype."""
        if not isinstance(arr, np.ndarray):
            raise TypeError("Only numpy.ndarray can be set to cupy.ndarray")
        if self.dtype != arr.dtype:
            raise TypeError(f"{arr.dtype} array cannot be set to {self.dtype} array")
        if self.shape != arr.shape:
            raise ValueError(f"Shape mismatch. Old shape: {self.shape}, new shape: {arr.shape}")
        if not (self._host.flags.c_contiguous or self._host.flags.f_contiguous):
            raise RuntimeError("Cannot set to non-contiguous array")
        recorder.add("to_device")
        asynchronous = stream is not None or get_current_stream() != Stream.null
        source = pinned_bytes(arr.__array_interface__["data"][0], arr.nbytes)
        if asynchronous and source is not None and arr.flags.c_contiguous:
            transfers.start(get_current_stream() if stream is None else stream, source)
        else:  # from memory that is not pinned, the copy holds the host up
            recorder.synchronization("set")
        self._host[...] = arr

    def item(self) -> Any:
        """The one element as a number of Python's."""
        return self._one("item")

    def tolist(self) -> Any:
        """All elements as lists of numbers."""
        return self.get().tolist()

    def tobytes(self, order: str = "C") -> bytes:
        """All elements as bytes."""
        return self.get().tobytes()

    def _one(self, cause: str) -> Any:
        recorder.synchronization(cause)
        recorder.add("to_host")
        transfers.finish()
        return self._host.item()

    def __bool__(self) -> bool:
        if self.size == 1:
            return bool(self._one("bool"))
        if self.size == 0:
            return False
        raise ValueError(
            "The truth value of an array with more than one element is ambiguous. "
            "Use a.any() or a.all()"
        )

    def __int__(self) -> int:
        return int(self._number("int"))

    def __float__(self) -> float:
        return float(self._number("float"))

    def __complex__(self) -> complex:
        return complex(self._number("complex"))

    def _number(self, cause: str) -> Any:
        if self.ndim:
            raise TypeError("only 0-dimensional arrays can be converted to Python scalars")
        return self._one(cause)

    def __repr__(self) -> str:
        return repr(self.get())

    def __str__(self) -> str:
        return str(self.get())

    def __format__(self, format_spec: str) -> str:
        return format(self.get()[()], format_spec)

    def __reduce__(self) -> Any:
        from tests.cupy_standin.creation import array

        return array, (self.get(),)

    def __copy__(self) -> ndarray:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> ndarray:
        with self.device:
            return self.copy()

    # -- on the device

    def copy(self, order: str | None = "C") -> ndarray:
        """A copy on the current device."""
        if self._memory.device_id == current_device():
            return self.astype(self.dtype, order=order)
        with self.device:
            contiguous = self.astype(self.dtype, order=order, copy=False)
        recorder.add("device_copies")
        return new(contiguous._host.copy("K"))

    def astype(
        self,
        dtype: Any,
        order: Any = "K",
        casting: Any = None,
        subok: Any = None,
        copy: bool = True,
    ) -> ndarray:
        """The elements in another dtype."""
        if subok is not None:
            raise TypeError("subok is not supported yet")
        dtype = checked_dtype(dtype)
        order = "K" if order is None else order
        flags = self._host.flags
        fits = (
            order == "K"
            or (order == "A" and (flags.c_contiguous or flags.f_contiguous))
            or (order == "C" and flags.c_contiguous)
            or (order == "F" and flags.f_contiguous)
        )
        if dtype == self.dtype and not copy and fits:
            return self
        if casting is not None and not np.can_cast(self.dtype, dtype, casting):
            raise TypeError(f"Cannot cast array data from {self.dtype!r} to {dtype!r}")
        check_device(self)
        recorder.kernel("cupy_copy")
        with np.errstate(all="ignore"):
            return new(self._host.astype(dtype, order=order))

    def view(self, dtype: Any = None, type: Any = None) -> ndarray:
        """The same memory, or the same bytes as another dtype."""
        host = self._host.view() if dtype is None else self._host.view(checked_dtype(dtype))
        return view_of(self, host)

    def fill(self, value: Any) -> None:
        """Set every element."""
        if isinstance(value, np.ndarray):
            if value.shape != ():
                raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
            value = value.item()
        check_device(self)
        if isinstance(value, ndarray):
            check_device(value)
            if value.ndim:
                raise ValueError("the stand-in fills with one element only")
            recorder.kernel("fill")
            value = value._host
        elif not isinstance(value, bool | int | float | complex | np.generic):
            raise TypeError(f"Unsupported type {type(value)}")
        elif value == 0 and self._host.flags.c_contiguous:
            recorder.add("memsets")
        else:
            recorder.kernel("fill")
        with np.errstate(all="ignore"):
            self._host[...] = value

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from tests.cupy_standin import functions

        known = getattr(functions, ufunc.__name__, None)
        if method != "__call__" or known is None:
            return NotImplemented
        if "out" in kwargs:
            (kwargs["out"],) = kwargs["out"]
        return known(*inputs, **kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from tests.cupy_standin import functions

        known = getattr(functions, func.__name__, None)
        if known is None or not all(t in (ndarray, np.ndarray) for t in types):
            return NotImplemented
        return known(*args, **kwargs)


def checked_dtype(dtype: Any) -> np.dtype:
    """A dtype that a device knows; ValueError for any other."""
    found = np.dtype(dtype)
    if found.char not in DTYPES:
        raise ValueError(f"Unsupported dtype {found}")
    return found


def new(host: Any) -> ndarray:
    """An array of its own memory, of what NumPy has answered."""
    result = object.__new__(ndarray)
    result._host = host if type(host) is np.ndarray else np.asarray(host)
    result._memory = Memory(result._host)
    result.base = None
    return result


def view_of(array: ndarray, host: np.ndarray) -> ndarray:
    """Another look at an array's memory."""
    result = object.__new__(ndarray)
    result._host = host
    result._memory = array._memory
    result.base = array if array.base is None else array.base
    return result


def check_device(*arrays: Any) -> None:
    """ValueError if an array does not lie on the current device."""
    current = current_device()
    for array in arrays:
        if type(array) is ndarray and array._memory.device_id != current:
            raise ValueError(
                f"The device where the array resides ({array._memory.device_id}) is different "
                f"from the current device ({current}). Peer access is unavailable between "
                "these devices."
            )


def host_address(array: ndarray) -> ctypes.c_void_p:
    """Where the elements begin, for a compiled kernel."""
    return ctypes.c_void_p(array._host.__array_interface__["data"][0])
