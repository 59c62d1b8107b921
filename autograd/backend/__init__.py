"""The array library under a tensor: NumPy, made ready for CuPy on a GPU.

Every operation receives its backend as `xp` and uses NumPy's names on it. Whatever differs
between the two libraries is a named function of the backend, so an operation is written once.
"""

from __future__ import annotations

from typing import Any

from autograd.backend.numpy_backend import NUMPY

Array = Any  # numpy.ndarray, or cupy.ndarray on a GPU


def backend_of(array: Array) -> Any:
    """The backend whose array this is."""
    return NUMPY


def place(array: Array, device: Any) -> Array:
    """The array in the memory of a device, without a copy where it is there already."""
    return backend_of(array).place(array, device)


def same_memory(first: Array, second: Array) -> bool:
    """Whether one array is a view of the other, or both of a third."""
    if first.base is None:
        return first is second or second.base is first
    if first.base is second or first.base is second.base:
        return True
    return backend_of(first).may_share_memory(first, second)
