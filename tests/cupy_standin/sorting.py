"""Order along an axis, stable as in CuPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.cupy_standin.counts import recorder
from tests.cupy_standin.manipulation import require
from tests.cupy_standin.ndarray import ndarray, new


def _checked(a: Any, kind: Any) -> None:
    require(a)
    if kind not in (None, "stable"):
        raise ValueError("kind can only be None or 'stable'")
    if a.ndim == 0:
        raise np.exceptions.AxisError("Sorting arrays with the rank of zero is not supported")


def sort(a: Any, axis: int | None = -1, kind: Any = None) -> ndarray:
    """The elements in order."""
    _checked(a, kind)
    recorder.kernel("thrust_sort", 2)
    return new(np.sort(a._host, axis, "stable"))


def argsort(a: Any, axis: int | None = -1, kind: Any = None) -> ndarray:
    """The numbers that put the elements in order."""
    _checked(a, kind)
    recorder.kernel("thrust_argsort", 2)
    return new(np.ascontiguousarray(np.argsort(a._host, axis, "stable")))


def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> ndarray:
    """Where elements would stand in a sorted array."""
    require(a, v)
    recorder.kernel("cupy_searchsorted")
    return new(np.searchsorted(a._host, v._host, side))  # type: ignore[call-overload]


def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
) -> Any:
    """Each element once: the host has to wait for their number."""
    require(ar)
    recorder.kernel("cupy_unique", 5)
    recorder.synchronization("unique")
    found: Any = np.unique(ar._host, return_index, return_inverse, return_counts, axis)  # type: ignore[call-overload]
    return tuple(map(new, found)) if isinstance(found, tuple) else new(found)


def bincount(x: Any, weights: Any = None, minlength: int | None = None) -> ndarray:
    """How often every number occurs: the host has to wait for the largest."""
    require(x)
    recorder.kernel("cupy_bincount", 3)
    recorder.synchronization("bincount")
    return new(np.bincount(x._host, None if weights is None else weights._host, minlength or 0))
