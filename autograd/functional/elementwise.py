"""Functions of one tensor, element by element, and choices between two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd.engine.apply import apply, binary, unary
from autograd.engine.promotion import is_number
from autograd.functional.checks import is_tensor, require_tensor, type_name
from autograd.ops import elementwise as ops

if TYPE_CHECKING:
    from autograd.types import Operand, Tensor


def exp(input: Tensor) -> Tensor:
    """The exponential function."""
    return unary(ops.exp, input)


def expm1(input: Tensor) -> Tensor:
    """`exp(input) - 1`, exact near 0."""
    return unary(ops.expm1, input)


def log(input: Tensor) -> Tensor:
    """The natural logarithm."""
    return unary(ops.log, input)


def log1p(input: Tensor) -> Tensor:
    """`log(1 + input)`, exact near 0."""
    return unary(ops.log1p, input)


def log2(input: Tensor) -> Tensor:
    """The logarithm to base 2."""
    return unary(ops.log2, input)


def log10(input: Tensor) -> Tensor:
    """The logarithm to base 10."""
    return unary(ops.log10, input)


def sqrt(input: Tensor) -> Tensor:
    """The square root."""
    return unary(ops.sqrt, input)


def rsqrt(input: Tensor) -> Tensor:
    """The reciprocal of the square root."""
    return unary(ops.rsqrt, input)


def abs(input: Tensor) -> Tensor:
    """The absolute value."""
    return unary(ops.abs, input)


def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1; 0 for NaN."""
    return unary(ops.sign, input)


def sin(input: Tensor) -> Tensor:
    """The sine."""
    return unary(ops.sin, input)


def cos(input: Tensor) -> Tensor:
    """The cosine."""
    return unary(ops.cos, input)


def tan(input: Tensor) -> Tensor:
    """The tangent."""
    return unary(ops.tan, input)


def asin(input: Tensor) -> Tensor:
    """The inverse sine."""
    return unary(ops.asin, input)


def acos(input: Tensor) -> Tensor:
    """The inverse cosine."""
    return unary(ops.acos, input)


def atan(input: Tensor) -> Tensor:
    """The inverse tangent."""
    return unary(ops.atan, input)


def sinh(input: Tensor) -> Tensor:
    """The hyperbolic sine."""
    return unary(ops.sinh, input)


def cosh(input: Tensor) -> Tensor:
    """The hyperbolic cosine."""
    return unary(ops.cosh, input)


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return unary(ops.tanh, input)


def atanh(input: Tensor) -> Tensor:
    """The inverse hyperbolic tangent."""
    return unary(ops.atanh, input)


def erf(input: Tensor) -> Tensor:
    """The error function."""
    return unary(ops.erf, input)


def sigmoid(input: Tensor) -> Tensor:
    """`1 / (1 + exp(-input))`."""
    return unary(ops.sigmoid, input)


def floor(input: Tensor) -> Tensor:
    """The nearest whole number below."""
    return unary(ops.floor, input)


def ceil(input: Tensor) -> Tensor:
    """The nearest whole number above."""
    return unary(ops.ceil, input)


def trunc(input: Tensor) -> Tensor:
    """The nearest whole number towards 0."""
    return unary(ops.trunc, input)


def round(input: Tensor, *, decimals: int | None = None) -> Tensor:
    """The nearest whole number, halves to even; with `decimals`, that many decimal places."""
    if decimals is None:
        return unary(ops.round, input)
    require_tensor("round", input)
    if input._array.dtype.kind != "f":
        raise NotImplementedError(f"\"round_cpu\" not implemented for '{type_name(input._array)}'")
    return apply(ops.round_decimals, input, decimals=decimals)


def clamp(input: Tensor, min: Operand | None = None, max: Operand | None = None) -> Tensor:
    """`input` limited to [min, max]: numbers, tensors, or None for no limit on that side."""
    require_tensor("clamp", input)
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if max is None:
        return binary(ops.clamp_min, input, min)
    if min is None:
        return binary(ops.clamp_max, input, max)
    if is_tensor(min) is not is_tensor(max) and not (_is_constant(min) or _is_constant(max)):
        raise TypeError("clamp(): min and max must both be numbers or both be Tensors")
    return apply(ops.clamp, input, min, max)


def _is_constant(bound: Any) -> bool:
    """Whether a bound is a tensor that torch treats as a number."""
    return is_tensor(bound) and bound._array.ndim == 0 and not bound.requires_grad


def clamp_min(input: Tensor, min: Operand) -> Tensor:
    """`input`, at least `min`."""
    require_tensor("clamp_min", input)
    return binary(ops.clamp_min, input, min)


def clamp_max(input: Tensor, max: Operand) -> Tensor:
    """`input`, at most `max`."""
    require_tensor("clamp_max", input)
    return binary(ops.clamp_max, input, max)


clip, absolute = clamp, abs


def where(condition: Tensor, input: Operand | None = None, other: Operand | None = None) -> Any:
    """`input` where `condition` holds, else `other`; without both, the indices where it holds."""
    require_tensor("where", condition, "condition")
    if input is None and other is None:
        return condition.nonzero(as_tuple=True)
    if condition._array.dtype.kind != "b" and condition._array.dtype.name != "uint8":
        raise RuntimeError(
            "where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{type_name(condition._array)}"
        )
    for position, value in ((2, input), (3, other)):
        if not is_number(value):
            require_tensor("where", value, "other", position)
    return apply(ops.where, condition, input, other)


def masked_fill(input: Tensor, mask: Tensor, value: Operand) -> Tensor:
    """`input` with `value`, a number or a 0-d tensor, where `mask` is True."""
    require_tensor("masked_fill", input)
    require_tensor("masked_fill", mask, "mask", 2)
    if mask._array.dtype.kind != "b":
        raise RuntimeError(
            f"masked_fill_ only supports boolean masks, but got mask with dtype {mask.dtype}"
        )
    if not is_number(value):
        require_tensor("masked_fill", value, "value", 3)
    if is_tensor(value) and value.ndim:
        raise RuntimeError(
            "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value.ndim} dimension(s)."
        )
    return apply(ops.masked_fill, input, mask, value)


def nan_to_num(
    input: Tensor,
    nan: float | None = None,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Tensor:
    """Replace NaN (by 0), inf and -inf (by the largest finite numbers), or by given numbers."""
    require_tensor("nan_to_num", input)
    return apply(ops.nan_to_num, input, nan=nan, posinf=posinf, neginf=neginf)
