"""Fused chains of operations for actor-critic code, under the names of what they fuse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.backend import backend_of
from autograd.engine import apply
from autograd.ops import fused as ops


def linear(input: Any, weight: Any, bias: Any) -> Any:
    """`input @ weight.T + bias`."""
    return apply(ops.linear, input, weight, bias)


def mlp(inputs: Sequence[Any], parameters: Sequence[Any], activation: str) -> Any:
    """A multilayer perceptron on the concatenation of `inputs`, as one node.

    `inputs`: (batch, n) each; `parameters`: weight (out, in) and bias (out,) of each layer in turn;
    `activation`: "relu" or "tanh", of all layers but the last.
    """
    _require_floating_point("mlp", inputs[0])
    layers = len(parameters) // 2
    return apply(ops.mlp, *inputs, *parameters, layers=layers, activation=activation)[0]


def mlp_row(x: Any, parameters: Sequence[Any], activation: str) -> Any:
    """`mlp` on one row in arrays: (inputs,) to (outputs,), outside of any graph.

    In a batch of one the calls cost more than the arithmetic, and those of tensors the most.
    """
    arrays = [parameter._array for parameter in parameters]
    xp = backend_of(arrays[0])
    for i in range(0, len(arrays) - 2, 2):
        x = arrays[i].dot(x)
        xp.add_bias_(x, arrays[i + 1], activation)
    return arrays[-2].dot(x) + arrays[-1]


def squashed_gaussian(
    parameters: Any, noise: Any, *, log_std_min: float, log_std_max: float
) -> tuple[Any, Any]:
    """A reparameterised action in [-1, 1] and its log-probability.

    `parameters` (batch, 2 * dimensions): means, then log standard deviations, which are clamped;
    `noise` (batch, dimensions): standard normal. Returns (batch, dimensions) and (batch, 1).
    Source: Haarnoja et al. 2018, "Soft Actor-Critic Algorithms and Applications", appendix C.
    """
    _require_floating_point("squashed_gaussian", parameters)
    return apply(
        ops.squashed_gaussian,
        parameters,
        noise,
        log_std_min=log_std_min,
        log_std_max=log_std_max,
    )[:2]


def polyak_update_(targets: Sequence[Any], sources: Sequence[Any], tau: float) -> None:
    """`target += tau * (source - target)` in place for each pair, outside the graph."""
    for target, source in zip(targets, sources, strict=True):
        backend_of(target._array).lerp_(target._array, source._array, tau)
        target._bump_version()


def watch(value: Any, number: int, first: Any, found: Any) -> None:
    """Note whether a value of one element is finite, without making the host wait for a GPU.

    Where it is not, `first` (0-d int64) becomes the smaller of itself and `number`, and `found`
    (0-d float32) 1.
    """
    backend_of(value._array).watch(value._array, number, first._array, found._array)


def _require_floating_point(name: str, tensor: Any) -> None:
    if tensor._array.dtype.kind != "f":
        raise RuntimeError(f"{name}: expected floating point tensors, got {tensor.dtype}")
