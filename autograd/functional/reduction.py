"""Reductions over all or some dimensions."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from autograd.backend import DType
from autograd.dtypes import DTypeLike, numpy_dtype
from autograd.engine.apply import apply
from autograd.engine.promotion import INT64
from autograd.errors import not_implemented
from autograd.functional import arithmetic, return_types
from autograd.functional.checks import (
    integer,
    is_tensor,
    require_tensor,
    type_name,
    wrap_dim,
    wrap_dims,
)
from autograd.functional.keywords import numpy_names
from autograd.ops import reduction as ops
from autograd.ops.op import Op

if TYPE_CHECKING:
    from autograd.types import Dims, Tensor


def reduced_dims(dim: Dims, ndim: int) -> tuple[int, ...] | None:
    """The dimensions to reduce, counted from the front; None or an empty list mean all."""
    if dim is None:
        return None
    if isinstance(dim, tuple | list):
        dims = wrap_dims(dim, ndim)
        return dims if dims and ndim else None
    one = wrap_dim(integer("dim", dim, "dim", 2), ndim)
    return (one,) if ndim else None


@numpy_names
def sum(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike | None = None
) -> Tensor:
    """The sum over all dimensions, or over `dim`; int64 for integers and bool."""
    require_tensor("sum", input)
    op = ops.sum_all if dim is None else ops.sum_dim
    dim = reduced_dims(dim, input._array.ndim)
    return apply(op, input, dim=dim, keepdim=keepdim, dtype=_sum_dtype(input, dtype))


def _sum_dtype(input: Tensor, dtype: DTypeLike | None) -> DType | None:
    if dtype is not None:
        return numpy_dtype(dtype)
    return None if input._array.dtype.kind == "f" else INT64


@numpy_names
def mean(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike | None = None
) -> Tensor:
    """The mean over all dimensions, or over `dim`."""
    require_tensor("mean", input)
    if dtype is not None:
        input = input.to(dtype)
    if input._array.dtype.kind != "f":
        raise RuntimeError(
            f"mean(): could not infer output dtype. {'Input' if dtype is None else 'Optional'} "
            "dtype must be either a floating point or complex dtype. Got: "
            f"{type_name(input._array)}"
        )
    op = ops.mean_all if dim is None else ops.mean_dim
    return apply(op, input, dim=reduced_dims(dim, input._array.ndim), keepdim=keepdim)


@numpy_names
def var(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The variance, divided by `count - correction`: 1 by default, 0 if `unbiased` is False."""
    return _spread_of(ops.var, "var", input, dim, unbiased, keepdim, correction)


@numpy_names
def std(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The standard deviation: the root of `var`."""
    return _spread_of(ops.std, "std", input, dim, unbiased, keepdim, correction)


def _spread_of(
    op: Op,
    name: str,
    input: Tensor,
    dim: Dims,
    unbiased: bool | None,
    keepdim: bool,
    correction: float | None,
) -> Tensor:
    require_tensor(name, input)
    if isinstance(dim, bool):  # var(input, unbiased)
        dim, unbiased = None, dim
    if input._array.dtype.kind != "f":
        raise RuntimeError("std and var only support floating point and complex dtypes")
    if unbiased is not None and correction is not None:
        raise TypeError(f"{name}() takes `unbiased` or `correction`, not both")
    if correction is None:
        correction = 0 if unbiased is False else 1
    dim = reduced_dims(dim, input._array.ndim)
    if ops.count(input._array.shape, dim) - correction <= 0:
        warnings.warn(
            f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the "
            "reduction factor (input numel divided by output numel).",
            UserWarning,
            stacklevel=4,
        )
    return apply(op, input, dim=dim, keepdim=keepdim, correction=correction)


@numpy_names
def prod(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike | None = None
) -> Tensor:
    """The product of all elements, or along `dim`; int64 for integers and bool."""
    require_tensor("prod", input)
    if isinstance(dim, tuple | list):
        raise TypeError("prod(): argument 'dim' must be int, not " + type(dim).__name__)
    if dtype is not None:
        input = input.to(dtype)
    dim = reduced_dims(dim, input._array.ndim)
    wanted = None if dtype is not None else _sum_dtype(input, None)
    return apply(ops.prod, input, dim=dim, keepdim=keepdim, dtype=wanted or input._array.dtype)


@numpy_names
def max(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The largest element; with `dim`, (values, indices) along it; with a tensor, `maximum`."""
    require_tensor("max", input)
    if is_tensor(dim) or other is not None:
        return arithmetic.maximum(input, dim if other is None else other)
    return _extreme("max", ops.max_all, ops.max_dim, return_types.max, input, dim, keepdim)


@numpy_names
def min(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The smallest element; with `dim`, (values, indices) along it; with a tensor, `minimum`."""
    require_tensor("min", input)
    if is_tensor(dim) or other is not None:
        return arithmetic.minimum(input, dim if other is None else other)
    return _extreme("min", ops.min_all, ops.min_dim, return_types.min, input, dim, keepdim)


def _extreme(
    name: str, of_all: Any, along: Any, pair: Any, input: Tensor, dim: Dims, keepdim: bool
) -> Any:
    if dim is None:
        refuse_empty(name, input, None)
        return apply(of_all, input)
    if isinstance(dim, tuple | list):
        raise TypeError(f"{name}(): argument 'dim' must be int, not {type(dim).__name__}")
    dim = wrap_dim(dim, input._array.ndim)
    refuse_empty(name, input, (dim,))
    return pair(*apply(along, input, dim=dim, keepdim=keepdim))


def refuse_empty(name: str, input: Tensor, dims: tuple[int, ...] | None) -> None:
    """Raise if a reduction that chooses an element has none to choose from."""
    if input._array.size:
        return
    if dims is None:
        error = IndexError if name.startswith("arg") else RuntimeError
        raise error(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. "
            "Specify the reduction dim with the 'dim' argument."
        )
    for dim in dims:
        if input._array.ndim and input._array.shape[dim] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {dim} to have non-zero size.")


@numpy_names
def amax(input: Tensor, dim: Dims = (), keepdim: bool = False) -> Tensor:
    """The largest element along `dim`; equal ones share the gradient."""
    return _many("amax", ops.amax, input, dim, keepdim)


@numpy_names
def amin(input: Tensor, dim: Dims = (), keepdim: bool = False) -> Tensor:
    """The smallest element along `dim`; equal ones share the gradient."""
    return _many("amin", ops.amin, input, dim, keepdim)


def _many(name: str, op: Op, input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    require_tensor(name, input)
    dim = reduced_dims(dim, input._array.ndim)
    refuse_empty(name, input, dim)
    return apply(op, input, dim=dim, keepdim=keepdim)


@numpy_names
def argmax(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The index of the first largest element; of the flattened input without `dim`."""
    return _index_of("argmax", ops.argmax, input, dim, keepdim)


@numpy_names
def argmin(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The index of the first smallest element; of the flattened input without `dim`."""
    return _index_of("argmin", ops.argmin, input, dim, keepdim)


def _index_of(name: str, op: Op, input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    require_tensor(name, input)
    if input._array.dtype.kind == "b":
        raise RuntimeError(f"{name}(): does not support bool input")
    if dim is not None:
        dim = wrap_dim(dim, input._array.ndim)
    refuse_empty(name, input, None if dim is None else (dim,))
    return apply(op, input, dim=dim if input._array.ndim else None, keepdim=keepdim)


@numpy_names
def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether an element is nonzero."""
    return _truth("any", ops.any, input, dim, keepdim)


@numpy_names
def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether every element is nonzero."""
    return _truth("all", ops.all, input, dim, keepdim)


def _truth(name: str, op: Op, input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    require_tensor(name, input)
    if isinstance(dim, tuple | list) and not dim:
        truth = input != 0
        return truth.to(input.dtype) if input._array.dtype.name == "uint8" else truth
    return apply(op, input, dim=reduced_dims(dim, input._array.ndim), keepdim=keepdim)


@numpy_names
def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False) -> Tensor:
    """`log(sum(exp(input)))` along `dim`, without overflow."""
    require_tensor("logsumexp", input)
    if dim is None:
        raise TypeError("logsumexp(): argument 'dim' (position 2) must be tuple of ints, not None")
    return apply(ops.logsumexp, input, dim=reduced_dims(dim, input._array.ndim), keepdim=keepdim)


@numpy_names
def cumsum(input: Tensor, dim: int, *, dtype: DTypeLike | None = None) -> Tensor:
    """The running sum along `dim`; int64 for integers and bool."""
    require_tensor("cumsum", input)
    dim = wrap_dim(dim, input._array.ndim)
    wanted = _sum_dtype(input, dtype)
    if wanted is not None and wanted.kind == "b":
        raise not_implemented("cumsum_out_cpu")
    if input._array.ndim == 0:
        return sum(input, dtype=dtype)
    return apply(ops.cumsum, input, dim=dim, dtype=wanted)
