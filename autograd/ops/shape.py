"""Views and copies of other shapes."""

from __future__ import annotations

from typing import Any

from autograd.ops.op import Op, op


def _reshape(name: str) -> Op:
    return op(name, lambda xp, input, *, shape: input.reshape(shape), view=True,
              input=lambda xp, g, shapes: g.reshape(shapes[0]))  # fmt: skip


# One function under the names that torch gives to its nodes.
view = _reshape("View")
reshape_copy = _reshape("UnsafeView")
unsqueeze = _reshape("Unsqueeze")
squeeze = _reshape("Squeeze")
squeeze_dim = _reshape("Squeeze1")
squeeze_dims = _reshape("Squeeze2")

alias = op("Alias", lambda xp, input: input[...], view=True, input=lambda xp, g: g)

transpose = op("Transpose", lambda xp, input, *, dim0, dim1: input.swapaxes(dim0, dim1), view=True,
               input=lambda xp, g, dim0, dim1: g.swapaxes(dim0, dim1))  # fmt: skip

t = op("T", lambda xp, input: input.T, view=True, input=lambda xp, g: g.T)

permute = Op("Permute", lambda xp, input, *, dims: input.transpose(dims), view=True)


@permute.gradient("input")
def _(xp: Any, g: Any, dims: tuple[int, ...]) -> Any:
    inverse = [0] * len(dims)
    for i, dim in enumerate(dims):
        inverse[dim] = i
    return g.transpose(inverse)


# The engine sums the gradient over the dimensions that were expanded.
expand = op("Expand", lambda xp, input, *, shape: xp.expand(input, shape), view=True,
            input=lambda xp, g: g)  # fmt: skip

clone = op("Clone", lambda xp, input, *, order: input.copy(order), input=lambda xp, g: g)

to_dtype = op("ToCopy", lambda xp, input, *, dtype: input.astype(dtype), input=lambda xp, g: g)

repeat = Op("Repeat", lambda xp, input, *, sizes: xp.tile(input, sizes))


@repeat.gradient("input")
def _(xp: Any, g: Any, shapes: Any, sizes: tuple[int, ...]) -> Any:
    shape = (1,) * (len(sizes) - len(shapes[0])) + shapes[0]
    pairs = tuple(n for pair in zip(sizes, shape, strict=True) for n in pair)
    summed = xp.add.reduce(g.reshape(pairs), axis=tuple(range(0, len(pairs), 2)))
    return summed.reshape(shapes[0])


def _part(name: str, *, multi_view: bool) -> Op:
    """The elements `start` to `stop` of one dimension."""
    result = Op(
        name, lambda xp, input, *, dim, start, stop: input[(slice(None),) * dim + (slice(start, stop),)],
        view=True, multi_view=multi_view,
    )  # fmt: skip

    @result.gradient("input")
    def _(xp: Any, g: Any, shapes: Any, dim: int, start: int, stop: int) -> Any:
        whole = xp.zeros(shapes[0], g.dtype)
        whole[(slice(None),) * dim + (slice(start, stop),)] = g
        return whole

    return result


narrow = _part("Slice", multi_view=False)
split = _part("Split", multi_view=True)
split_with_sizes = _part("SplitWithSizes", multi_view=True)


def _at(name: str, *, multi_view: bool) -> Op:
    """The elements at one place of a dimension, without that dimension."""
    result = Op(
        name, lambda xp, input, *, dim, index: input[(slice(None),) * dim + (index, ...)],
        view=True, multi_view=multi_view,
    )  # fmt: skip

    @result.gradient("input")
    def _(xp: Any, g: Any, shapes: Any, dim: int, index: int) -> Any:
        whole = xp.zeros(shapes[0], g.dtype)
        whole[(slice(None),) * dim + (index,)] = g
        return whole

    return result


select = _at("Select", multi_view=False)
unbind = _at("Unbind", multi_view=True)

cat = Op("Cat", lambda xp, *inputs, dim: xp.concatenate(inputs, axis=dim), promote="number")


@cat.joint_gradient()
def _(xp: Any, g: Any, shapes: Any, needs: Any, dim: int) -> tuple[Any, ...]:
    gradients, start = [], 0
    for shape, needed in zip(shapes, needs, strict=True):
        if len(shape) != g.ndim:  # torch lets an empty vector pass among matrices
            gradients.append(xp.zeros(shape, g.dtype) if needed else None)
            continue
        part = (slice(None),) * dim + (slice(start, start + shape[dim]),)
        gradients.append(g[part] if needed else None)
        start += shape[dim]
    return tuple(gradients)


stack = Op("Stack", lambda xp, *inputs, dim: xp.stack(inputs, axis=dim), promote="number")


@stack.joint_gradient()
def _(xp: Any, g: Any, needs: Any, dim: int) -> tuple[Any, ...]:
    before = (slice(None),) * dim
    return tuple(g[(*before, i, ...)] if needed else None for i, needed in enumerate(needs))

to_device = op("ToCopy", lambda xp, input, *, device, source: xp.place(input, device),
               input=lambda xp, g, source: xp.place(g, source))  # fmt: skip
