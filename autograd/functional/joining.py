"""Joining tensors, and splitting one into several."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from autograd.engine.apply import apply
from autograd.engine.promotion import result_dtype
from autograd.functional.checks import integer, is_tensor, require_tensor, require_tensors, wrap_dim
from autograd.ops import shape as ops

if TYPE_CHECKING:
    from autograd.types import Tensor


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Concatenate tensors along `dim`."""
    inputs = require_tensors("cat", tensors)
    if not inputs:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    shapes = [tensor._array.shape for tensor in inputs]
    if () in shapes:
        raise RuntimeError(
            f"zero-dimensional tensor (at position {shapes.index(())}) cannot be concatenated"
        )
    # torch ignores empty vectors among tensors of any shape.
    first = next((shape for shape in shapes if shape != (0,)), (0,))
    dim = wrap_dim(dim, len(first))
    for i, shape in enumerate(shapes):
        if shape not in (first, (0,)):
            _check_joinable(first, shape, dim, i)
    return apply(ops.cat, *_of_one_dtype(inputs), dim=dim)


def _of_one_dtype(inputs: tuple[Any, ...]) -> tuple[Tensor, ...]:
    dtypes = {tensor._array.dtype for tensor in inputs}
    if len(dtypes) == 1:
        return inputs
    common = result_dtype([tensor._array for tensor in inputs])
    return tuple(
        t if t._array.dtype == common else apply(ops.to_dtype, t, dtype=common) for t in inputs
    )


concat = concatenate = cat


def _check_joinable(first: tuple[int, ...], shape: tuple[int, ...], dim: int, i: int) -> None:
    if len(shape) != len(first):
        raise RuntimeError(
            f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}"
        )
    for d, (expected, n) in enumerate(zip(first, shape, strict=True)):
        if d != dim and n != expected:
            raise RuntimeError(
                f"Sizes of tensors must match except in dimension {dim}. Expected size {expected} "
                f"but got size {n} for tensor number {i} in the list."
            )


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Stack tensors along a new dimension."""
    inputs = require_tensors("stack", tensors)
    if not inputs:
        raise RuntimeError("stack expects a non-empty TensorList")
    shape = inputs[0]._array.shape
    dim = wrap_dim(dim, len(shape) + 1)
    for i, tensor in enumerate(inputs):
        if tensor._array.shape != shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(shape)} at entry 0 and "
                f"{list(tensor._array.shape)} at entry {i}"
            )
    return apply(ops.stack, *_of_one_dtype(inputs), dim=dim)


def split(
    tensor: Tensor,
    split_size_or_sections: int | Sequence[int] | None = None,
    dim: int = 0,
    *,
    split_size: int | Sequence[int] | None = None,
) -> tuple[Tensor, ...]:
    """Views of `tensor` in parts of one size (the last may be smaller), or of the sizes given.

    `split_size` is the name of that argument in the method.
    """
    require_tensor("split", tensor, "tensor")
    if split_size_or_sections is None:
        split_size_or_sections = split_size
    shape = tensor._array.shape
    if not shape:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim = wrap_dim(dim, len(shape))
    if isinstance(split_size_or_sections, tuple | list):
        return _split_with_sizes(tensor, split_size_or_sections, dim)
    size = integer("split", split_size_or_sections, "split_size", 2)
    if size < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    if size == 0 and shape[dim] != 0:
        raise RuntimeError(
            "split_size can only be 0 if dimension size is 0, but got dimension size of "
            f"{shape[dim]}"
        )
    starts = range(0, shape[dim], size) if shape[dim] else (0,)
    return _parts("Split", tensor, dim, (*starts, shape[dim]))


def _split_with_sizes(tensor: Tensor, sizes: Sequence[int], dim: int) -> tuple[Tensor, ...]:
    length = tensor._array.shape[dim]
    if any(n < 0 for n in sizes):
        raise RuntimeError(
            "split_with_sizes expects split_sizes have only non-negative entries, but got "
            f"split_sizes={list(sizes)}"
        )
    if sum(sizes) != length:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {length} (input tensor's size "
            f"at dimension {dim}), but got split_sizes={list(sizes)}"
        )
    return _parts("SplitWithSizes", tensor, dim, tuple(accumulate(sizes, initial=0)))


def _parts(name: str, tensor: Tensor, dim: int, bounds: tuple[int, ...]) -> tuple[Tensor, ...]:
    count = len(bounds) - 1
    if count == 0:
        return ()
    parts = apply(ops.split(name, count), tensor, dim=dim, bounds=bounds)
    return parts if count > 1 else (parts,)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` views of equal size; the last may be smaller."""
    require_tensor("chunk", input)
    if not input._array.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    length = input._array.shape[wrap_dim(dim, input._array.ndim)]
    if length == 0:
        return _split_with_sizes(input, [0] * chunks, wrap_dim(dim, input._array.ndim))
    return split(input, -(-length // chunks), dim)


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The views at each place of `dim`, without that dimension."""
    require_tensor("unbind", input)
    if not input._array.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    dim = wrap_dim(dim, input._array.ndim)
    count = input._array.shape[dim]
    if count == 0:
        return ()
    parts = apply(ops.unbind(count), input, dim=dim)
    return parts if count > 1 else (parts,)


def narrow(input: Tensor, dim: int, start: int | Tensor, length: int) -> Tensor:
    """The view of `length` places of `dim` from `start` on."""
    require_tensor("narrow", input)
    if not input._array.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if is_tensor(start):
        if start._array.ndim or start._array.dtype.kind not in "iu":
            raise RuntimeError("start must be an 0-dim integral Tensor.")
        start = int(start.item())
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    dim = wrap_dim(dim, input._array.ndim)
    size = input._array.shape[dim]
    if not -size <= start <= size:
        raise IndexError(
            f"start out of range (expected to be in range of [{-size}, {size}], but got {start})"
        )
    start += size if start < 0 else 0
    if start > size - length:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return apply(ops.narrow, input, dim=dim, start=start, stop=start + length)


def select(input: Tensor, dim: int, index: int | Tensor) -> Tensor:
    """The view at one place of `dim`, without that dimension."""
    require_tensor("select", input)
    if not input._array.ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim = wrap_dim(dim, input._array.ndim)
    size, index = input._array.shape[dim], int(index)
    if not -size <= index < size:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input._array.shape)} "
            f"at dimension {dim}"
        )
    return apply(ops.select, input, dim=dim, index=index % size)
