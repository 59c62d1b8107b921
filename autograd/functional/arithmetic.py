"""Sums, products, powers and remainders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd.engine.apply import apply, binary, unary
from autograd.engine.promotion import is_number
from autograd.functional import comparison
from autograd.functional.checks import is_tensor, require_both, require_float, require_tensor
from autograd.ops import arithmetic as ops
from autograd.ops.op import Op

if TYPE_CHECKING:
    from autograd.types import Operand, Tensor


def add(input: Operand, other: Operand, *, alpha: float = 1) -> Tensor:
    """`input + alpha * other`."""
    return binary(ops.add, input, other if alpha == 1 else _scaled(input, other, alpha))


def sub(input: Operand, other: Operand, *, alpha: float = 1) -> Tensor:
    """`input - alpha * other`."""
    return binary(ops.sub, input, other if alpha == 1 else _scaled(input, other, alpha))


def rsub(input: Operand, other: Operand, *, alpha: float = 1) -> Tensor:
    """`other - alpha * input`."""
    require_tensor("rsub", input)
    return binary(ops.rsub, input if alpha == 1 else _scaled(other, input, alpha), other)


def _scaled(input: Operand, other: Operand, alpha: float) -> Operand:
    """`other * alpha`; RuntimeError for a float `alpha` with integers."""
    if isinstance(alpha, float) and not any(_is_floating(x) for x in (input, other)):
        raise RuntimeError(
            "For integral input tensors, argument alpha must not be a floating point number."
        )
    return other * alpha


def _is_floating(value: Any) -> bool:
    return isinstance(value, float) or (is_tensor(value) and value._array.dtype.kind == "f")


def mul(input: Operand, other: Operand) -> Tensor:
    """`input * other`."""
    return binary(ops.mul, input, other)


def div(input: Operand, other: Operand, *, rounding_mode: str | None = None) -> Tensor:
    """`input / other`; `rounding_mode` "floor" or "trunc" rounds the quotient to a whole number."""
    if rounding_mode is None:
        return binary(ops.div, input, other)
    if rounding_mode == "floor":
        return _whole_division(ops.floor_div_rounded, input, other)
    if rounding_mode == "trunc":
        return _whole_division(ops.trunc_div, input, other)
    if not isinstance(rounding_mode, str):
        raise TypeError(f"div(): rounding_mode must be str, not {type(rounding_mode).__name__}")
    raise RuntimeError(
        "div expected rounding_mode to be one of None, 'trunc', or 'floor' "
        f"but found '{rounding_mode}'"
    )


def _whole_division(op: Op, input: Operand, other: Operand) -> Tensor:
    """Divide; RuntimeError if an integer is divided by 0."""
    result = binary(op, input, other)
    if result._array.dtype.kind != "f":
        divisor = getattr(other, "_array", other)
        is_zero: Any = divisor == 0
        if is_zero if is_number(divisor) else is_zero.any():
            raise RuntimeError("ZeroDivisionError")
    return result


def floor_divide(input: Operand, other: Operand) -> Tensor:
    """`input // other`."""
    return _whole_division(ops.floor_divide, input, other)


def remainder(input: Operand, other: Operand) -> Tensor:
    """`input % other`, with the sign of the divisor."""
    return _whole_division(ops.remainder, input, other)


def fmod(input: Tensor, other: Operand) -> Tensor:
    """The remainder of division, with the sign of `input`."""
    require_tensor("fmod", input)
    return _whole_division(ops.fmod, input, other)


def pow(input: Operand, exponent: Operand) -> Tensor:
    """`input ** exponent`."""
    try:
        return binary(ops.pow, input, exponent)
    except NotImplementedError:  # two bools: torch has a kernel only for a number as the exponent
        if isinstance(exponent, bool):
            return comparison.bitwise_or(input, not exponent)
        raise


def square(input: Tensor) -> Tensor:
    """`input ** 2`."""
    require_tensor("square", input)
    return binary(ops.pow, input, 2)


def neg(input: Tensor) -> Tensor:
    """`-input`."""
    return unary(ops.neg, input)


def positive(input: Tensor) -> Tensor:
    """`+input`: the tensor itself."""
    if input._array.dtype.kind == "b":
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


def reciprocal(input: Tensor) -> Tensor:
    """`1 / input`."""
    return unary(ops.reciprocal, input)


def minimum(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two, element by element; NaN if either is."""
    if not (hasattr(input, "_array") and hasattr(other, "_array")):
        require_both("minimum", input, other)
    return binary(ops.minimum, input, other)


def maximum(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two, element by element; NaN if either is."""
    if not (hasattr(input, "_array") and hasattr(other, "_array")):
        require_both("maximum", input, other)
    return binary(ops.maximum, input, other)


def lerp(input: Tensor, end: Tensor, weight: Operand) -> Tensor:
    """`input + weight * (end - input)`."""
    require_both("lerp", input, end, "end")
    for name, value in (("end", end), ("weight", weight)):
        if not is_number(value):
            require_tensor("lerp", value, name, 2)
        if is_tensor(value) and value._array.dtype != input._array.dtype:
            raise RuntimeError(
                f"expected dtype {input.dtype} for `{name}` but got dtype {value.dtype}"
            )
    require_float("lerp_kernel_scalar" if is_number(weight) else "lerp_kernel_tensor", input)
    return apply(ops.lerp, input, end, weight)


def float_power(input: Operand, exponent: Operand) -> Tensor:
    """`input ** exponent` in float64."""
    wide = [value.double() if is_tensor(value) else float(value) for value in (input, exponent)]
    return pow(*wide)


subtract, multiply, divide, true_divide, negative = sub, mul, div, div, neg
