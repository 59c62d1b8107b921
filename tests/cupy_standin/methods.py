"""The array's operators and methods, each one of the functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.cupy_standin import indexing, linear_algebra, manipulation, reduction, sorting
from tests.cupy_standin.loops import UFUNCS
from tests.cupy_standin.ndarray import ndarray, new

BINARY = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide",
    "floordiv": "floor_divide", "mod": "remainder", "pow": "power", "lshift": "left_shift",
    "rshift": "right_shift", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
}  # fmt: skip
COMPARISONS = {
    "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater",
    "ge": "greater_equal",
}  # fmt: skip
UNARY = {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert"}


def _binary(name: str) -> Callable[[Any, Any], Any]:
    function = UFUNCS[name]
    return lambda self, other: function(self, other)


def _reflected(name: str) -> Callable[[Any, Any], Any]:
    function = UFUNCS[name]
    return lambda self, other: function(other, self)


def _in_place(name: str) -> Callable[[Any, Any], Any]:
    function = UFUNCS[name]
    return lambda self, other: function(self, other, out=self)


def _unary(name: str) -> Callable[[Any], Any]:
    function = UFUNCS[name]
    return lambda self: function(self)


def _iterate(self: ndarray) -> Any:
    if not self.ndim:
        raise TypeError("iteration over a 0-d array")
    return (self[i] for i in range(self.shape[0]))


def _reshape(self: ndarray, *shape: Any, order: str = "C", copy: bool | None = None) -> ndarray:
    one = len(shape) == 1 and isinstance(shape[0], tuple | list)
    return manipulation.reshape(self, shape[0] if one else shape, order, copy=copy)


def _transpose(self: ndarray, *axes: Any) -> ndarray:
    one = len(axes) == 1 and (axes[0] is None or isinstance(axes[0], tuple | list))
    return manipulation.transpose(self, axes[0] if one else axes or None)


def _flatten(self: ndarray, order: str = "C") -> ndarray:
    return new(manipulation.reshape(self, -1, order)._host.copy())


def _argmax(
    self: ndarray, axis: Any = None, out: Any = None, dtype: Any = None, keepdims: bool = False
) -> ndarray:
    return reduction.argmax(self, axis, dtype, out, keepdims)


def _argmin(
    self: ndarray, axis: Any = None, out: Any = None, dtype: Any = None, keepdims: bool = False
) -> ndarray:
    return reduction.argmin(self, axis, dtype, out, keepdims)


def _prod(
    self: ndarray, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = None
) -> ndarray:
    return reduction.prod(self, axis, dtype, out, bool(keepdims))


def _clip(self: ndarray, min: Any = None, max: Any = None, out: Any = None) -> ndarray:
    return reduction.clip(self, min, max, out)


def _sort(self: ndarray, axis: int = -1, kind: Any = None) -> None:
    self[...] = sorting.sort(self, axis, kind)


def _set_shape(self: ndarray, shape: Any) -> None:
    self._host.shape = shape


def _install() -> None:
    for short, name in BINARY.items():
        setattr(ndarray, f"__{short}__", _binary(name))
        setattr(ndarray, f"__r{short}__", _reflected(name))
        setattr(ndarray, f"__i{short}__", _in_place(name))
    for short, name in COMPARISONS.items():
        setattr(ndarray, f"__{short}__", _binary(name))
    for short, name in UNARY.items():
        setattr(ndarray, f"__{short}__", _unary(name))
    for name, method in {
        "__matmul__": lambda self, other: linear_algebra.matmul(self, other),
        "__rmatmul__": lambda self, other: linear_algebra.matmul(other, self),
        "__getitem__": indexing.getitem,
        "__setitem__": indexing.setitem,
        "__iter__": _iterate,
        "reshape": _reshape,
        "transpose": _transpose,
        "flatten": _flatten,
        "argmax": _argmax,
        "argmin": _argmin,
        "clip": _clip,
        "prod": _prod,
        "sort": _sort,
        "scatter_add": indexing.scatter_add,
        "T": property(manipulation.transpose),
        "mT": property(lambda self: manipulation.swapaxes(self, -1, -2)),
        "shape": property(lambda self: self._host.shape, _set_shape),
    }.items():
        setattr(ndarray, name, method)
    for module, names in {
        manipulation: ("ravel", "swapaxes", "squeeze", "repeat", "diagonal"),
        reduction: ("sum", "mean", "var", "std", "max", "min", "any", "all", "cumsum",
                    "cumprod", "round"),
        indexing: ("take", "nonzero"),
        sorting: ("argsort", "searchsorted"),
        linear_algebra: ("dot",),
    }.items():  # fmt: skip
        for name in names:
            setattr(ndarray, name, getattr(module, name))


_install()
