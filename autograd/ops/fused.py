"""Chains that a soft actor-critic update runs most, each as one node: fewer passes, fewer arrays.

Every one equals a composition of ordinary operations, which its test compares it with.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from autograd.ops.op import Op


def _relu(xp: Any, y: Any) -> Any:
    # The loop over two arrays is vectorised in NumPy, the one over an array and a scalar is not.
    return xp.maximum(y, xp.zeros_like(y), out=y)


def _relu_gradient(xp: Any, g: Any, out: Any) -> Any:
    return g * (out > 0)


def _tanh(xp: Any, y: Any) -> Any:
    return xp.tanh(y, out=y)


def _tanh_gradient(xp: Any, g: Any, out: Any) -> Any:
    return g * (1 - out * out)


def _product(xp: Any, input: Any, weight: Any, bias: Any) -> Any:
    out = xp.matmul(input, weight.T)
    if bias is not None:
        out += bias
    return out


def _linear_gradients(xp: Any, g: Any, needs: Any, input: Any, weight: Any) -> tuple[Any, Any, Any]:
    """Gradients of input, weight and bias; each product only where it is needed."""
    rows = g if g.ndim == 2 else g.reshape(-1, g.shape[-1])
    weight_gradient = bias_gradient = None
    if needs[1]:
        inputs = input if input.ndim == 2 else input.reshape(-1, input.shape[-1])
        weight_gradient = xp.matmul(rows.T, inputs)
    if needs[2]:
        bias_gradient = xp.matmul(xp.ones(rows.shape[0], rows.dtype), rows)
    return xp.matmul(g, weight) if needs[0] else None, weight_gradient, bias_gradient


linear = Op("Linear", lambda xp, input, weight, bias: _product(xp, input, weight, bias))


@linear.joint_gradient(input=("weight",), weight=("input",))
def _(xp: Any, g: Any, needs: Any, input: Any, weight: Any) -> tuple[Any, Any, Any]:
    return _linear_gradients(xp, g, needs, input, weight)


def _linear_with(name: str, activate: Callable[..., Any], gradient: Callable[..., Any]) -> Op:
    """`activation(input @ weight.T + bias)`, which saves its input and its output only."""
    fused = Op(
        name,
        lambda xp, input, weight, bias: activate(xp, _product(xp, input, weight, bias)),
    )

    @fused.joint_gradient(input=("weight",), weight=("input",))
    def _(xp: Any, g: Any, needs: Any, input: Any, weight: Any, out: Any) -> tuple[Any, Any, Any]:
        return _linear_gradients(xp, gradient(xp, g, out), needs, input, weight)

    return fused


linear_relu = _linear_with("LinearRelu", _relu, _relu_gradient)
linear_tanh = _linear_with("LinearTanh", _tanh, _tanh_gradient)

_LOG_2 = math.log(2)
_LOG_2_PI_HALF = 0.5 * math.log(2 * math.pi)


def _squashed_gaussian(
    xp: Any, parameters: Any, noise: Any, *, log_std_min: float, log_std_max: float
) -> tuple[Any, Any]:
    """Action tanh(u) with u = mean + std * noise, and its log-probability, summed over dimensions.

    `log(1 - tanh(u)^2) = 2 (log 2 - u - softplus(-2u))` holds for every u; the usual form with an
    epsilon inside the logarithm is biased and loses its gradient where the action saturates.
    """
    n = noise.shape[-1]
    mean = parameters[..., :n]
    log_std = xp.clip(parameters[..., n:], log_std_min, log_std_max)
    u = mean + xp.exp(log_std) * noise
    # softplus(-2u), written so that neither exponential overflows.
    softplus = xp.log1p(xp.exp(-2 * xp.abs(u))) + xp.maximum(-2 * u, xp.zeros_like(u))
    log_prob = -0.5 * noise * noise - log_std - _LOG_2_PI_HALF - 2 * (_LOG_2 - u - softplus)
    return xp.tanh(u), xp.add.reduce(log_prob, axis=-1, keepdims=True)


squashed_gaussian = Op(
    "SquashedGaussian", _squashed_gaussian, outs=2, differentiable_outs=2
)  # (B, 2A), (B, A) -> (B, A), (B, 1)


@squashed_gaussian.gradient("parameters")
def _(
    xp: Any, g: Any, parameters: Any, noise: Any, out: Any, log_std_min: float, log_std_max: float
) -> Any:
    action_gradient, log_prob_gradient = g
    n = noise.shape[-1]
    log_std = parameters[..., n:]
    # d log_prob / du = 2 tanh(u): minus the derivative of log(1 - tanh(u)^2).
    u_gradient = action_gradient * (1 - out * out) + log_prob_gradient * (2 * out)
    std = xp.exp(xp.clip(log_std, log_std_min, log_std_max))
    inside = (log_std >= log_std_min) & (log_std <= log_std_max)
    log_std_gradient = (u_gradient * std * noise - log_prob_gradient) * inside
    return xp.concatenate((u_gradient, log_std_gradient), axis=-1)
