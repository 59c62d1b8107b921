"""Order along a dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd.engine.apply import apply
from autograd.errors import not_implemented
from autograd.functional import return_types
from autograd.functional.checks import integer, require_tensor, wrap_dim
from autograd.functional.keywords import numpy_names
from autograd.ops import sorting as ops

if TYPE_CHECKING:
    from autograd.types import Tensor


def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """(values, indices) in order along `dim`; always stable, NaN counts as the largest."""
    require_tensor("sort", input)
    dim = wrap_dim(dim, input._array.ndim)
    return return_types.sort(*apply(ops.sort, input, dim=dim, descending=descending))


def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """The indices that sort along `dim`; always stable, NaN counts as the largest."""
    require_tensor("argsort", input)
    return sort(input.detach(), dim, descending)[1]


def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """(values, indices) of the `k` largest or smallest along `dim`; always sorted."""
    require_tensor("topk", input)
    k, dim = integer("topk", k, "k", 2), wrap_dim(dim, input._array.ndim)
    if not 0 <= k <= (input._array.shape[dim] if input._array.ndim else 1):
        raise RuntimeError("selected index k out of range")
    if input._array.dtype.kind == "b":
        raise RuntimeError("topk does not support bool dtypes on CPU")
    return return_types.topk(*apply(ops.topk, input, k=k, dim=dim, largest=largest))


@numpy_names
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The lower median; with `dim`, (values, indices) along it."""
    require_tensor("median", input)
    if input._array.dtype.kind == "b":
        raise not_implemented("median_cpu")
    if dim is None:
        return apply(ops.median_all, input)
    dim = wrap_dim(dim, input._array.ndim)
    if input._array.ndim and input._array.shape[dim] == 0:
        raise IndexError(f"median(): Expected reduction dim {dim} to have non-zero size.")
    return return_types.median(*apply(ops.median_dim, input, dim=dim, keepdim=keepdim))
