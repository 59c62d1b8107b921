"""Views and copies of other shapes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from autograd.backend import Array, Backend, Shape, place
from autograd.ops.op import Op


def _reshape(name: str) -> Op:
    return Op(name, lambda xp, input, *, shape: input.reshape(shape), view=True,
              input=lambda xp, g, shapes: g.reshape(shapes[0]))  # fmt: skip


# One function, under each name that torch gives to its node.
view = _reshape("View")
reshape_copy = _reshape("UnsafeView")
unsqueeze = _reshape("Unsqueeze")
squeeze = _reshape("Squeeze")
squeeze_dim = _reshape("Squeeze1")
squeeze_dims = _reshape("Squeeze2")

alias = Op("Alias", lambda xp, input: input[...], view=True, input=lambda xp, g: g)

# As in torch, without a gradient: bits have none.
view_dtype = Op("ViewDtype", lambda xp, input, *, dtype: input.view(dtype), view=True)

transpose = Op("Transpose", lambda xp, input, *, dim0, dim1: input.swapaxes(dim0, dim1), view=True,
               input=lambda xp, g, dim0, dim1: g.swapaxes(dim0, dim1))  # fmt: skip

t = Op("T", lambda xp, input: input.T, view=True, input=lambda xp, g: g.T)

permute = Op("Permute", lambda xp, input, *, dims: input.transpose(dims), view=True)


@permute.gradient("input")
def _(xp: Backend, g: Array, dims: tuple[int, ...]) -> Array:
    inverse = [0] * len(dims)
    for i, dim in enumerate(dims):
        inverse[dim] = i
    return g.transpose(inverse)


# The engine sums the gradient over the dimensions that were expanded.
expand = Op("Expand", lambda xp, input, *, shape: xp.expand(input, shape), view=True,
            input=lambda xp, g: g)  # fmt: skip

clone = Op("Clone", lambda xp, input, *, order: input.copy(order), input=lambda xp, g: g)

to_dtype = Op("ToCopy", lambda xp, input, *, dtype: input.astype(dtype), input=lambda xp, g: g)

repeat = Op("Repeat", lambda xp, input, *, sizes: xp.tile(input, sizes))


@repeat.gradient("input")
def _(xp: Backend, g: Array, shapes: Sequence[Shape], sizes: tuple[int, ...]) -> Array:
    shape = (1,) * (len(sizes) - len(shapes[0])) + shapes[0]
    pairs = tuple(n for pair in zip(sizes, shape, strict=True) for n in pair)
    summed = xp.sum(g.reshape(pairs), axis=tuple(range(0, len(pairs), 2)))
    return summed.reshape(shapes[0])


def _between(dim: int, start: int, stop: int) -> tuple[slice, ...]:
    return (*(slice(None),) * dim, slice(start, stop))


def among_zeros(xp: Backend, g: Array, shape: Shape, index: Any) -> Array:
    """An array of zeros but for `g` at `index`: the gradient of reading there."""
    whole = xp.zeros(shape, g.dtype)
    whole[index] = g
    return whole


narrow = Op("Slice", lambda xp, input, *, dim, start, stop: input[_between(dim, start, stop)],
            view=True, input=lambda xp, g, shapes, dim, start, stop:
            among_zeros(xp, g, shapes[0], _between(dim, start, stop)))  # fmt: skip

select = Op("Select", lambda xp, input, *, dim, index: input[(slice(None),) * dim + (index, ...)],
            view=True, input=lambda xp, g, shapes, dim, index:
            among_zeros(xp, g, shapes[0], (slice(None),) * dim + (index,)))  # fmt: skip


@cache
def split(name: str, parts: int) -> Op:
    """Return the operation that views a tensor as this many parts."""
    result = Op(name, _split, multi_view=True, outs=parts, differentiable_outs=parts)
    result.gradient("input")(lambda xp, g, dim: xp.concatenate(_several(g), axis=dim))
    return result


def _split(xp: Backend, input: Array, *, dim: int, bounds: tuple[int, ...]) -> Array:
    before = (slice(None),) * dim
    parts = tuple(input[(*before, slice(*pair))] for pair in pairwise(bounds))
    return parts if len(parts) > 1 else parts[0]


@cache
def unbind(parts: int) -> Op:
    """Return the operation that views a tensor as this many parts of one dimension fewer."""
    result = Op("Unbind", _unbind, multi_view=True, outs=parts, differentiable_outs=parts)
    result.gradient("input")(lambda xp, g, dim: xp.stack(_several(g), axis=dim))
    return result


def _unbind(xp: Backend, input: Array, *, dim: int) -> Array:
    before = (slice(None),) * dim
    parts = tuple(input[(*before, i, ...)] for i in range(input.shape[dim]))
    return parts if len(parts) > 1 else parts[0]


def _several(g: Array) -> tuple[Array, ...]:
    return g if isinstance(g, tuple) else (g,)


def _cat(xp: Backend, *inputs: Array, dim: int) -> Array:
    ndim = max([array.ndim for array in inputs])
    # torch ignores empty vectors among tensors of more dimensions.
    return xp.concatenate([array for array in inputs if array.ndim == ndim], axis=dim)


cat = Op("Cat", _cat)


@cat.joint_gradient()
def _(
    xp: Backend, g: Array, shapes: Sequence[Shape], needs: tuple[bool, ...], dim: int
) -> tuple[Array, ...]:
    gradients, start = [], 0
    for shape, needed in zip(shapes, needs, strict=True):
        if len(shape) != g.ndim:
            gradients.append(xp.zeros(shape, g.dtype) if needed else None)
            continue
        gradients.append(g[_between(dim, start, start + shape[dim])] if needed else None)
        start += shape[dim]
    return tuple(gradients)


stack = Op("Stack", lambda xp, *inputs, dim: xp.stack(inputs, axis=dim))


@stack.joint_gradient()
def _(xp: Backend, g: Array, needs: tuple[bool, ...], dim: int) -> tuple[Array, ...]:
    before = (slice(None),) * dim
    return tuple(g[(*before, i, ...)] if needed else None for i, needed in enumerate(needs))


to_device = Op("ToCopy", lambda xp, input, *, device, source: place(input, device),
               input=lambda xp, g, source: place(g, source))  # fmt: skip
