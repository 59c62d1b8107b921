"""Comparisons, logic and bits; results need no gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from autograd.engine.apply import apply, binary, unary
from autograd.errors import not_implemented
from autograd.functional.checks import require_both, require_tensor, type_name
from autograd.ops import comparison as ops
from autograd.ops.op import Op

if TYPE_CHECKING:
    from autograd.types import Operand, Tensor


Check = Callable[[str, "Operand", "Operand"], None]


def _function(name: str, op: Op, check: Check, text: str) -> Callable[[Operand, Operand], Tensor]:
    """Make the function that checks its operands and runs an operation; `text`: its docstring."""

    def function(input: Operand, other: Operand) -> Tensor:
        check(name, input, other)
        return binary(op, input, other)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = text
    return function


def _first_is_tensor(name: str, input: Operand, other: Operand) -> None:
    require_tensor(name, input)


def _no_floats(name: str, input: Operand, other: Operand) -> None:
    for value in (input, other):
        array = getattr(value, "_array", None)
        if isinstance(value, float) or (array is not None and array.dtype.kind == "f"):
            raise not_implemented(f"{name}_cpu", "Float" if array is None else type_name(array))


eq = _function("eq", ops.eq, _first_is_tensor, "Where the two are equal.")
ne = _function("ne", ops.ne, _first_is_tensor, "Where the two differ.")
lt = _function("lt", ops.lt, _first_is_tensor, "Where `input < other`.")
le = _function("le", ops.le, _first_is_tensor, "Where `input <= other`.")
gt = _function("gt", ops.gt, _first_is_tensor, "Where `input > other`.")
ge = _function("ge", ops.ge, _first_is_tensor, "Where `input >= other`.")

logical_and = _function("logical_and", ops.logical_and, require_both, "Where both are nonzero.")
logical_or = _function("logical_or", ops.logical_or, require_both, "Where either is nonzero.")
logical_xor = _function("logical_xor", ops.logical_xor, require_both, "Where just one is nonzero.")

bitwise_and = _function("bitwise_and", ops.bitwise_and, _no_floats, "The bits set in both.")
bitwise_or = _function("bitwise_or", ops.bitwise_or, _no_floats, "The bits set in either.")
bitwise_xor = _function("bitwise_xor", ops.bitwise_xor, _no_floats, "The bits set in just one.")


def logical_not(input: Tensor) -> Tensor:
    """Where `input` is 0."""
    return unary(ops.logical_not, input)


def bitwise_not(input: Tensor) -> Tensor:
    """Every bit flipped; for bool, the opposite."""
    require_tensor("bitwise_not", input)
    if input._array.dtype.kind == "f":
        raise not_implemented("bitwise_not_cpu", type_name(input._array))
    return apply(ops.bitwise_not, input)


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
    require_both("equal", input, other)
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
    require_both("isclose", input, other)
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value < 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {value}")
    if input._array.dtype != other._array.dtype:
        raise RuntimeError(f"{type_name(input._array)} did not match {type_name(other._array)}")
    return apply(ops.isclose, input, other, rtol=rtol, atol=atol, equal_nan=equal_nan)


greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne
