"""Functions of one array, element by element."""

from __future__ import annotations

import math

from autograd.backend import Array, Backend
from autograd.errors import not_implemented
from autograd.ops.op import Function, Op


def _of_floats(name: str, forward: Function, gradient: Function) -> Op:
    return Op(name, forward, promote="float", input=gradient)


exp = _of_floats("Exp", lambda xp, input: xp.exp(input), lambda xp, g, out: g * out)
expm1 = _of_floats("Expm1", lambda xp, input: xp.expm1(input), lambda xp, g, out: g * (out + 1))
log = _of_floats("Log", lambda xp, input: xp.log(input), lambda xp, g, input: g / input)
log1p = _of_floats("Log1P", lambda xp, input: xp.log1p(input), lambda xp, g, input: g / (input + 1))
log2 = _of_floats(
    "Log2", lambda xp, input: xp.log2(input), lambda xp, g, input: g / (input * math.log(2))
)
log10 = _of_floats(
    "Log10", lambda xp, input: xp.log10(input), lambda xp, g, input: g / (input * math.log(10))
)
sqrt = _of_floats("Sqrt", lambda xp, input: xp.sqrt(input), lambda xp, g, out: g / (2 * out))
rsqrt = _of_floats(
    "Rsqrt", lambda xp, input: 1 / xp.sqrt(input), lambda xp, g, out: -0.5 * g * (out * out * out)
)
sin = _of_floats("Sin", lambda xp, input: xp.sin(input), lambda xp, g, input: g * xp.cos(input))
cos = _of_floats("Cos", lambda xp, input: xp.cos(input), lambda xp, g, input: g * -xp.sin(input))
tan = _of_floats("Tan", lambda xp, input: xp.tan(input), lambda xp, g, out: g * (1 + out * out))
asin = _of_floats(
    "Asin", lambda xp, input: xp.arcsin(input), lambda xp, g, input: g / xp.sqrt(1 - input * input)
)
acos = _of_floats(
    "Acos", lambda xp, input: xp.arccos(input), lambda xp, g, input: g / -xp.sqrt(1 - input * input)
)
atan = _of_floats(
    "Atan", lambda xp, input: xp.arctan(input), lambda xp, g, input: g / (input * input + 1)
)
sinh = _of_floats("Sinh", lambda xp, input: xp.sinh(input), lambda xp, g, input: g * xp.cosh(input))
cosh = _of_floats("Cosh", lambda xp, input: xp.cosh(input), lambda xp, g, input: g * xp.sinh(input))
tanh = _of_floats("Tanh", lambda xp, input: xp.tanh(input), lambda xp, g, out: g * (1 - out * out))
atanh = _of_floats(
    "Atanh", lambda xp, input: xp.arctanh(input), lambda xp, g, input: g / (1 - input * input)
)
erf = _of_floats(
    "Erf",
    lambda xp, input: xp.erf(input),
    lambda xp, g, input: g * (2 / math.sqrt(math.pi) * xp.exp(-input * input)),
)
sigmoid = _of_floats(
    "Sigmoid", lambda xp, input: 1 / (1 + xp.exp(-input)), lambda xp, g, out: g * (1 - out) * out
)

abs = Op("Abs", lambda xp, input: xp.abs(input), bool_error=not_implemented("abs_cpu"),
         input=lambda xp, g, input: g * _sign(xp, input))  # fmt: skip


def _sign(xp: Backend, input: Array) -> Array:
    if input.dtype.kind == "b":
        return input.copy()
    # torch's sign of NaN is 0; NumPy's is NaN.
    return (input > 0).astype(input.dtype) - (input < 0)


def _no_slope(xp: Backend, g: Array) -> Array:
    return xp.zeros_like(g)


sign = Op("Sign", _sign, input=_no_slope)
round_decimals = Op("Round1", lambda xp, input, *, decimals: xp.round(input, decimals),
                    input=_no_slope)  # fmt: skip


def _rounding(name: str, rounded: Function) -> Op:
    def forward(xp: Backend, input: Array) -> Array:
        return rounded(xp, input) if input.dtype.kind == "f" else input.copy()

    error = not_implemented(f"{name.lower()}_vml_cpu")
    return Op(name, forward, bool_error=error, input=_no_slope)


floor = _rounding("Floor", lambda xp, input: xp.floor(input))
ceil = _rounding("Ceil", lambda xp, input: xp.ceil(input))
trunc = _rounding("Trunc", lambda xp, input: xp.trunc(input))
round = _rounding("Round", lambda xp, input: xp.rint(input))

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
