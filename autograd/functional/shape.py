"""Other shapes of the same elements: views where memory allows it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autograd.engine.apply import apply
from autograd.functional.checks import (
    integer,
    require_tensor,
    resolve_shape,
    sizes,
    wrap_dim,
    wrap_dims,
)
from autograd.functional.shape_methods import expand, view
from autograd.ops import shape as ops

if TYPE_CHECKING:
    from autograd.types import Dims, Tensor


def reshape(input: Tensor, *sizes_: Any, shape: Any = None) -> Tensor:
    """The same elements in another shape: a view where possible, else a copy."""
    require_tensor("reshape", input)
    given = sizes_ if shape is None else (shape,)
    wanted = resolve_shape(sizes("reshape", given, "shape"), input._array.size)
    contiguous = input._array.flags.c_contiguous
    return apply(ops.view if contiguous else ops.reshape_copy, input, shape=wanted)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """`input` in the shape of `other`."""
    return reshape(input, other.shape)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The dimensions from `start_dim` to `end_dim` joined into one."""
    require_tensor("flatten", input)
    shape = input._array.shape
    start, end = wrap_dim(start_dim, len(shape)), wrap_dim(end_dim, len(shape))
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not shape:
        return reshape(input, (1,))
    if start == end:
        return input
    return reshape(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """One dimension split into several; one -1 among `sizes` is inferred."""
    shape = input._array.shape
    dim = wrap_dim(dim, len(shape))
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    try:
        parts = resolve_shape(tuple(sizes), shape[dim])
    except RuntimeError:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} "
            f"({shape[dim]}) in the input tensor"
        ) from None
    return view(input, (*shape[:dim], *parts, *shape[dim + 1 :]))


def squeeze(input: Tensor, dim: Dims = None) -> Tensor:
    """Without the dimensions of size 1, or without those of `dim` that have size 1."""
    require_tensor("squeeze", input)
    shape = input._array.shape
    if dim is None:
        return apply(ops.squeeze, input, shape=tuple([n for n in shape if n != 1]))
    if isinstance(dim, tuple | list):
        dims = wrap_dims(dim, len(shape))
        kept = tuple([n for i, n in enumerate(shape) if n != 1 or i not in dims])
        return apply(ops.squeeze_dims, input, shape=kept)
    dim = wrap_dim(dim, len(shape))
    if shape and shape[dim] == 1:
        shape = (*shape[:dim], *shape[dim + 1 :])
    return apply(ops.squeeze_dim, input, shape=shape)


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new dimension of size 1 at `dim`."""
    require_tensor("unsqueeze", input)
    shape = input._array.shape
    dim = wrap_dim(integer("unsqueeze", dim, "dim", 2), len(shape) + 1)
    return apply(ops.unsqueeze, input, shape=(*shape[:dim], 1, *shape[dim:]))


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged."""
    require_tensor("transpose", input)
    ndim = input._array.ndim
    dim0, dim1 = wrap_dim(dim0, ndim), wrap_dim(dim1, ndim)
    if ndim == 0:
        return apply(ops.alias, input)
    return apply(ops.transpose, input, dim0=dim0, dim1=dim1)


swapaxes = swapdims = transpose


def t(input: Tensor) -> Tensor:
    """A matrix transposed; fewer dimensions stay as they are."""
    require_tensor("t", input)
    if input._array.ndim > 2:
        raise RuntimeError(
            f"t() expects a tensor with <= 2 dimensions, but self is {input._array.ndim}D"
        )
    return apply(ops.t, input)


def permute(input: Tensor, *order: Any, dims: Dims = None) -> Tensor:
    """The dimensions in the order of `dims`."""
    require_tensor("permute", input)
    dims = sizes("permute", order if dims is None else (dims,), "dims")
    ndim = input._array.ndim
    if len(dims) != ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the "
            f"length of the desired ordering of dimensions i.e. input.dim() = {ndim} is not equal "
            f"to len(dims) = {len(dims)}"
        )
    wrapped = tuple(wrap_dim(dim, ndim) for dim in dims)
    if len(set(wrapped)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return apply(ops.permute, input, dims=wrapped)


def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """The dimensions `source` moved to `destination`, the others in their order."""
    require_tensor("movedim", input)
    ndim = input._array.ndim
    given = [d if isinstance(d, tuple | list) else (d,) for d in (source, destination)]
    if len(given[0]) != len(given[1]):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(given[0])} dims) should "
            f"contain the same number of dims as destination ({list(given[1])} dims)"
        )
    sources, places = (tuple(wrap_dim(d, ndim) for d in dims) for dims in given)
    for name, dims in zip(("source", "destination"), given, strict=True):
        if len({wrap_dim(d, ndim) for d in dims}) != len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({list(dims)})")
    rest = iter(i for i in range(ndim) if i not in sources)
    moved = dict(zip(places, sources, strict=True))
    return permute(input, tuple(moved[i] if i in moved else next(rest) for i in range(ndim)))


moveaxis = movedim


def numpy_T(input: Tensor) -> Tensor:
    """The attribute `T`: all dimensions in reverse order."""
    return apply(ops.permute, input, dims=tuple(reversed(range(input._array.ndim))))


def matrix_T(input: Tensor) -> Tensor:
    """The attribute `mT`: the last two dimensions exchanged."""
    ndim = input._array.ndim
    if ndim == 0:
        return apply(ops.alias, input)
    if ndim == 1:
        raise RuntimeError(
            "tensor.mT is only supported on matrices or batches of matrices. Got 1-D tensor."
        )
    return transpose(input, -2, -1)


def broadcast_to(input: Tensor, *size: Any) -> Tensor:
    """`input` expanded to `size`."""
    return expand(input, *size)


def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy, through which gradients flow to `input`."""
    require_tensor("clone", input)
    return apply(ops.clone, input, order="K")
