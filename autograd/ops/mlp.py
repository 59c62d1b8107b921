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
    hidden: tuple[Any, ...]  # the outputs of the hidden layers ([networks,] batch, units)
    values: Any  # of the networks ([networks,] batch, outputs)


def _forward(
    xp: Any, tensors: Sequence[Any], layers: int, networks: int, activation: str, flat: Any
) -> Kept:
    parameters = _stacked(xp, tensors[-2 * layers * networks :], layers, networks, flat)
    inputs = tensors[: -2 * layers * networks]
    x = xp.side_by_side(inputs)
    results = [
        xp.reused_empty((*weight.shape[:-2], x.shape[0], weight.shape[-2]), x.dtype)
        for weight in parameters[::2]
    ]
    _layers(xp, x, parameters, results, activation)
    return Kept(x, tuple(results[:-1]), results[-1])


def _layers(
    xp: Any, x: Any, parameters: Sequence[Any], results: Sequence[Any], activation: str
) -> None:
    last = len(results) - 1
    for i, y in enumerate(results):
        xp.matmul(x, parameters[2 * i].swapaxes(-1, -2), out=y)
        xp.add_bias_(y, parameters[2 * i + 1], activation if i < last else "")
        x = y


def _stacked(
    xp: Any, parameters: Sequence[Any], layers: int, networks: int, flat: Any
) -> Sequence[Any]:
    """Weight and bias of each layer in turn: of one network, or stacked from all of them."""
    if networks == 1:
        return parameters
    if flat is not None and flat.holds(parameters):
        return flat.stacks
    stacks = [xp.stack(parameters[i :: 2 * layers]) for i in range(2 * layers)]
    stacks[1::2] = [bias[:, None] for bias in stacks[1::2]]
    return stacks


def _backward(
    xp: Any, g: Any, needs: Sequence[bool], tensors: Sequence[Any], kept: Kept, layers: int,
    networks: int, activation: str, flat: Any,
) -> list[Any]:  # fmt: skip
    """The gradients of all inputs and parameters; `g` is that of the networks' outputs."""
    count = 2 * layers * networks
    arrays, wanted = tensors[-count:], needs[-count:]
    parameters = _stacked(xp, arrays, layers, networks, flat)
    block = None
    if flat is not None and all(wanted) and flat.holds(arrays):
        block = flat.take_gradients()
        out = block.stacks if networks > 1 else block.views
    else:
        out = [
            xp.empty(parameter.shape, parameter.dtype) if any(wanted[i :: 2 * layers]) else None
            for i, parameter in enumerate(parameters)
        ]
    g = _layers_back(xp, g, kept, parameters, out, activation)
    gradients = _input_gradients(xp, g, parameters[0], tensors[:-count], needs)
    if block is not None:
        flat.give_gradients(block)
        return gradients + block.views
    return gradients + (out if networks == 1 else _apart(out, networks))


def _apart(stacks: Sequence[Any], networks: int) -> list[Any]:
    """The arrays of each network in turn, None where there is no stack."""
    return [
        None if stack is None else stack[n, 0] if i % 2 else stack[n]
        for n in range(networks)
        for i, stack in enumerate(stacks)
    ]


def _layers_back(
    xp: Any, g: Any, kept: Kept, parameters: Sequence[Any], out: Sequence[Any], activation: str
) -> Any:
    """Fill `out` where it is an array; returns the gradient at the first layer."""
    for i in reversed(range(len(parameters) // 2)):
        if out[2 * i] is not None:
            _product(xp, g.swapaxes(-1, -2), kept.hidden[i - 1] if i else kept.x, out[2 * i])
        if out[2 * i + 1] is not None:
            bias = out[2 * i + 1]
            xp.sum_of_rows(g, out=bias if g.ndim == 2 else bias[:, 0])
        if i:
            shape = *g.shape[:-1], parameters[2 * i].shape[-1]
            g = _product(xp, g, parameters[2 * i], xp.reused_empty(shape, g.dtype))
            xp.activation_gradient_(g, kept.hidden[i - 1], activation)
    return g


def _product(xp: Any, first: Any, second: Any, out: Any) -> Any:
    # An outer product goes faster as a multiplication.
    return (xp.multiply if first.shape[-1] == 1 else xp.matmul)(first, second, out=out)


def _input_gradients(
    xp: Any, g: Any, weight: Any, inputs: Sequence[Any], needs: Sequence[bool]
) -> list[Any]:
    """Only the columns of the first weight that an input in need has met are multiplied."""
    gradients, start = [], 0
    for input, needed in zip(inputs, needs, strict=False):
        end = start + input.shape[1]
        gradient = xp.matmul(g, weight[..., start:end]) if needed else None
        if needed and g.ndim == 3:
            gradient = xp.add.reduce(gradient, axis=0)
        gradients.append(gradient)
        start = end
    return gradients


def _mlp(
    xp: Any, *tensors: Any, layers: int, networks: int, activation: str, flat: Any
) -> tuple[Any, Kept]:
    """The outputs of one network (batch, outputs), or of several (networks, batch, outputs)."""
    kept = _forward(xp, tensors, layers, networks, activation, flat)
    return kept.values, kept


mlp = Op("Mlp", _mlp, keeps=True, gives_parts=True)


@mlp.joint_gradient()
def _(
    xp: Any, g: Any, needs: Any, tensors: Any, kept: Any, layers: int, networks: int,
    activation: str, flat: Any,
) -> list[Any]:  # fmt: skip
    return _backward(xp, g, needs, tensors, kept, layers, networks, activation, flat)


def _min_mlp(
    xp: Any, *tensors: Any, layers: int, networks: int, activation: str, flat: Any
) -> tuple[Any, Kept]:
    """The smallest output of several networks, element by element (batch, outputs)."""
    kept = _forward(xp, tensors, layers, networks, activation, flat)
    return xp.min(kept.values, axis=0), kept


min_mlp = Op("MinMlp", _min_mlp, keeps=True, gives_parts=True)


@min_mlp.joint_gradient()
def _(
    xp: Any, g: Any, needs: Any, tensors: Any, kept: Any, layers: int, networks: int,
    activation: str, flat: Any,
) -> list[Any]:  # fmt: skip
    g = xp.minimum_gradient(g, kept.values)
    return _backward(xp, g, needs, tensors, kept, layers, networks, activation, flat)
