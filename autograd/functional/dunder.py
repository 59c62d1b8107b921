"""Python's operators on tensors, and methods that differ from the function of their name.

For operands that an operation cannot take, an operator returns NotImplemented, so that Python asks
the other side and then raises its own TypeError; `x == None` is False. An array of NumPy's on the
right computes the result itself, outside the graph, as in torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from autograd.dtypes import type_name
from autograd.engine.apply import apply, binary
from autograd.functional import arithmetic, comparison, elementwise
from autograd.ops import arithmetic as ops
from autograd.ops import comparison as comparisons
from autograd.ops.op import Op

if TYPE_CHECKING:
    from autograd.types import Operand, Tensor

Operator: TypeAlias = "Callable[[Any, Any], Tensor]"


def _operator(op: Op) -> Operator:
    def operator(self: Tensor, other: Any) -> Any:
        try:
            return binary(op, self, other)
        except TypeError:
            return NotImplemented

    return operator


def _operator_of(function: Operator) -> Operator:
    def operator(self: Tensor, other: Any) -> Any:
        try:
            return function(self, other)
        except TypeError:
            return NotImplemented

    return operator


def _reflected(function: Operator) -> Operator:
    return _operator_of(lambda self, other: function(other, self))


def _quick(op: Op, function: Operator) -> Operator:
    """What `_operator_of` does, faster, for a function that runs a single operation."""

    def operator(self: Tensor, other: Any) -> Any:
        try:
            return binary(op, self, other)
        except NotImplementedError:
            return function(self, other)
        except TypeError:
            return NotImplemented

    return operator


def _equality(op: Op) -> Operator:
    """`==` or `!=`, which compare with an array of numbers element by element, too."""

    def operator(self: Tensor, other: Any) -> Any:
        try:
            return binary(op, self, other)
        except TypeError:
            if isinstance(other, np.ndarray) and other.dtype.kind in "biuf":
                return binary(op, self, self._wrap(other))
            return NotImplemented

    return operator


add = _quick(ops.add, arithmetic.add)
sub = _quick(ops.sub, arithmetic.sub)
mul = _quick(ops.mul, arithmetic.mul)
truediv = _quick(ops.div, arithmetic.div)
pow = _quick(ops.pow, arithmetic.pow)
floordiv = _operator_of(arithmetic.floor_divide)
mod = _operator_of(arithmetic.remainder)
and_ = _operator_of(comparison.bitwise_and)
or_ = _operator_of(comparison.bitwise_or)
xor = _operator_of(comparison.bitwise_xor)

radd, rsub, rmul = map(_operator, (ops.add, ops.rsub, ops.mul))
rpow = _reflected(arithmetic.pow)
rfloordiv = _reflected(arithmetic.floor_divide)
rmod = _reflected(arithmetic.remainder)
rand, ror, rxor = map(
    _operator_of, (comparison.bitwise_and, comparison.bitwise_or, comparison.bitwise_xor)
)
eq, ne = map(_equality, (comparisons.eq, comparisons.ne))
lt, le = map(_operator, (comparisons.lt, comparisons.le))
gt, ge = map(_operator, (comparisons.gt, comparisons.ge))


def rtruediv(self: Tensor, other: Operand) -> Tensor:
    """`other / self`, computed as in torch: the reciprocal times `other`."""
    return arithmetic.reciprocal(self) * other


def invert(self: Tensor) -> Tensor:
    """`~self`."""
    if self._array.dtype.kind == "f":
        raise TypeError(
            "~ (operator.invert) is only implemented on integer and Boolean-type tensors"
        )
    return comparison.bitwise_not(self)


def where(self: Tensor, condition: Tensor, other: Operand) -> Tensor:
    """`self` where `condition` holds, else `other`; the function takes the condition first."""
    return elementwise.where(condition, self, other)


def replacing(function: Operator) -> Operator:
    """Make a comparison return truth in the dtype of `self`, for methods such as `eq_`."""

    def in_dtype_of_self(self: Tensor, other: Operand) -> Tensor:
        return apply(comparisons.replace, self, other, function(self, other))

    in_dtype_of_self.__name__ = function.__name__
    return in_dtype_of_self


def float_power(self: Tensor, exponent: Operand) -> Tensor:
    """`self ** exponent` in float64, for `float_power_`; only a float64 tensor can hold it."""
    if self._array.dtype.name != "float64":
        raise RuntimeError(
            f"the base given to float_power_ has dtype {type_name(self._array)} but the "
            "operation's result requires dtype Double"
        )
    return arithmetic.float_power(self, exponent)
