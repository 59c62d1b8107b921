"""Functions of one tensor, element by element."""

from __future__ import annotations

from typing import Any

from autograd.engine import unary
from autograd.ops import elementwise as ops


def exp(input: Any) -> Any:
    """e to the power of `input`."""
    return unary(ops.exp, input)


def log(input: Any) -> Any:
    """The natural logarithm."""
    return unary(ops.log, input)


def tanh(input: Any) -> Any:
    """The hyperbolic tangent."""
    return unary(ops.tanh, input)


def relu(input: Any) -> Any:
    """The positive part."""
    return unary(ops.relu, input)
