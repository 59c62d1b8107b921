"""Reading and writing elements by index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from autograd.backend import Array, Backend, Shape
from autograd.ops.op import Op
from autograd.ops.shape import among_zeros


class Index(NamedTuple):
    """A parsed `tensor[...]`: a view by `basic`, then elements of it by arrays of indices."""

    basic: tuple[Any, ...]
    advanced: tuple[Any, ...] | None
    kind: str  # the last step to the view: Select, Slice, Unsqueeze or Alias

    def read(self, array: Array) -> Array:
        """Return the elements of an array at this index."""
        part = array[self.basic]
        return part if self.advanced is None else part[self.advanced]

    def write(self, array: Array, value: Array) -> None:
        """Write values at this index."""
        if self.advanced is None:
            array[self.basic] = value
        else:
            array[self.basic][self.advanced] = value


def _view(name: str) -> Op:
    return Op(name, lambda xp, input, *, index: input[index], view=True,
              input=lambda xp, g, shapes, index:
              among_zeros(xp, g, shapes[0], index))  # fmt: skip


views = {name: _view(name) for name in ("Select", "Slice", "Unsqueeze", "Alias")}

take = Op("Index", lambda xp, input, *, index: input[index])


@take.gradient("input")
def _(xp: Backend, g: Array, shapes: Sequence[Shape], index: tuple[Any, ...]) -> Array:
    result = xp.zeros(shapes[0], g.dtype)
    xp.scatter_add(result, index, g)
    return result


def _setitem(xp: Backend, input: Array, value: Array, *, index: Index) -> Array:
    result = input.copy()
    index.write(result, value)
    return result


setitem = Op("CopySlices", _setitem, value=lambda xp, g, index: index.read(g))


@setitem.gradient("input")
def _(xp: Backend, g: Array, index: Index) -> Array:
    result = g.copy()
    index.write(result, 0)
    return result


# The index is an input, so that the engine notices if it changes in place.


def _along(xp: Backend, index: Array, dim: int) -> tuple[Array, ...]:
    """Return the index of every dimension: `index` along `dim`, an element's own in the others."""
    shape = index.shape
    return tuple(
        index if i == dim else xp.arange(n).reshape((n,) + (1,) * (len(shape) - i - 1))
        for i, n in enumerate(shape)
    )


gather = Op("Gather", lambda xp, input, index, *, dim: input[_along(xp, index, dim)])


@gather.gradient("input")
def _(xp: Backend, g: Array, shapes: Sequence[Shape], index: Array, dim: int) -> Array:
    result = xp.zeros(shapes[0], g.dtype)
    if index.shape[dim] == 1:  # no element comes twice, and assigning is faster than adding
        result[_along(xp, index, dim)] = g
    else:
        xp.scatter_add(result, _along(xp, index, dim), g)
    return result


def _corner(array: Array, shape: tuple[int, ...]) -> Array:
    """Return the part of an array that a smaller index covers."""
    return array[tuple(map(slice, shape))] if hasattr(array, "shape") else array


def _source_gradient(
    xp: Backend, g: Array, shapes: Sequence[Shape], index: Array, dim: int
) -> Array:
    """Return the gradient of a source of which `index` used only a corner."""
    gathered = g[_along(xp, index, dim)]
    if gathered.shape == shapes[2]:
        return gathered
    return among_zeros(xp, gathered, shapes[2], tuple(map(slice, index.shape)))


def _scatter(xp: Backend, input: Array, index: Array, src: Array, *, dim: int) -> Array:
    result = input.copy()
    result[_along(xp, index, dim)] = _corner(src, index.shape)
    return result


scatter = Op("Scatter", _scatter, src=_source_gradient)
scatter_value = Op("Scatter1", _scatter)


@scatter.gradient("input")
@scatter_value.gradient("input")
def _(xp: Backend, g: Array, index: Array, dim: int) -> Array:
    result = g.copy()
    result[_along(xp, index, dim)] = 0
    return result


def _scatter_add(xp: Backend, input: Array, index: Array, src: Array, *, dim: int) -> Array:
    result = input.copy()
    xp.scatter_add(result, _along(xp, index, dim), _corner(src, index.shape))
    return result


scatter_add = Op("ScatterAdd", _scatter_add, input=lambda xp, g: g, src=_source_gradient)


def _scatter_reduce(
    xp: Backend, input: Array, index: Array, src: Array, *, dim: int, reduce: str
) -> Array:
    result = input.copy()
    into = xp.scatter_add if reduce == "add" else xp.scatter_multiply
    into(result, _along(xp, index, dim), _corner(src, index.shape))
    return result


scatter_reduce = Op("ScatterReduce", _scatter_reduce)


@scatter_reduce.gradient("input", "src")
def _(xp: Backend, g: Array) -> Array:
    raise RuntimeError(
        "derivative for aten::scatter is not implemented with reduce: use scatter_add instead"
    )


index_select = Op("IndexSelect", lambda xp, input, index, *, dim: xp.take(input, index, axis=dim))


@index_select.gradient("input")
def _(xp: Backend, g: Array, shapes: Sequence[Shape], index: Array, dim: int) -> Array:
    result = xp.zeros(shapes[0], g.dtype)
    xp.scatter_add(result, (slice(None),) * dim + (index,), g)
    return result


embedding = Op(
    "Embedding", lambda xp, weight, input, *, padding_idx: xp.take(weight, input, axis=0)
)


@embedding.gradient("weight")
def _(
    xp: Backend, g: Array, shapes: Sequence[Shape], input: Array, padding_idx: int | None
) -> Array:
    result = xp.zeros(shapes[0], g.dtype)
    xp.scatter_add(result, (input,), g)
    if padding_idx is not None:
        result[padding_idx] = 0
    return result


# `input` and `mask` have one shape: the function has broadcast them.
masked_select = Op("MaskedSelect", lambda xp, input, mask: input[mask],
                   input=lambda xp, g, mask: among_zeros(xp, g, mask.shape, mask))  # fmt: skip
