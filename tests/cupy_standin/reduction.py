"""Reductions and scans: their results are arrays without dimensions, never numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.cupy_standin.counts import recorder
from tests.cupy_standin.loops import clip_ufunc, where_ufunc
from tests.cupy_standin.manipulation import require
from tests.cupy_standin.ndarray import ndarray, new


def _reduced(
    name: str, function: Callable[..., Any], a: Any, out: Any, *args: Any, **kwargs: Any
) -> ndarray:
    require(a)
    recorder.kernel(name)
    with np.errstate(all="ignore"):
        host = np.array(function(a._host, *args, **kwargs), order="C")
    if out is None:
        return new(host)
    require(out)
    if out.shape != host.shape:
        raise ValueError("Out shape is mismatched")
    out._host[...] = host
    return out


def sum(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False
) -> Any:
    """The sum along axes."""
    return _reduced("cupy_sum", np.sum, a, out, axis=axis, dtype=dtype, keepdims=keepdims)


def prod(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False
) -> Any:
    """The product along axes."""
    return _reduced("cupy_prod", np.prod, a, out, axis=axis, dtype=dtype, keepdims=keepdims)


def mean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False
) -> Any:
    """The mean along axes."""
    return _reduced("cupy_mean", np.mean, a, out, axis=axis, dtype=dtype, keepdims=keepdims)


def var(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: int = 0,
    keepdims: bool = False,
) -> Any:
    """The variance along axes."""
    recorder.kernel("cupy_mean")
    return _reduced(
        "cupy_var", np.var, a, out, axis=axis, dtype=dtype, ddof=ddof, keepdims=keepdims
    )


def std(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: int = 0,
    keepdims: bool = False,
) -> Any:
    """The standard deviation along axes."""
    recorder.kernel("cupy_var", 2)
    return _reduced(
        "cupy_sqrt", np.std, a, out, axis=axis, dtype=dtype, ddof=ddof, keepdims=keepdims
    )


def amax(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
    """The largest along axes."""
    return _reduced("cupy_max", np.max, a, out, axis=axis, keepdims=keepdims)


def amin(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
    """The smallest along axes."""
    return _reduced("cupy_min", np.min, a, out, axis=axis, keepdims=keepdims)


def max(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
    """The largest along axes."""
    return amax(a, axis, out, keepdims)


def min(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
    """The smallest along axes."""
    return amin(a, axis, out, keepdims)


def argmax(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False
) -> Any:
    """Where the first of the largest is."""
    return _reduced("cupy_argmax", np.argmax, a, out, axis=axis, keepdims=keepdims)


def argmin(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False
) -> Any:
    """Where the first of the smallest is."""
    return _reduced("cupy_argmin", np.argmin, a, out, axis=axis, keepdims=keepdims)


def any(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
    """Whether one is not 0."""
    return _reduced("cupy_any", np.any, a, out, axis=axis, keepdims=keepdims)


def all(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
    """Whether none is 0."""
    return _reduced("cupy_all", np.all, a, out, axis=axis, keepdims=keepdims)


def count_nonzero(a: Any, axis: Any = None) -> Any:
    """How many are not 0: an array, unlike NumPy's number."""
    return _reduced("cupy_count_nonzero", np.count_nonzero, a, None, axis=axis)


def cumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """The running sum."""
    return _reduced("cupy_cumsum", np.cumsum, a, out, axis=axis, dtype=dtype)


def cumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """The running product."""
    return _reduced("cupy_cumprod", np.cumprod, a, out, axis=axis, dtype=dtype)


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """`x` where the condition holds, `y` elsewhere; the condition has to be an array."""
    if (x is None) != (y is None):
        raise ValueError("Must provide both 'x' and 'y' or neither.")
    if x is None:
        from tests.cupy_standin.indexing import nonzero

        return nonzero(condition)
    return where_ufunc(condition.astype("?", copy=False), x, y)


def clip(a: Any, a_min: Any, a_max: Any, out: Any = None) -> Any:
    """The elements, moved into a range."""
    require(a)
    if a_min is None and a_max is None:
        raise ValueError("array_clip: must set either max or min")
    if a_min is None or a_max is None:
        from tests.cupy_standin.loops import UFUNCS

        one = UFUNCS["minimum"](a, a_max, out=out) if a_min is None else None
        return one if one is not None else UFUNCS["maximum"](a, a_min, out=out)
    return clip_ufunc(a, a_min, a_max, out=out)


def nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    """Numbers in place of what is none."""
    require(x)
    recorder.kernel("cupy_nan_to_num")
    host = np.nan_to_num(x._host, copy, nan, posinf, neginf)
    return new(host) if copy else x


def around(a: Any, decimals: int = 0, out: Any = None) -> Any:
    """The elements, rounded to some digits."""
    return _reduced("cupy_round", np.round, a, out, decimals)


def round(a: Any, decimals: int = 0, out: Any = None) -> Any:
    """The elements, rounded to some digits."""
    return around(a, decimals, out)


def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Any:
    """Whether two arrays are equal: an array without dimensions."""
    return _reduced("cupy_all", lambda a: np.array_equal(a, a2._host, equal_nan), a1, None)
