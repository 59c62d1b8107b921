"""CuPy: arrays on a GPU. Only this module imports CuPy, and only when a GPU is asked for.

CuPy's current device follows the arrays: `CupyBackend.at` makes the device of an array current
before anything is done with it. `index` is torch's current device, where new tensors go.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from autograd.backend.kernels.contract import Array, Shape
from autograd.backend.kernels.cupy_kernels import CupyChains

INSTALL = 'pip install -e ".[cuda12]", or ".[cuda13]" for CUDA 13, installs it'


class CupyBackend(CupyChains):
    """CuPy's functions, and the named ones in which NumPy differs."""

    device_type = "cuda"

    def __init__(self, cupy: Any, devices: int) -> None:
        """`devices`: how many GPUs there are."""
        import cupyx

        super().__init__(cupy)
        self.cupyx = cupyx
        self.ndarray = cupy.ndarray
        self.devices = devices
        self.index = 0
        self._reports: dict[int, Any] = {}  # by device: what the kernel report_wrong_index found
        self._unread: set[int] = set()  # devices with a report that nobody has read

    def __getattr__(self, name: str) -> Any:
        """Return CuPy's function of this name, and keep it so that it is looked up only once."""
        value = getattr(self.cupy, name)
        setattr(self, name, value)
        return value

    # -- devices --------------------------------------------------------------------------

    def at(self, array: Array) -> CupyBackend:
        """Return this backend, with the device of the array current."""
        if self.devices > 1:
            array.device.use()
        return self

    def use(self, index: int | None) -> int:
        """Make a GPU current (None: torch's current one), and return its number."""
        index = self.index if index is None else index
        if not 0 <= index < self.devices:
            raise RuntimeError(
                f"CUDA error: invalid device ordinal: there is no cuda:{index}, the last one is "
                f"cuda:{self.devices - 1}"
            )
        if self.devices > 1:
            self.cupy.cuda.Device(index).use()
        return index

    def device_index(self, array: Array) -> int:
        return array.device.id

    def device_name(self, index: int | None) -> str:
        """The name of a GPU."""
        return self.cupy.cuda.runtime.getDeviceProperties(self.use(index))["name"].decode()

    def synchronize(self, index: int | None) -> None:
        """Wait until a GPU has finished; IndexError if an index in its work was out of bounds."""
        index = self.use(index)
        self.cupy.cuda.Device(index).synchronize()
        self._read_report(index)

    # -- to and from the host -------------------------------------------------------------

    def receive(self, array: Array, index: int | None) -> Array:
        """Move an array to a GPU; no copy if it is there already."""
        index = self.use(index)
        if type(array) is self.ndarray and array.device.id != index:
            return array.copy()  # to the device that is current
        return self.cupy.asarray(array)

    def to_numpy(self, array: Array) -> np.ndarray:
        # Raises IndexError if an index was out of bounds in the work before.
        result = self.cupy.asnumpy(array)
        self._read_report(array.device.id)
        return result

    def from_numpy(self, array: np.ndarray) -> Array:
        return self.cupy.asarray(array)

    def array_of(self, value: Array) -> Array:
        return value if type(value) is self.ndarray else self.cupy.asarray(value)

    # -- indices --------------------------------------------------------------------------

    def check_bounds(
        self, index: Array, size: int, dim: int, error: type[Exception], lowest: int
    ) -> None:
        # CuPy would wrap the index around. As in torch, the error comes later: when the host next
        # waits for the device.
        if index.size == 0:
            return
        if size == 0:  # reading from an empty array would break the device for good
            raise error(f"index is out of bounds for dimension {dim} with size 0")
        device = index.device.id
        if device not in self._reports:
            self._reports[device] = self.cupy.zeros(4, np.int64)
        self._unread.add(device)
        self.kernel("report_wrong_index")(index, lowest, size, dim, self._reports[device])

    def _read_report(self, device: int) -> None:
        if device not in self._unread:
            return
        self._unread.discard(device)
        wrong, index, dim, size = self._reports[device].tolist()
        if wrong:
            self._reports[device].fill(0)
            raise IndexError(f"index {index} is out of bounds for dimension {dim} with size {size}")

    def scatter_add(self, array: Array, index: Array, values: Array) -> None:
        if array.dtype == np.int64:  # CUDA sums only uint64 atomically; modulo 2^64 it is the same
            array, values = array.view(np.uint64), self.asarray(values, np.int64).view(np.uint64)
        self.cupyx.scatter_add(array, index, values)

    def scatter_multiply(self, array: Array, index: Array, values: Array) -> None:
        # On the host, because CUDA has no atomic product and CuPy no `multiply.at`.
        result = self.to_numpy(array)
        places = tuple(self.to_numpy(part) if hasattr(part, "dtype") else part for part in index)
        np.multiply.at(result, places, self.to_numpy(self.array_of(values)))
        array[...] = self.from_numpy(result)

    def put_along_axis(self, array: Array, index: Array, values: Array, axis: int) -> None:
        places = [
            self.cupy.arange(n).reshape((n,) + (1,) * (array.ndim - i - 1))
            for i, n in enumerate(index.shape)
        ]
        places[axis] = index
        array[tuple(places)] = values

    # -- memory ---------------------------------------------------------------------------

    def address(self, array: Array) -> int:
        return array.data.ptr

    def expand(self, array: Array, shape: Shape) -> Array:
        return self.cupy.broadcast_to(array, shape)

    def strided(self, flat: Array, first: int, shape: Shape, strides: Shape) -> Array:
        return self.cupy.lib.stride_tricks.as_strided(flat[first:], shape, strides)

    def reused_empty(self, shape: Shape, dtype: np.dtype) -> Array:
        # CuPy's pool reuses memory by itself.
        return self.cupy.empty(shape, dtype)

    def empty_cache(self) -> None:
        self.cupy.get_default_memory_pool().free_all_blocks()
        self.cupy.get_default_pinned_memory_pool().free_all_blocks()

    def memory_allocated(self, index: int | None) -> int:
        """Bytes of a GPU's memory that arrays hold."""
        self.use(index)
        return self.cupy.get_default_memory_pool().used_bytes()

    def memory_info(self, index: int | None) -> tuple[int, int]:
        """Free and total bytes of a GPU's memory."""
        free, total = self.cupy.cuda.Device(self.use(index)).mem_info
        return free, total

    def memory_reserved(self, index: int | None) -> int:
        """Bytes of a GPU's memory that this process has taken."""
        self.use(index)
        return self.cupy.get_default_memory_pool().total_bytes()

    # -- arithmetic -----------------------------------------------------------------------

    def raise_to(self, base: Array, exponent: Any) -> Array:
        # Integers to negative powers raise ValueError, as in NumPy.
        if isinstance(exponent, int) and exponent < 0 and base.dtype.kind in "iu":
            raise ValueError("Integers to negative integer powers are not allowed.")
        dtype = getattr(exponent, "dtype", None)
        if dtype is not None and dtype.kind == "i" and getattr(base, "dtype", dtype).kind in "iu":
            # Looking for a negative exponent would make the host wait.
            raise ValueError("Integers to negative integer powers may be among these.")
        return base**exponent

    def sum(
        self, array: Array, axis: Any = None, keepdims: Any = False, dtype: Any = None
    ) -> Array:
        # CuPy adds in a tree.
        return self.cupy.add.reduce(array, axis=axis, keepdims=keepdims, dtype=dtype)

    def erf(self, array: Array) -> Array:
        # CuPy returns float64 for float16.
        return self._special.erf(array).astype(array.dtype, copy=False)

    @functools.cached_property
    def _special(self) -> Any:
        import cupyx.scipy.special

        return cupyx.scipy.special


def load() -> CupyBackend:
    """Import CuPy and find the GPUs; without them AssertionError or RuntimeError, as in torch."""
    try:
        import cupy
    except ModuleNotFoundError:
        raise AssertionError(
            f"Torch not compiled with CUDA enabled: CuPy is not installed; {INSTALL}"
        ) from None
    except ImportError as error:
        raise AssertionError(
            f"Torch not compiled with CUDA enabled: CuPy can't be imported ({error}); {INSTALL}"
        ) from None
    try:
        devices = cupy.cuda.runtime.getDeviceCount()
    except RuntimeError as error:
        raise RuntimeError(
            f"No CUDA GPUs are available: CuPy is installed, but the driver answers {error}"
        ) from None
    if not devices:
        raise RuntimeError("No CUDA GPUs are available: CuPy is installed, but finds none")
    return CupyBackend(cupy, devices)
