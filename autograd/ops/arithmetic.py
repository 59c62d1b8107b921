"""Sums, products, powers and remainders of two arrays."""

from __future__ import annotations

from typing import Any

from autograd.ops.op import Op, op

add = op(
    "Add", lambda xp, input, other: input + other, promote="number",
    input=lambda xp, g: g,
    other=lambda xp, g: g,
)  # fmt: skip

sub = op(
    "Sub", lambda xp, input, other: input - other, promote="number",
    input=lambda xp, g: g,
    other=lambda xp, g: -g,
)  # fmt: skip

mul = op(
    "Mul", lambda xp, input, other: input * other, promote="number",
    input=lambda xp, g, other: g * other,
    other=lambda xp, g, input: g * input,
)  # fmt: skip

div = op(
    "Div", lambda xp, input, other: xp.true_divide(input, other), promote="float",
    input=lambda xp, g, other: g / other,
    other=lambda xp, g, input, other: -g * ((input / other) / other),
)  # fmt: skip

neg = op("Neg", lambda xp, input: xp.negative(input), input=lambda xp, g: -g)


def _tie_half(xp: Any, first: Any, second: Any, dtype: Any) -> Any:
    """1 where first wins, 0.5 where the two are equal, 1 where either is NaN."""
    return (1 - (first < second)) - 0.5 * (first == second).astype(dtype)


minimum = op(
    "Minimum", lambda xp, input, other: xp.minimum(input, other), promote="number",
    input=lambda xp, g, input, other: g * _tie_half(xp, other, input, g.dtype),
    other=lambda xp, g, input, other: g * _tie_half(xp, input, other, g.dtype),
)  # fmt: skip

maximum = op(
    "Maximum", lambda xp, input, other: xp.maximum(input, other), promote="number",
    input=lambda xp, g, input, other: g * _tie_half(xp, input, other, g.dtype),
    other=lambda xp, g, input, other: g * _tie_half(xp, other, input, g.dtype),
)  # fmt: skip

pow = Op("Pow", lambda xp, input, other: xp.power(input, other), promote="number")  # noqa: A001


@pow.gradient("input")
def _(xp: Any, g: Any, input: Any, other: Any) -> Any:
    exponent_is_zero = other == 0
    slope = other * xp.power(input, xp.where(exponent_is_zero, 1, other) - 1)
    return g * xp.where(exponent_is_zero, 0, slope).astype(g.dtype)


@pow.gradient("other")
def _(xp: Any, g: Any, input: Any, other: Any, out: Any) -> Any:
    log = xp.where((input == 0) & (other >= 0), 0, xp.log(input))
    return g * (out * log).astype(g.dtype)
