"""Sums, products, powers, remainders and comparisons."""

from __future__ import annotations

from typing import Any

from autograd.engine import binary, unary
from autograd.ops import arithmetic as ops


def add(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """`input + alpha * other`."""
    return binary(ops.add, input, other if alpha == 1 else mul(other, alpha))


def sub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """`input - alpha * other`."""
    return binary(ops.sub, input, other if alpha == 1 else mul(other, alpha))


def mul(input: Any, other: Any) -> Any:
    """`input * other`."""
    return binary(ops.mul, input, other)


def div(input: Any, other: Any) -> Any:
    """`input / other`."""
    return binary(ops.div, input, other)


def pow(input: Any, exponent: Any) -> Any:
    """`input ** exponent`."""
    return binary(ops.pow, input, exponent)


def neg(input: Any) -> Any:
    """`-input`."""
    return unary(ops.neg, input)
