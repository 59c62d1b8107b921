"""Sums, products, powers and remainders of two arrays."""

from __future__ import annotations

from autograd.backend import Array, Backend
from autograd.errors import not_implemented
from autograd.ops.op import Op

add = Op(
    "Add", lambda xp, input, other: input + other, promote="number",
    input=lambda xp, g: g,
    other=lambda xp, g: g,
)  # fmt: skip

sub = Op(
    "Sub", lambda xp, input, other: input - other, promote="signed",
    input=lambda xp, g: g,
    other=lambda xp, g: -g,
)  # fmt: skip

rsub = Op(
    "Rsub1", lambda xp, input, other: other - input, promote="signed",
    input=lambda xp, g: -g,
    other=lambda xp, g: g,
)  # fmt: skip

mul = Op(
    "Mul", lambda xp, input, other: input * other, promote="number",
    input=lambda xp, g, other: g * other,
    other=lambda xp, g, input: g * input,
)  # fmt: skip

div = Op(
    "Div", lambda xp, input, other: xp.true_divide(input, other), promote="float",
    input=lambda xp, g, other: g / other,
    other=lambda xp, g, input, other: -g * ((input / other) / other),
)  # fmt: skip

neg = Op(
    "Neg", lambda xp, input: xp.negative(input),
    bool_error=RuntimeError(
        "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to "
        "invert a mask, use the `~` or `logical_not()` operator instead."
    ),
    input=lambda xp, g: -g,
)  # fmt: skip

reciprocal = Op(
    "Reciprocal", lambda xp, input: 1 / input, promote="float",
    input=lambda xp, g, out: -g * (out * out),
)  # fmt: skip


# Step functions: their gradient is 0 wherever it exists.
floor_div_rounded = Op(
    "Div2", lambda xp, input, other: xp.floor_divide(input, other), promote="number",
    bool_error=not_implemented("div_floor_cpu"),
    input=lambda xp, g: xp.zeros_like(g),
    other=lambda xp, g: xp.zeros_like(g),
)  # fmt: skip


def _no_derivative(xp: Backend, g: Array) -> Array:
    raise RuntimeError("derivative for aten::floor_divide is not implemented")


# Unlike div(rounding_mode="floor"), torch's `//` has no derivative.
floor_divide = Op(
    "FloorDivide", lambda xp, input, other: xp.floor_divide(input, other), promote="number",
    bool_error=not_implemented("div_floor_cpu"),
    input=_no_derivative,
    other=_no_derivative,
)  # fmt: skip


def _trunc_div(xp: Backend, input: Array, other: Array) -> Array:
    dtype = getattr(input, "dtype", None) or other.dtype
    if dtype.kind == "f":
        return xp.trunc(xp.true_divide(input, other))
    # Not in floating point, which would round large integers.
    floor = xp.floor_divide(input, other)
    return floor + ((floor < 0) & (floor * other != input)).astype(dtype)


trunc_div = Op(
    "Div2", _trunc_div, promote="number", bool_error=not_implemented("div_trunc_cpu"),
    input=lambda xp, g: xp.zeros_like(g),
    other=lambda xp, g: xp.zeros_like(g),
)  # fmt: skip

remainder = Op(
    "Remainder", lambda xp, input, other: xp.remainder(input, other), promote="number",
    bool_error=not_implemented("remainder_cpu"),
    input=lambda xp, g: g,
    other=lambda xp, g, input, other: -g * xp.floor_divide(input, other),
)  # fmt: skip

fmod = Op(
    "Fmod", lambda xp, input, other: xp.fmod(input, other), promote="number",
    bool_error=not_implemented("fmod_cpu"),
    input=lambda xp, g: g,
    other=lambda xp, g, input, other: -g * xp.trunc(input / other),
)  # fmt: skip


def _pow(xp: Backend, input: Array, other: Array) -> Array:
    try:
        return xp.raise_to(input, other)
    except ValueError as error:  # shapes, or integers to negative powers
        if "negative integer powers" not in str(error):
            raise
    if isinstance(other, int):
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    powers = input ** xp.abs(other)
    return powers * ((other >= 0) | (powers == 1) | (powers == -1))


pow = Op("Pow", _pow, promote="number", bool_error=not_implemented("pow"))


@pow.gradient("input")
def _(xp: Backend, g: Array, input: Array, other: Array) -> Array:
    if isinstance(other, int | float):
        return g * (other * xp.raise_to(input, other - 1)) if other else xp.zeros_like(g)
    exponent_is_zero = other == 0
    return xp.where(exponent_is_zero, 0, g * (other * input ** (other - 1)))


@pow.gradient("other")
def _(xp: Backend, g: Array, input: Array, other: Array, out: Array) -> Array:
    log = xp.log(xp.asarray(input, g.dtype))
    return g * xp.where((input == 0) & (other >= 0), 0, out * log)


def _share(xp: Backend, g: Array, first: Array, second: Array) -> Array:
    """The share of `first` in the gradient of the smaller one: all, or half in a tie."""
    return xp.where(first == second, g / 2, xp.where(first > second, 0, g))


minimum = Op(
    "Minimum", lambda xp, input, other: xp.minimum(input, other), promote="number",
    input=lambda xp, g, input, other: _share(xp, g, input, other),
    other=lambda xp, g, input, other: _share(xp, g, other, input),
)  # fmt: skip

maximum = Op(
    "Maximum", lambda xp, input, other: xp.maximum(input, other), promote="number",
    input=lambda xp, g, input, other: _share(xp, g, other, input),
    other=lambda xp, g, input, other: _share(xp, g, input, other),
)  # fmt: skip


def _lerp(xp: Backend, input: Array, end: Array, weight: Array) -> Array:
    # From the nearer end, as in torch, so that weight 1 is exact.
    step = end - input
    if isinstance(weight, int | float):
        return input + weight * step if abs(weight) < 0.5 else end - step * (1 - weight)
    return xp.where(abs(weight) < 0.5, input + weight * step, end - step * (1 - weight))


lerp = Op("Lerp", _lerp)


@lerp.gradient("input")
def _(xp: Backend, g: Array, weight: Array) -> Array:
    return g * (1 - weight)


@lerp.gradient("end")
def _(xp: Backend, g: Array, weight: Array) -> Array:
    return g * weight


@lerp.gradient("weight")
def _(xp: Backend, g: Array, input: Array, end: Array) -> Array:
    return g * (end - input)
