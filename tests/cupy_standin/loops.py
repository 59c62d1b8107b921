"""CuPy's universal functions with the loops that they have there, complex numbers aside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.cupy_standin.ufuncs import ufunc

WHOLE = "bBhHiIlLqQ"
FLOATS = "efd"


def _unary(chars: str, out: str = "") -> str:
    return " ".join(f"{c}->{out or c}" for c in chars)


def _binary(chars: str, out: str = "") -> str:
    return " ".join(f"{c}{c}->{out or c}" for c in chars)


MIXED = "qq->{0} QQ->{0} qQ->{0} Qq->{0}"
COMPARISON = "??->? " + MIXED.format("?") + " " + _binary(FLOATS, "?")
DIVISION = "qq->d qQ->d Qq->d QQ->d " + _binary(FLOATS)


def _sign(x: Any) -> Any:
    return (x > 0).astype(x.dtype) - (x < 0).astype(x.dtype)  # 0 for a NaN


def _power(x: Any, y: Any) -> Any:
    if x.dtype.kind not in "bui":
        return np.power(x, y)
    # Integers to negative powers do not raise: 1 and -1 have one, the others give 0.
    x, y = (a.astype("i1") if a.dtype.kind == "b" else a for a in (x, y))
    powers = np.power(x, np.maximum(y, 0))
    of_negative = np.where(x == 1, 1, np.where(x == -1, 1 - 2 * (y % 2), 0))
    return np.where(y < 0, of_negative, powers)


def _floor_divide(x: Any, y: Any) -> Any:
    return np.floor_divide(x, y) if x.dtype.kind != "f" else np.floor(x / y)


def _remainder(x: Any, y: Any) -> Any:
    return np.remainder(x, y) if x.dtype.kind != "f" else x - np.floor(x / y) * y


def _same(x: Any) -> Any:
    return x


def _of_whole(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: function(x) if x.dtype.kind == "f" else x


def _add_at(a: Any, indices: Any, b: Any) -> None:
    a.scatter_add(indices, b)


def _no_bool(function: Callable[..., Any]) -> Callable[..., Any]:
    def checked(*args: Any) -> Any:
        if all(a.dtype.kind == "b" for a in args):
            raise TypeError(f"cupy_{function.__name__} of booleans is not supported")
        return function(*args)

    return checked


def _functions() -> dict[str, ufunc]:
    numbers, numbers_of_two = _unary("?" + WHOLE + FLOATS), _binary("?" + WHOLE + FLOATS)
    found: dict[str, ufunc] = {
        "add": ufunc("add", numbers_of_two, np.add, _add_at),
        "subtract": ufunc("subtract", numbers_of_two, _no_bool(np.subtract)),
        "true_divide": ufunc("true_divide", DIVISION, np.true_divide),
        "floor_divide": ufunc("floor_divide", _binary(WHOLE + FLOATS), _floor_divide),
        "remainder": ufunc("remainder", _binary(WHOLE + FLOATS), _remainder),
        "fmod": ufunc("fmod", _binary(WHOLE + FLOATS), np.fmod),
        "power": ufunc("power", "??->b " + _binary(WHOLE + FLOATS), _power),
        "negative": ufunc("negative", numbers, _no_bool(np.negative)),
        "positive": ufunc("positive", numbers, _no_bool(np.positive)),
        "absolute": ufunc("absolute", numbers, np.absolute),
        "sign": ufunc("sign", _unary(WHOLE + FLOATS), _sign),
        "square": ufunc("square", _unary(WHOLE + FLOATS), np.square),
        "reciprocal": ufunc("reciprocal", _unary(WHOLE + FLOATS), np.reciprocal),
        "logical_not": ufunc("logical_not", _unary("?" + WHOLE + FLOATS, "?"), np.logical_not),
        "logical_xor": ufunc("logical_xor", _binary("?" + WHOLE + FLOATS, "?"), np.logical_xor),
        "invert": ufunc("invert", _unary("?" + WHOLE), np.invert),
    }
    for name in ("multiply", "maximum", "minimum", "fmax", "fmin"):
        found[name] = ufunc(name, numbers_of_two, getattr(np, name))
    for name in ("floor", "ceil", "trunc"):
        found[name] = ufunc(name, numbers, _of_whole(getattr(np, name)))
    for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
                 "logical_and", "logical_or"):  # fmt: skip
        found[name] = ufunc(name, COMPARISON, getattr(np, name))
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
        found[name] = ufunc(name, _binary("?" + WHOLE), getattr(np, name))
    for name in ("left_shift", "right_shift"):
        found[name] = ufunc(name, _binary(WHOLE), getattr(np, name))
    for name in ("isnan", "isinf", "isfinite", "signbit"):
        found[name] = ufunc(name, _unary(FLOATS, "?"), getattr(np, name))
    for name in ("sqrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos",
                 "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh",
                 "arccosh", "arctanh", "rint"):  # fmt: skip
        found[name] = ufunc(name, _unary(FLOATS), getattr(np, name))
    for name in ("arctan2", "copysign", "hypot", "logaddexp"):
        found[name] = ufunc(name, _binary(FLOATS), getattr(np, name))
    found |= {
        "abs": found["absolute"],
        "divide": found["true_divide"],
        "mod": found["remainder"],
        "bitwise_not": found["invert"],
        "bitwise_invert": found["invert"],
        "pow": found["power"],
        "acos": found["arccos"],
        "asin": found["arcsin"],
        "atan": found["arctan"],
        "atanh": found["arctanh"],
    }
    return found


UFUNCS = _functions()
where_ufunc = ufunc(
    "where",
    " ".join(f"?{c}{c}->{c}" for c in "?" + WHOLE + FLOATS),
    np.where,
)
clip_ufunc = ufunc(
    "clip",
    " ".join(f"{c}{c}{c}->{c}" for c in "?" + WHOLE + FLOATS),
    lambda x, low, high: np.minimum(np.maximum(x, low), high),
)
