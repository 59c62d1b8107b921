"""`linear`: the affine map of a layer."""

from __future__ import annotations

from autograd.functional.checks import require_both, require_tensor, type_name
from autograd.functional.fused import linear as fused_linear
from autograd.functional.linear_algebra import matmul
from autograd.tensors.tensor import Tensor

_C_NAMES = {
    "float16": "c10::Half", "float32": "float", "float64": "double", "int64": "long",
    "int32": "int", "int16": "short", "int8": "signed char", "uint8": "unsigned char",
    "bool": "bool",
}  # fmt: skip


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`input @ weight.T + bias`: (..., in) with weight (out, in) and bias (out,) gives (..., out).

    Raises:
        RuntimeError: the sizes or dtypes do not fit.
    """
    try:
        x, w = input._array, weight._array
        b = None if bias is None else bias._array
    except AttributeError:
        require_both("linear", input, weight, "weight")
        require_tensor("linear", bias, "bias", 3)
        raise
    if (
        w.ndim == 2
        and x.ndim
        and x.shape[-1] == w.shape[1]
        and x.dtype == w.dtype
        and (b is None or (b.shape == w.shape[:1] and b.dtype == x.dtype))
    ):
        return fused_linear(input, weight, bias)
    return _unusual_linear(input, weight, bias)


def _unusual_linear(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Handle the other shapes that torch accepts, and raise for those that it refuses."""
    if input.ndim == 0 or weight.ndim == 0:
        raise RuntimeError(
            "both arguments to linear need to be at least 1D, "
            f"but they are {input.ndim}D and {weight.ndim}D"
        )
    if input._array.dtype != weight._array.dtype:
        if bias is not None:
            raise RuntimeError(
                "mat1 and mat2 must have the same dtype, but got "
                f"{type_name(input._array)} and {type_name(weight._array)}"
            )
        first, second = (_C_NAMES[v._array.dtype.name] for v in (input, weight))
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {first} != {second}"
        )
    product = matmul(input, weight.t())
    if bias is None:
        return product
    if bias._array.dtype != input._array.dtype:
        raise RuntimeError(
            "self and mat2 must have the same dtype, but got "
            f"{type_name(bias._array)} and {type_name(input._array)}"
        )
    return product + bias.expand(*product.shape)
