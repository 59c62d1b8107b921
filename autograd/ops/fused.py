"""Chains that actor-critic code runs most, each as one node: fewer passes, arrays and calls.

Every one equals a composition of ordinary operations, which its test compares it with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.ops.op import Op


def _affine(xp: Any, input: Any, weight: Any, bias: Any) -> Any:
    out = xp.matmul(input, weight.T)
    if bias is not None:
        out += bias
    return out


def _product(xp: Any, first: Any, second: Any) -> Any:
    """The matrix product, in memory that was used before."""
    out = xp.reused_empty((first.shape[0], second.shape[1]), first.dtype)
    # An outer product goes faster as a multiplication.
    return (xp.multiply if first.shape[1] == 1 else xp.matmul)(first, second, out=out)


linear = Op("Addmm", _affine)  # torch's name of the node


@linear.joint_gradient(input=("weight",), weight=("input",))
def _(xp: Any, g: Any, needs: Any, input: Any, weight: Any) -> tuple[Any, Any, Any]:
    rows = g if g.ndim == 2 else g.reshape(-1, g.shape[-1])
    weight_gradient = None
    if needs[1]:
        weight_gradient = xp.matmul(rows.T, input.reshape(-1, input.shape[-1]))
    return (
        xp.matmul(g, weight) if needs[0] else None,
        weight_gradient,
        xp.sum_of_rows(rows) if needs[2] else None,
    )


def _joined(xp: Any, inputs: Sequence[Any]) -> Any:
    return inputs[0] if len(inputs) == 1 else xp.concatenate(inputs, axis=1)


def _hidden_layers(xp: Any, hidden: Any, weights: Sequence[Any]) -> list[Any]:
    """Parts of the flat array `hidden` as the (batch, units) outputs of the hidden layers."""
    sizes = [weight.shape[0] for weight in weights[:-1]]
    batch = hidden.shape[0] // max(sum(sizes), 1)
    layers, start = [], 0
    for size in sizes:
        layers.append(hidden[start : start + batch * size].reshape(batch, size))
        start += batch * size
    return layers


def _mlp(xp: Any, *tensors: Any, layers: int, activation: str) -> tuple[Any, Any]:
    """The output, and the outputs of the hidden layers end to end, which its gradient needs."""
    inputs, parameters = tensors[: -2 * layers], tensors[-2 * layers :]
    weights, biases = parameters[::2], parameters[1::2]
    x = _joined(xp, inputs)
    units = sum(weight.shape[0] for weight in weights[:-1])
    hidden = xp.reused_empty((x.shape[0] * units,), x.dtype)
    for y, weight, bias in zip(_hidden_layers(xp, hidden, weights), weights, biases, strict=False):
        xp.matmul(x, weight.T, out=y)
        xp.add_bias_(y, bias, activation)
        x = y
    return _affine(xp, x, weights[-1], biases[-1]), hidden


mlp = Op("Mlp", _mlp, outs=2)


@mlp.joint_gradient()
def _(
    xp: Any, g: Any, needs: Any, tensors: Any, out1: Any, layers: int, activation: str
) -> list[Any]:
    inputs, parameters = tensors[: -2 * layers], tensors[-2 * layers :]
    weights = parameters[::2]
    parameter_needs = needs[-2 * layers :]
    hidden = _hidden_layers(xp, out1, weights)
    parameter_gradients: list[Any] = [None] * (2 * layers)
    for i in reversed(range(layers)):
        if parameter_needs[2 * i]:
            x = hidden[i - 1] if i else _joined(xp, inputs)
            parameter_gradients[2 * i] = _product(xp, g.T, x)
        if parameter_needs[2 * i + 1]:
            parameter_gradients[2 * i + 1] = xp.sum_of_rows(g)
        if i:
            g = _product(xp, g, weights[i])
            xp.activation_gradient_(g, hidden[i - 1], activation)
    return [*_input_gradients(xp, g, weights[0], inputs, needs), *parameter_gradients]


def _input_gradients(
    xp: Any, g: Any, weight: Any, inputs: Sequence[Any], needs: Sequence[bool]
) -> list[Any]:
    """Only the columns of the first weight that an input in need has met are multiplied."""
    gradients, start = [], 0
    for input, needed in zip(inputs, needs, strict=False):
        columns = weight[:, start : start + input.shape[1]]
        gradients.append(xp.matmul(g, columns) if needed else None)
        start += input.shape[1]
    return gradients


def _squashed_gaussian(
    xp: Any, parameters: Any, noise: Any, *, log_std_min: float, log_std_max: float
) -> tuple[Any, Any, Any]:
    """Action tanh(u) with u = mean + std * noise, its log-probability, and std * noise.

    `log(1 - tanh(u)^2)` is taken in a form that holds for every u; the usual one with an epsilon
    inside the logarithm is biased and loses its gradient where the action saturates.
    """
    return xp.squashed_gaussian(parameters, noise, log_std_min, log_std_max)


squashed_gaussian = Op(
    "SquashedGaussian", _squashed_gaussian, outs=3, differentiable_outs=2
)  # (B, 2A), (B, A) -> (B, A), (B, 1), (B, A)


@squashed_gaussian.gradient("parameters")
def _(
    xp: Any, g: Any, parameters: Any, out0: Any, out2: Any, log_std_min: float, log_std_max: float
) -> Any:
    log_std = parameters[..., out0.shape[-1] :]
    return xp.squashed_gaussian_gradient(*g, out0, out2, log_std, log_std_min, log_std_max)


@squashed_gaussian.gradient("noise")
def _(
    xp: Any, g: Any, parameters: Any, noise: Any, out0: Any, log_std_min: float, log_std_max: float
) -> Any:
    log_std = parameters[..., noise.shape[-1] :]
    return xp.squashed_gaussian_noise_gradient(*g, out0, noise, log_std, log_std_min, log_std_max)
