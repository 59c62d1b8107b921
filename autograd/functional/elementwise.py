"""Functions of one tensor, element by element, and choices between two."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autograd.engine.apply import apply, binary, unary
from autograd.engine.promotion import is_number
from autograd.functional.checks import (
    is_tensor,
    require_both,
    require_float,
    require_tensor,
    type_name,
)
from autograd.ops import elementwise as ops
from autograd.ops.op import Op

if TYPE_CHECKING:
    from autograd.types import Operand, Tensor


def _function(name: str, op: Op, text: str) -> Callable[[Tensor], Tensor]:
    """Make the function of one tensor that runs an operation; `text` is its docstring."""

    def function(input: Tensor) -> Tensor:
        return unary(op, input)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = text
    return function


exp = _function("exp", ops.exp, "The exponential function.")
expm1 = _function("expm1", ops.expm1, "`exp(input) - 1`, exact near 0.")
log = _function("log", ops.log, "The natural logarithm.")
log1p = _function("log1p", ops.log1p, "`log(1 + input)`, exact near 0.")
log2 = _function("log2", ops.log2, "The logarithm to base 2.")
log10 = _function("log10", ops.log10, "The logarithm to base 10.")
sqrt = _function("sqrt", ops.sqrt, "The square root.")
rsqrt = _function("rsqrt", ops.rsqrt, "The reciprocal of the square root.")
abs = _function("abs", ops.abs, "The absolute value.")
sign = _function("sign", ops.sign, "-1, 0 or 1; 0 for NaN.")
sin = _function("sin", ops.sin, "The sine.")
cos = _function("cos", ops.cos, "The cosine.")
tan = _function("tan", ops.tan, "The tangent.")
asin = _function("asin", ops.asin, "The inverse sine.")
acos = _function("acos", ops.acos, "The inverse cosine.")
atan = _function("atan", ops.atan, "The inverse tangent.")
sinh = _function("sinh", ops.sinh, "The hyperbolic sine.")
cosh = _function("cosh", ops.cosh, "The hyperbolic cosine.")
tanh = _function("tanh", ops.tanh, "The hyperbolic tangent.")
atanh = _function("atanh", ops.atanh, "The inverse hyperbolic tangent.")
erf = _function("erf", ops.erf, "The error function.")
sigmoid = _function("sigmoid", ops.sigmoid, "`1 / (1 + exp(-input))`.")
floor = _function("floor", ops.floor, "The nearest whole number below.")
ceil = _function("ceil", ops.ceil, "The nearest whole number above.")
trunc = _function("trunc", ops.trunc, "The nearest whole number towards 0.")


def round(input: Tensor, *, decimals: int | None = None) -> Tensor:
    """The nearest whole number, halves to even; with `decimals`, that many decimal places."""
    if decimals is None:
        return unary(ops.round, input)
    require_tensor("round", input)
    require_float("round_cpu", input)
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
    require_both("masked_fill", input, mask, "mask")
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
