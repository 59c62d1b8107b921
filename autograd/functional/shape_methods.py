"""Shapes: what torch offers only as methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd.backend import backend_of, same_memory
from autograd.dtypes import dtype
from autograd.engine.apply import apply
from autograd.functional.checks import require_tensor, resolve_shape, sizes, type_name
from autograd.ops import shape as ops

if TYPE_CHECKING:
    from autograd.types import Tensor


def view(input: Tensor, *shape: Any, size: Any = None) -> Tensor:
    """The same memory in another shape or dtype; RuntimeError if that would take a copy."""
    if len(shape) == 1 and isinstance(shape[0], dtype):
        return _view_dtype(input, shape[0].numpy)
    wanted = resolve_shape(sizes("view", shape if size is None else (size,)), input._array.size)
    array = input._array
    if not (array.flags.c_contiguous or same_memory(array.reshape(wanted), array)):
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one "
            "dimension spans across two contiguous subspaces). Use .reshape(...) instead."
        )
    return apply(ops.view, input, shape=wanted)


def _view_dtype(input: Tensor, wanted: Any) -> Tensor:
    array = input._array
    if wanted == array.dtype:
        return apply(ops.alias, input)
    size = array.dtype.itemsize
    if wanted.itemsize != size:
        names = f"{type_name(array)} as {type_name(backend_of(array).empty(0, wanted))}"
        words = f"to view {names} (different element sizes)"
        if array.ndim == 0:
            raise RuntimeError(f"self.dim() cannot be 0 {words}")
        factor = max(1, wanted.itemsize // size)
        strides = [stride // size for stride in array.strides]
        divisible = {"size(-1)": array.shape[-1]}
        divisible |= {f"stride({i})": stride for i, stride in enumerate(strides[:-1])}
        for what, number in divisible.items():
            if number % factor:
                raise RuntimeError(
                    f"self.{what} must be divisible by {factor} {words}, but got {number}"
                )
        if array.shape[-1] > 1 and strides[-1] != 1:
            raise RuntimeError(f"self.stride(-1) must be 1 {words}, but got {strides[-1]}")
    return apply(ops.view_dtype, input.detach(), dtype=wanted)


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """`input` viewed in the shape of `other`."""
    return view(input, other.shape)


def expand(input: Tensor, *sizes_: Any, size: Any = None) -> Tensor:
    """A view in which dimensions of size 1 are repeated; -1 keeps a dimension's size."""
    require_tensor("expand", input)
    wanted = sizes("expand", sizes_ if size is None else (size,))
    shape = input._array.shape
    new = len(wanted) - len(shape)
    if new < 0:
        raise RuntimeError(
            f"expand(torch.{type_name(input._array)}Tensor{{{list(shape)}}}, size={list(wanted)}): "
            f"the number of sizes provided ({len(wanted)}) must be greater or equal to the number "
            f"of dimensions in the tensor ({len(shape)})"
        )
    result = list(wanted)
    for i, n in enumerate(wanted):
        if n == -1 and i >= new:
            result[i] = shape[i - new]
        elif i >= new and shape[i - new] not in (1, n):
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size "
                f"({shape[i - new]}) at non-singleton dimension {i}.  Target sizes: "
                f"{list(wanted)}.  Tensor sizes: {list(shape)}"
            )
        elif n < 0:
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) isn't allowed in a leading, non-existing "
                f"dimension {i}"
            )
    return apply(ops.expand, input, shape=tuple(result))


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """`input` expanded to the shape of `other`."""
    return expand(input, other.shape)


def repeat(input: Tensor, *counts: Any, repeats: Any = None) -> Tensor:
    """Repeat `input` along each dimension, as often as `repeats` says."""
    require_tensor("repeat", input)
    numbers = sizes("repeat", counts if repeats is None else (repeats,), "repeats")
    shape = input._array.shape
    if len(numbers) < len(shape):
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of "
            "tensor"
        )
    padded = (1,) * (len(numbers) - len(shape)) + shape
    result = [n * m for n, m in zip(padded, numbers, strict=True)]
    if any(n < 0 for n in numbers):
        raise RuntimeError(
            f"Trying to create tensor with negative dimension {min(result)}: {result}"
        )
    return apply(ops.repeat, input, sizes=numbers)


def contiguous(input: Tensor) -> Tensor:
    """`input` if its memory is contiguous, else a contiguous copy."""
    return input if input._array.flags.c_contiguous else apply(ops.clone, input, order="C")


def is_contiguous(input: Tensor) -> bool:
    """Whether the elements lie in memory in the order of their indices, without gaps."""
    return bool(input._array.flags.c_contiguous)
