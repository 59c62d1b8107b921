"""Comparisons, logic and bits; results need no gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograd.engine.apply import apply, binary, unary
from autograd.functional.checks import require_tensor, type_name
from autograd.ops import comparison as ops
from autograd.ops.op import Op

if TYPE_CHECKING:
    from autograd.types import Operand, Tensor


def eq(input: Tensor, other: Operand) -> Tensor:
    """Where the two are equal."""
    require_tensor("eq", input)
    return binary(ops.eq, input, other)


def ne(input: Tensor, other: Operand) -> Tensor:
    """Where the two differ."""
    require_tensor("ne", input)
    return binary(ops.ne, input, other)


def lt(input: Tensor, other: Operand) -> Tensor:
    """Where `input < other`."""
    require_tensor("lt", input)
    return binary(ops.lt, input, other)


def le(input: Tensor, other: Operand) -> Tensor:
    """Where `input <= other`."""
    require_tensor("le", input)
    return binary(ops.le, input, other)


def gt(input: Tensor, other: Operand) -> Tensor:
    """Where `input > other`."""
    require_tensor("gt", input)
    return binary(ops.gt, input, other)


def ge(input: Tensor, other: Operand) -> Tensor:
    """Where `input >= other`."""
    require_tensor("ge", input)
    return binary(ops.ge, input, other)


def logical_and(input: Tensor, other: Operand) -> Tensor:
    """Where both are nonzero."""
    return _logical(ops.logical_and, "logical_and", input, other)


def logical_or(input: Tensor, other: Operand) -> Tensor:
    """Where at least one is nonzero."""
    return _logical(ops.logical_or, "logical_or", input, other)


def logical_xor(input: Tensor, other: Operand) -> Tensor:
    """Where exactly one is nonzero."""
    return _logical(ops.logical_xor, "logical_xor", input, other)


def logical_not(input: Tensor) -> Tensor:
    """Where `input` is 0."""
    return unary(ops.logical_not, input)


def _logical(op: Op, name: str, input: Tensor, other: Operand) -> Tensor:
    require_tensor(name, input)
    require_tensor(name, other, "other", 2)
    return binary(op, input, other)


def bitwise_and(input: Operand, other: Operand) -> Tensor:
    """The bits that are set in both; for bool, where both hold."""
    return _bitwise(ops.bitwise_and, "bitwise_and_cpu", input, other)


def bitwise_or(input: Operand, other: Operand) -> Tensor:
    """The bits that are set in either; for bool, where one holds."""
    return _bitwise(ops.bitwise_or, "bitwise_or_cpu", input, other)


def bitwise_xor(input: Operand, other: Operand) -> Tensor:
    """The bits that are set in exactly one; for bool, where exactly one holds."""
    return _bitwise(ops.bitwise_xor, "bitwise_xor_cpu", input, other)


def bitwise_not(input: Tensor) -> Tensor:
    """Every bit flipped; for bool, the opposite."""
    require_tensor("bitwise_not", input)
    if input._array.dtype.kind == "f":
        raise NotImplementedError(
            f"\"bitwise_not_cpu\" not implemented for '{type_name(input._array)}'"
        )
    return apply(ops.bitwise_not, input)


def _bitwise(op: Op, kernel: str, input: Operand, other: Operand) -> Tensor:
    for value in (input, other):
        array = getattr(value, "_array", None)
        if isinstance(value, float) or (array is not None and array.dtype.kind == "f"):
            name = "Float" if array is None else type_name(array)
            raise NotImplementedError(f"\"{kernel}\" not implemented for '{name}'")
    return binary(op, input, other)


def isnan(input: Tensor) -> Tensor:
    """Where `input` is NaN."""
    return unary(ops.isnan, input)


def isinf(input: Tensor) -> Tensor:
    """Where `input` is inf or -inf."""
    return unary(ops.isinf, input)


def isfinite(input: Tensor) -> Tensor:
    """Where `input` is neither NaN nor infinite."""
    return unary(ops.isfinite, input)


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and elements."""
    require_tensor("equal", input)
    require_tensor("equal", other, "other", 2)
    if input._array.shape != other._array.shape:
        return False
    return bool(eq(input, other).all())


def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    """Whether `abs(input - other) <= atol + rtol * abs(other)` everywhere."""
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor:
    """Where `abs(input - other) <= atol + rtol * abs(other)`."""
    require_tensor("isclose", input)
    require_tensor("isclose", other, "other", 2)
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value < 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {value}")
    if input._array.dtype != other._array.dtype:
        raise RuntimeError(f"{type_name(input._array)} did not match {type_name(other._array)}")
    return apply(ops.isclose, input, other, rtol=rtol, atol=atol, equal_nan=equal_nan)


greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne
