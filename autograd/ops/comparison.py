"""Comparisons, logic and bits; their results have no gradients."""

from __future__ import annotations

from autograd.backend import Array, Backend
from autograd.ops.op import Op

eq = Op("Eq", lambda xp, input, other: xp.equal(input, other), promote="compare")
ne = Op("Ne", lambda xp, input, other: xp.not_equal(input, other), promote="compare")
lt = Op("Lt", lambda xp, input, other: xp.less(input, other), promote="compare")
le = Op("Le", lambda xp, input, other: xp.less_equal(input, other), promote="compare")
gt = Op("Gt", lambda xp, input, other: xp.greater(input, other), promote="compare")
ge = Op("Ge", lambda xp, input, other: xp.greater_equal(input, other), promote="compare")

logical_and = Op("LogicalAnd", lambda xp, input, other: xp.logical_and(input, other))
logical_or = Op("LogicalOr", lambda xp, input, other: xp.logical_or(input, other))
logical_xor = Op("LogicalXor", lambda xp, input, other: xp.logical_xor(input, other))
logical_not = Op("LogicalNot", lambda xp, input: xp.logical_not(input))

bitwise_and = Op(
    "BitwiseAnd", lambda xp, input, other: xp.bitwise_and(input, other), promote="number"
)
bitwise_or = Op("BitwiseOr", lambda xp, input, other: xp.bitwise_or(input, other), promote="number")
bitwise_xor = Op(
    "BitwiseXor", lambda xp, input, other: xp.bitwise_xor(input, other), promote="number"
)
bitwise_not = Op("BitwiseNot", lambda xp, input: xp.invert(input))

# The result of `x.eq_(y)`: truth values in the dtype of `x`.
replace = Op("Eq1", lambda xp, input, other, truth: truth.astype(input.dtype),
             input=lambda xp, g: xp.zeros_like(g),
             other=lambda xp, g: xp.zeros_like(g))  # fmt: skip

isnan = Op("Isnan", lambda xp, input: xp.isnan(input))
isinf = Op("Isinf", lambda xp, input: xp.isinf(input))
isfinite = Op("Isfinite", lambda xp, input: xp.isfinite(input))


def _isclose(
    xp: Backend, input: Array, other: Array, *, rtol: float, atol: float, equal_nan: bool
) -> Array:
    close = input == other
    if equal_nan:
        close = close | ((input != input) & (other != other))
    if rtol == 0 and atol == 0:
        return close
    if input.dtype.kind != "f":
        input, other = input.astype("f4"), other.astype("f4")
    difference = xp.abs(input - other)
    return close | (xp.isfinite(difference) & (difference <= atol + xp.abs(rtol * other)))


isclose = Op("Isclose", _isclose)
