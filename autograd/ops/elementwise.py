"""Functions of one array, element by element."""

from __future__ import annotations

import math
from collections.abc import Callable

from autograd.backend import Array, Backend
from autograd.errors import not_implemented
from autograd.ops.op import Op

exp = Op("Exp", lambda xp, input: xp.exp(input), promote="float",
         input=lambda xp, g, out: g * out)  # fmt: skip

expm1 = Op("Expm1", lambda xp, input: xp.expm1(input), promote="float",
           input=lambda xp, g, out: g * (out + 1))  # fmt: skip

log = Op("Log", lambda xp, input: xp.log(input), promote="float",
         input=lambda xp, g, input: g / input)  # fmt: skip

log1p = Op("Log1P", lambda xp, input: xp.log1p(input), promote="float",
           input=lambda xp, g, input: g / (input + 1))  # fmt: skip

log2 = Op("Log2", lambda xp, input: xp.log2(input), promote="float",
          input=lambda xp, g, input: g / (input * math.log(2)))  # fmt: skip

log10 = Op("Log10", lambda xp, input: xp.log10(input), promote="float",
           input=lambda xp, g, input: g / (input * math.log(10)))  # fmt: skip

sqrt = Op("Sqrt", lambda xp, input: xp.sqrt(input), promote="float",
          input=lambda xp, g, out: g / (2 * out))  # fmt: skip

rsqrt = Op("Rsqrt", lambda xp, input: 1 / xp.sqrt(input), promote="float",
           input=lambda xp, g, out: -0.5 * g * (out * out * out))  # fmt: skip

abs = Op("Abs", lambda xp, input: xp.abs(input), bool_error=not_implemented("abs_cpu"),
         input=lambda xp, g, input: g * _sign(xp, input))  # fmt: skip

sin = Op("Sin", lambda xp, input: xp.sin(input), promote="float",
         input=lambda xp, g, input: g * xp.cos(input))  # fmt: skip

cos = Op("Cos", lambda xp, input: xp.cos(input), promote="float",
         input=lambda xp, g, input: g * -xp.sin(input))  # fmt: skip

tan = Op("Tan", lambda xp, input: xp.tan(input), promote="float",
         input=lambda xp, g, out: g * (1 + out * out))  # fmt: skip

asin = Op("Asin", lambda xp, input: xp.arcsin(input), promote="float",
          input=lambda xp, g, input: g / xp.sqrt(1 - input * input))  # fmt: skip

acos = Op("Acos", lambda xp, input: xp.arccos(input), promote="float",
          input=lambda xp, g, input: g / -xp.sqrt(1 - input * input))  # fmt: skip

atan = Op("Atan", lambda xp, input: xp.arctan(input), promote="float",
          input=lambda xp, g, input: g / (input * input + 1))  # fmt: skip

sinh = Op("Sinh", lambda xp, input: xp.sinh(input), promote="float",
          input=lambda xp, g, input: g * xp.cosh(input))  # fmt: skip

cosh = Op("Cosh", lambda xp, input: xp.cosh(input), promote="float",
          input=lambda xp, g, input: g * xp.sinh(input))  # fmt: skip

tanh = Op("Tanh", lambda xp, input: xp.tanh(input), promote="float",
          input=lambda xp, g, out: g * (1 - out * out))  # fmt: skip

atanh = Op("Atanh", lambda xp, input: xp.arctanh(input), promote="float",
           input=lambda xp, g, input: g / (1 - input * input))  # fmt: skip

erf = Op("Erf", lambda xp, input: xp.erf(input), promote="float",
         input=lambda xp, g, input:
         g * (2 / math.sqrt(math.pi) * xp.exp(-input * input)))  # fmt: skip

sigmoid = Op("Sigmoid", lambda xp, input: 1 / (1 + xp.exp(-input)), promote="float",
             input=lambda xp, g, out: g * (1 - out) * out)  # fmt: skip


def _sign(xp: Backend, input: Array) -> Array:
    if input.dtype.kind == "b":
        return input.copy()
    # torch's sign of NaN is 0; NumPy's is NaN.
    return (input > 0).astype(input.dtype) - (input < 0)


def _no_slope(xp: Backend, g: Array) -> Array:
    return xp.zeros_like(g)


sign = Op("Sign", _sign, input=_no_slope)
floor = Op("Floor", lambda xp, input: _rounded(xp.floor, input),
           bool_error=not_implemented("floor_vml_cpu"), input=_no_slope)  # fmt: skip
ceil = Op("Ceil", lambda xp, input: _rounded(xp.ceil, input),
          bool_error=not_implemented("ceil_vml_cpu"), input=_no_slope)  # fmt: skip
trunc = Op("Trunc", lambda xp, input: _rounded(xp.trunc, input),
           bool_error=not_implemented("trunc_vml_cpu"), input=_no_slope)  # fmt: skip
round = Op("Round", lambda xp, input: _rounded(xp.rint, input),
           bool_error=not_implemented("round_vml_cpu"), input=_no_slope)  # fmt: skip


round_decimals = Op("Round1", lambda xp, input, *, decimals: xp.round(input, decimals),
                    input=lambda xp, g: xp.zeros_like(g))  # fmt: skip


def _rounded(function: Callable[[Array], Array], input: Array) -> Array:
    return function(input) if input.dtype.kind == "f" else input.copy()


clamp = Op("Clamp1", lambda xp, input, min, max: xp.minimum(xp.maximum(input, min), max),
           promote="number", bool_error=not_implemented("clamp_cpu"),
           input=lambda xp, g, input, min, max: xp.where((input >= min) & (input <= max), g, 0),
           min=lambda xp, g, input, min, max: xp.where((input < min) & (min < max), g, 0),
           max=lambda xp, g, input, min, max:
           xp.where((input > max) | (max < min), g, 0))  # fmt: skip

clamp_min = Op("Clamp1", lambda xp, input, min: xp.maximum(input, min), promote="number",
               input=lambda xp, g, input, min: xp.where(input >= min, g, 0),
               min=lambda xp, g, input, min: xp.where(input < min, g, 0))  # fmt: skip

clamp_max = Op("Clamp1", lambda xp, input, max: xp.minimum(input, max), promote="number",
               input=lambda xp, g, input, max: xp.where(input <= max, g, 0),
               max=lambda xp, g, input, max: xp.where(input > max, g, 0))  # fmt: skip

where = Op("Where", lambda xp, condition, input, other: xp.where(condition, input, other),
           promote="branches",
           input=lambda xp, g, condition: xp.where(condition, g, 0),
           other=lambda xp, g, condition: xp.where(condition, 0, g))  # fmt: skip

masked_fill = Op("MaskedFill", lambda xp, input, mask, value:
                 xp.where(mask, xp.asarray(value).astype(input.dtype), input),
                 input=lambda xp, g, mask: xp.where(mask, 0, g),
                 value=lambda xp, g, mask: xp.where(mask, g, 0))  # fmt: skip


def _nan_to_num(
    xp: Backend, input: Array, *, nan: float | None, posinf: float | None, neginf: float | None
) -> Array:
    if input.dtype.kind != "f":
        return input.copy()
    return xp.nan_to_num(input, nan=nan or 0.0, posinf=posinf, neginf=neginf)


nan_to_num = Op("NanToNum", _nan_to_num,
                input=lambda xp, g, input: xp.where(xp.isfinite(input), g, 0))  # fmt: skip
