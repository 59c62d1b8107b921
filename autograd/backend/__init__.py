"""The array library under a tensor: NumPy, or CuPy on a GPU.

Every operation receives its backend as `xp` and uses NumPy's names on it. Whatever differs
between the two libraries is a named function of the backend, so an operation is written once.
"""

from __future__ import annotations

import numpy
from numpy import ndarray

if int(numpy.__version__.split(".")[0]) < 2:  # such as another package's installation left behind
    raise ImportError(
        f"autograd needs NumPy 2.0 or later, and finds {numpy.__version__}: "
        "pip install 'numpy>=2' (in an environment of its own, if another package needs an older)"
    )

from autograd.backend import cupy_backend
from autograd.backend.cupy_backend import CupyBackend
from autograd.backend.kernels.contract import Array as Array
from autograd.backend.kernels.contract import Backend as Backend
from autograd.backend.kernels.contract import DType as DType
from autograd.backend.kernels.contract import Shape as Shape
from autograd.backend.numpy_backend import NUMPY
from autograd.dtypes import CPU, device

# CuPy's backend by the type of its arrays; empty until a GPU is first asked for. Until then, every
# array is NumPy's.
loaded: dict[type, CupyBackend] = {}


def backend_of(array: Array) -> Backend:
    """Return the backend of an array, with the device that holds it current."""
    if type(array) is ndarray or not loaded:
        return NUMPY
    backend = loaded.get(type(array))
    return NUMPY if backend is None else backend.at(array)


def cuda() -> CupyBackend:
    """Return CuPy's backend; AssertionError without CuPy, RuntimeError without a GPU."""
    if not loaded:
        backend = cupy_backend.load()
        loaded[backend.ndarray] = backend
    return next(iter(loaded.values()))


def home(device: device) -> Backend:
    """Return the backend of a device, with that device current."""
    if device.type == "cpu":
        return NUMPY
    backend = cuda()
    backend.use(device.index)
    return backend


def resolved(device: device) -> device:
    """Return the device with its number; `cuda` alone is the current GPU."""
    if device.type == "cpu":
        return CPU
    return device if device.index is not None else type(device)("cuda", cuda().index)


def place(array: Array, device: device) -> Array:
    """Move an array to a device; no copy if it is there already."""
    if device.type == "cuda":
        return cuda().receive(array, device.index)
    return backend_of(array).to_numpy(array)


def same_memory(first: Array, second: Array) -> bool:
    """Whether two arrays share memory: one is a view of the other, or both of a third."""
    if first.base is None:
        return first is second or second.base is first
    if first.base is second or first.base is second.base:
        return True
    return backend_of(first).may_share_memory(first, second)
