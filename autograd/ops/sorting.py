"""Order along a dimension: sort, topk and median return values and int64 indices."""

from __future__ import annotations

from collections.abc import Sequence

from autograd.backend import Array, Backend, Shape
from autograd.ops.op import Op
from autograd.ops.reduction import at_index, split_evenly


def order(xp: Backend, input: Array, dim: int, descending: bool) -> Array:
    """Return the indices that sort stably; NaN counts as the largest."""
    if not descending:
        return xp.argsort(input, axis=dim, kind="stable")
    backwards = xp.argsort(xp.flip(input, dim), axis=dim, kind="stable")
    return input.shape[dim] - 1 - xp.flip(backwards, dim)


def _sort(xp: Backend, input: Array, *, dim: int, descending: bool) -> tuple[Array, Array]:
    if input.ndim == 0:
        return input.copy(), xp.zeros((), "i8")
    index = order(xp, input, dim, descending)
    return xp.take_along_axis(input, index, dim), index


def _topk(xp: Backend, input: Array, *, k: int, dim: int, largest: bool) -> tuple[Array, Array]:
    if input.ndim == 0:
        return input.copy(), xp.zeros((), "i8")
    index = order(xp, input, dim, largest)
    index = index[(slice(None),) * dim + (slice(k),)]
    return xp.take_along_axis(input, index, dim), index


def _into_place(xp: Backend, g: Array, out1: Array, shapes: Sequence[Shape], dim: int) -> Array:
    return at_index(xp, g, out1, shapes, dim, True)


sort = Op("Sort", _sort, outs=2, input=_into_place)
topk = Op("Topk", _topk, outs=2, input=_into_place)
argsort = Op("Argsort", lambda xp, input, *, dim, descending:
             order(xp, input, dim, descending))  # fmt: skip


def _median_index(xp: Backend, input: Array, dim: int) -> Array:
    """The index of the lower median, or of the first NaN; size 1 along `dim`."""
    middle = (input.shape[dim] - 1) // 2
    index = order(xp, input, dim, False)[(slice(None),) * dim + (slice(middle, middle + 1),)]
    missing = input != input
    first = xp.argmax(missing, axis=dim, keepdims=True)
    return xp.where(xp.any(missing, axis=dim, keepdims=True), first, index)


def _median(xp: Backend, input: Array, *, dim: int, keepdim: bool) -> tuple[Array, Array]:
    if input.ndim == 0:
        return input.copy(), xp.zeros((), "i8")
    index = _median_index(xp, input, dim)
    values = xp.take_along_axis(input, index, dim)
    return (values, index) if keepdim else (values.squeeze(dim), index.squeeze(dim))


def _median_all(xp: Backend, input: Array) -> Array:
    if input.size == 0:
        return xp.full((), xp.nan, input.dtype)
    flat = input.reshape(-1)
    return flat[_median_index(xp, flat, 0)[0]]


median_dim = Op("Median1", _median, outs=2, input=at_index)
median_all = Op("Median", _median_all, input=split_evenly)
