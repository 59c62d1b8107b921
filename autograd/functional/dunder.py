"""Python's operators between a tensor and anything else, and a method that is not its function.

The operators answer NotImplemented for what an operation cannot take, so that Python asks the other side and
then raises its own TypeError; `x == None` is False.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.engine import binary
from autograd.functional import arithmetic, comparison, elementwise
from autograd.ops import arithmetic as ops
from autograd.ops.op import Op


def _operator(op: Op) -> Callable[[Any, Any], Any]:
    def operator(self: Any, other: Any) -> Any:
        try:
            return binary(op, self, other)
        except TypeError:
            return NotImplemented

    return operator


def _operator_of(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def operator(self: Any, other: Any) -> Any:
        try:
            return function(self, other)
        except TypeError:
            return NotImplemented

    return operator


def _reflected(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def operator(self: Any, other: Any) -> Any:
        try:
            return function(other, self)
        except TypeError:
            return NotImplemented

    return operator


add, sub, rsub, mul = map(_operator, (ops.add, ops.sub, ops.rsub, ops.mul))
truediv, pow = map(_operator, (ops.div, ops.pow))
floordiv = _operator_of(arithmetic.floor_divide)
mod = _operator_of(arithmetic.remainder)
eq, ne, lt, le, gt, ge = map(
    _operator_of,
    (comparison.eq, comparison.ne, comparison.lt, comparison.le, comparison.gt, comparison.ge),
)
and_, or_, xor = map(
    _operator_of, (comparison.bitwise_and, comparison.bitwise_or, comparison.bitwise_xor)
)
rpow, rfloordiv, rmod = map(
    _reflected, (arithmetic.pow, arithmetic.floor_divide, arithmetic.remainder)
)


def rtruediv(self: Any, other: Any) -> Any:
    """`other / self`: as torch, the reciprocal times `other`."""
    try:
        return binary(ops.mul, arithmetic.reciprocal(self), other)
    except TypeError:
        return NotImplemented


def invert(self: Any) -> Any:
    """`~self`."""
    if self._array.dtype.kind == "f":
        raise TypeError(
            "~ (operator.invert) is only implemented on integer and Boolean-type tensors"
        )
    return comparison.bitwise_not(self)


def where(self: Any, condition: Any, other: Any) -> Any:
    """`self` where `condition` holds, `other` elsewhere: the method has the condition second."""
    return elementwise.where(condition, self, other)
