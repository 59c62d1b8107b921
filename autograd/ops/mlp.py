"""Multilayer perceptrons as one node: one of them, several side by side, and their minimum.

Several networks of one shape have the same inputs. All their weights and biases are one input,
`parameters` (networks, size), whose `StackLayout` tells where each lies. The arrays of several
networks are stacked, (networks, ...), so that one call serves all; those of one network are (...).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from autograd.backend import Array, Backend
from autograd.backend.layout import StackLayout
from autograd.ops.op import Op


class Kept(NamedTuple):
    """What a forward pass keeps for the gradient."""

    x: Array  # all inputs side by side (batch, n)
    hidden: Sequence[Array]  # the outputs of the hidden layers ([networks,] batch, units)
    values: Array  # of the networks ([networks,] batch, outputs)


# -- forward ------------------------------------------------------------------------------------


def _forward(xp: Backend, tensors: Sequence[Array], layout: StackLayout, activation: str) -> Kept:
    *inputs, parameters = tensors
    parts = layout.parts(parameters)
    x = out = xp.side_by_side(inputs)
    outs = []
    for weight, bias in zip(parts[::2], parts[1::2], strict=True):
        y = xp.reused_empty((*weight.shape[:-2], len(x), weight.shape[-2]), x.dtype)
        xp.matmul(out, weight.swapaxes(-1, -2), out=y)
        outs.append(y)
        xp.add_bias_(y, bias, activation if len(outs) < layout.layers else "")
        out = y
    return Kept(x, outs[:-1], outs[-1])


# -- backward -----------------------------------------------------------------------------------


def _backward(
    xp: Backend, g: Array, needs: Sequence[bool], tensors: Sequence[Array], kept: Kept,
    layout: StackLayout, activation: str,
) -> list[Array | None]:  # fmt: skip
    """Return the gradients of the inputs and parameters; `g`: that of the networks' outputs."""
    *inputs, parameters = tensors
    gradient, outs = None, None
    if needs[-1]:
        gradient = xp.reused_empty(parameters.shape, parameters.dtype)
        outs = layout.views(gradient)
    columns = _columns(inputs, needs)
    parts = layout.parts(parameters)
    gradients = _layers_back(xp, g, kept.x, kept.hidden, parts, outs, activation, columns)
    if layout.networks > 1:
        gradients = [g if g is None else xp.add.reduce(g, axis=0) for g in gradients]
    return [*gradients, gradient]


def _layers_back(
    xp: Backend, g: Array, x: Array, hidden: Sequence[Array], parts: Sequence[Array],
    outs: Sequence[Array] | None, activation: str, columns: Sequence[slice | None],
) -> list[Array | None]:  # fmt: skip
    """Fill `outs`, if given, with the gradients of `parts`; return those of the inputs."""
    for i in reversed(range(len(hidden) + 1)):
        if outs is not None:
            weight, bias = outs[2 * i : 2 * i + 2]
            _product(xp, g.swapaxes(-1, -2), hidden[i - 1] if i else x, weight)
            xp.sum_of_rows(g, out=bias.reshape(g.shape[:-2] + g.shape[-1:]))
        if i:
            below = xp.reused_empty((*g.shape[:-1], parts[2 * i].shape[-1]), g.dtype)
            g = _product(xp, g, parts[2 * i], below)
            xp.activation_gradient_(g, hidden[i - 1], activation)
    return [None if part is None else xp.matmul(g, parts[0][..., part]) for part in columns]


def _product(xp: Backend, first: Array, second: Array, out: Array) -> Array:
    # An outer product is faster as a multiplication.
    return (xp.multiply if first.shape[-1] == 1 else xp.matmul)(first, second, out=out)


def _columns(inputs: Sequence[Array], needs: Sequence[bool]) -> list[slice | None]:
    """Return the columns of the first weight for each input; None if it needs no gradient."""
    columns, start = [], 0
    for input, needed in zip(inputs, needs, strict=False):
        columns.append(slice(start, start + input.shape[1]) if needed else None)
        start += input.shape[1]
    return columns


def _rows_back(
    xp: Backend, g: Array, kept: Kept, parts: Sequence[Array], activation: str,
    columns: Sequence[slice | None],
) -> list[Array | None]:  # fmt: skip
    """Return the gradients of a minimum's inputs: each row through the network that gave it."""
    chosen = xp.argmin(kept.values, axis=0)[:, 0]
    gradients = [
        None if part is None else xp.empty((len(chosen), part.stop - part.start), g.dtype)
        for part in columns
    ]
    for n in range(len(kept.values)):
        rows = xp.flatnonzero(chosen == n)
        hidden = [h[n].take(rows, axis=0) for h in kept.hidden]
        own = [array[n] for array in parts]
        ours = _layers_back(xp, g.take(rows, axis=0), None, hidden, own, None, activation, columns)
        for gradient, part in zip(gradients, ours, strict=True):
            if gradient is not None:
                gradient[rows] = part
    return gradients


# -- the operations -----------------------------------------------------------------------------


def _mlp(xp: Backend, *tensors: Array, layout: StackLayout, activation: str) -> tuple[Array, Kept]:
    """The outputs of one network (batch, outputs), or of several (networks, batch, outputs)."""
    kept = _forward(xp, tensors, layout, activation)
    return kept.values, kept


mlp = Op("Mlp", _mlp, keeps=True)


mlp.joint_gradient()(_backward)


def _min_mlp(
    xp: Backend, *tensors: Array, layout: StackLayout, activation: str
) -> tuple[Array, Kept]:
    """The smallest output of several networks, element by element (batch, outputs)."""
    kept = _forward(xp, tensors, layout, activation)
    return xp.min(kept.values, axis=0), kept


min_mlp = Op("MinMlp", _min_mlp, keeps=True)


@min_mlp.joint_gradient()
def _(
    xp: Backend, g: Array, needs: Sequence[bool], tensors: Sequence[Array], kept: Kept,
    layout: StackLayout, activation: str,
) -> list[Array | None]:  # fmt: skip
    if kept.values.shape[-1] == 1 and not needs[-1]:
        parts = layout.parts(tensors[-1])
        if xp.is_worth_choosing_rows(len(g) * max(weight[0].size for weight in parts[::2])):
            columns = _columns(tensors[:-1], needs)
            return [*_rows_back(xp, g, kept, parts, activation, columns), None]
    g = xp.minimum_gradient(g, kept.values)
    return _backward(xp, g, needs, tensors, kept, layout, activation)
