"""Multilayer perceptrons as one node: one of them, several side by side, and their minimum.

Several networks of one shape have the same inputs. Their arrays go through NumPy in stacks
(networks, ...), with one call for all of them, where the arrays of one alone are (...).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from autograd.ops.op import Op


class Kept(NamedTuple):
    """What a forward pass keeps for the gradient."""

    x: Any  # all inputs side by side (batch, n)
    hidden: Sequence[Any]  # the outputs of the hidden layers ([networks,] batch, units)
    values: Any  # of the networks ([networks,] batch, outputs)


class Shape(NamedTuple):
    """The settings of an operation on networks."""

    layers: int
    networks: int
    activation: str
    flat: Any  # where the parameters lie, or None

    def stacked(self, xp: Any, parameters: Sequence[Any]) -> Sequence[Any]:
        """Weight and bias of each layer in turn: of one network, or stacked from all of them."""
        if self.networks == 1:
            return parameters
        if self.flat is not None and self.flat.holds(parameters):
            return self.flat.stacks
        stacks = [xp.stack(parameters[i :: 2 * self.layers]) for i in range(2 * self.layers)]
        stacks[1::2] = [bias[:, None] for bias in stacks[1::2]]
        return stacks


# -- forward ------------------------------------------------------------------------------------


def _forward(xp: Any, tensors: Sequence[Any], shape: Shape) -> Kept:
    count = 2 * shape.layers * shape.networks
    inputs, parameters = tensors[:-count], shape.stacked(xp, tensors[-count:])
    x = xp.side_by_side(inputs)
    outs = [
        xp.reused_empty((*weight.shape[:-2], x.shape[0], weight.shape[-2]), x.dtype)
        for weight in parameters[::2]
    ]
    _layers(xp, x, parameters, outs, shape.activation)
    return Kept(x, outs[:-1], outs[-1])


def _layers(
    xp: Any, x: Any, parameters: Sequence[Any], outs: Sequence[Any], activation: str
) -> None:
    last = len(outs) - 1
    for i, out in enumerate(outs):
        xp.matmul(x, parameters[2 * i].swapaxes(-1, -2), out=out)
        xp.add_bias_(out, parameters[2 * i + 1], activation if i < last else "")
        x = out


# -- backward -----------------------------------------------------------------------------------


def _backward(
    xp: Any, g: Any, needs: Sequence[bool], tensors: Sequence[Any], kept: Kept, shape: Shape
) -> list[Any]:
    """The gradients of all inputs and parameters; `g` is that of the networks' outputs."""
    count = 2 * shape.layers * shape.networks
    arrays, wanted = tensors[-count:], needs[-count:]
    parameters, columns = shape.stacked(xp, arrays), _columns(tensors[:-count], needs)
    block = None
    if shape.flat is not None and all(wanted) and shape.flat.holds(arrays):
        block = shape.flat.take_gradients()
        outs = block.stacks if shape.networks > 1 else block.views
    else:
        outs = [
            xp.empty(array.shape, array.dtype) if any(wanted[i :: 2 * shape.layers]) else None
            for i, array in enumerate(parameters)
        ]
    gradients = _layers_back(
        xp, g, kept.x, kept.hidden, parameters, outs, shape.activation, columns
    )
    if shape.networks > 1:
        gradients = [g if g is None else xp.add.reduce(g, axis=0) for g in gradients]
    if block is not None:
        shape.flat.give_gradients(block)
        return gradients + block.views
    return gradients + (outs if shape.networks == 1 else _apart(outs, shape.networks))


def _layers_back(
    xp: Any, g: Any, x: Any, hidden: Sequence[Any], parameters: Sequence[Any],
    outs: Sequence[Any], activation: str, columns: Sequence[slice | None],
) -> list[Any]:  # fmt: skip
    """Fill `outs` where it is an array; returns the gradients of the inputs."""
    for i in reversed(range(len(hidden) + 1)):
        weight, bias = outs[2 * i : 2 * i + 2]
        if weight is not None:
            _product(xp, g.swapaxes(-1, -2), hidden[i - 1] if i else x, weight)
        if bias is not None:
            xp.sum_of_rows(g, out=bias.reshape(g.shape[:-2] + g.shape[-1:]))
        if i:
            below = xp.reused_empty((*g.shape[:-1], parameters[2 * i].shape[-1]), g.dtype)
            g = _product(xp, g, parameters[2 * i], below)
            xp.activation_gradient_(g, hidden[i - 1], activation)
    return [None if part is None else xp.matmul(g, parameters[0][..., part]) for part in columns]


def _product(xp: Any, first: Any, second: Any, out: Any) -> Any:
    # An outer product goes faster as a multiplication.
    return (xp.multiply if first.shape[-1] == 1 else xp.matmul)(first, second, out=out)


def _columns(inputs: Sequence[Any], needs: Sequence[bool]) -> list[slice | None]:
    """The columns of the first weight that each input has met, None for one that is not in need."""
    columns, start = [], 0
    for input, needed in zip(inputs, needs, strict=False):
        columns.append(slice(start, start + input.shape[1]) if needed else None)
        start += input.shape[1]
    return columns


def _rows_back(
    xp: Any, g: Any, kept: Kept, parameters: Sequence[Any], activation: str,
    columns: Sequence[slice | None],
) -> list[Any]:  # fmt: skip
    """The gradients of the inputs of a minimum: each row through the network that it came from."""
    chosen = xp.argmin(kept.values, axis=0)[:, 0]
    gradients = [
        None if part is None else xp.empty((len(chosen), part.stop - part.start), g.dtype)
        for part in columns
    ]
    nothing = [None] * len(parameters)
    for n in range(len(kept.values)):
        rows = xp.flatnonzero(chosen == n)
        hidden = [h[n].take(rows, axis=0) for h in kept.hidden]
        own = [array[n] for array in parameters]
        parts = _layers_back(
            xp, g.take(rows, axis=0), None, hidden, own, nothing, activation, columns
        )
        for gradient, part in zip(gradients, parts, strict=True):
            if gradient is not None:
                gradient[rows] = part
    return gradients


def _apart(stacks: Sequence[Any], networks: int) -> list[Any]:
    """The arrays of each network in turn, None where there is no stack."""
    return [
        None if stack is None else stack[n, 0] if i % 2 else stack[n]
        for n in range(networks)
        for i, stack in enumerate(stacks)
    ]


# -- the operations -----------------------------------------------------------------------------


def _mlp(
    xp: Any, *tensors: Any, layers: int, networks: int, activation: str, flat: Any
) -> tuple[Any, Kept]:
    """The outputs of one network (batch, outputs), or of several (networks, batch, outputs)."""
    kept = _forward(xp, tensors, Shape(layers, networks, activation, flat))
    return kept.values, kept


mlp = Op("Mlp", _mlp, keeps=True, gives_parts=True)


@mlp.joint_gradient()
def _(
    xp: Any, g: Any, needs: Any, tensors: Any, kept: Any, layers: int, networks: int,
    activation: str, flat: Any,
) -> list[Any]:  # fmt: skip
    return _backward(xp, g, needs, tensors, kept, Shape(layers, networks, activation, flat))


def _min_mlp(
    xp: Any, *tensors: Any, layers: int, networks: int, activation: str, flat: Any
) -> tuple[Any, Kept]:
    """The smallest output of several networks, element by element (batch, outputs)."""
    kept = _forward(xp, tensors, Shape(layers, networks, activation, flat))
    return xp.min(kept.values, axis=0), kept


min_mlp = Op("MinMlp", _min_mlp, keeps=True, gives_parts=True)


@min_mlp.joint_gradient()
def _(
    xp: Any, g: Any, needs: Any, tensors: Any, kept: Any, layers: int, networks: int,
    activation: str, flat: Any,
) -> list[Any]:  # fmt: skip
    shape = Shape(layers, networks, activation, flat)
    count = 2 * layers * networks
    if kept.values.shape[-1] == 1 and not any(needs[-count:]):
        parameters = shape.stacked(xp, tensors[-count:])
        if xp.is_worth_choosing_rows(len(g) * max(weight[0].size for weight in parameters[::2])):
            columns = _columns(tensors[:-count], needs)
            return [*_rows_back(xp, g, kept, parameters, activation, columns), *[None] * count]
    g = xp.minimum_gradient(g, kept.values)
    return _backward(xp, g, needs, tensors, kept, shape)
