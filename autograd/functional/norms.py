"""Norms of vectors and matrices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from autograd.dtypes import DTypeLike
from autograd.engine.apply import apply
from autograd.functional.checks import require_tensor, type_name, wrap_dims
from autograd.functional.keywords import numpy_names
from autograd.functional.reduction import reduced_dims, refuse_empty
from autograd.ops import norm as ops

if TYPE_CHECKING:
    from autograd.types import Dims, Tensor


@numpy_names
def norm(
    input: Tensor,
    p: float | str = "fro",
    dim: Dims = None,
    keepdim: bool = False,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """The `p`-norm over all dimensions or along `dim`; "fro" is 2, "nuc" sums singular values."""
    require_tensor("norm", input)
    if dtype is not None:
        input = input.to(dtype)
    if input._array.dtype.kind != "f":
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. "
            f"Got {type_name(input._array)}"
        )
    if isinstance(p, str) and p != "fro":
        return _matrix_norm(input, p, dim, keepdim)
    order = 2.0 if p is None or p == "fro" else float(p)
    dim = reduced_dims(dim, input._array.ndim)
    if order < 0 or order == math.inf:
        refuse_empty("linalg.vector_norm", input, dim)
    return apply(ops.norm, input, p=order, dim=dim, keepdim=keepdim)


def _matrix_norm(input: Tensor, p: str, dim: Dims, keepdim: bool) -> Tensor:
    if p != "nuc":
        raise RuntimeError(f"linalg.matrix_norm: Order {p} not supported.")
    if input._array.dtype.itemsize == 2:
        raise RuntimeError("linalg.matrix_norm: Low precision dtypes not supported. Got Half")
    dims = wrap_dims((-2, -1) if dim is None else dim, input._array.ndim)
    return apply(ops.nuclear, input, dim=dims, keepdim=keepdim)
