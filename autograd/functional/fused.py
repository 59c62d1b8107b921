"""Fused chains of operations for actor-critic code, under the names of what they fuse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.backend import backend_of
from autograd.backend.layout import FlatParameters
from autograd.engine.apply import apply
from autograd.engine.capture import effect
from autograd.engine.grad_mode import state
from autograd.ops import fused as ops
from autograd.ops import mlp as ops_mlp
from autograd.ops.op import Op


def linear(input: Any, weight: Any, bias: Any) -> Any:
    """`input @ weight.T + bias`."""
    return apply(ops.linear, input, weight, bias)


def mlp(
    inputs: Sequence[Any],
    parameters: Sequence[Any],
    activation: str,
    flat: FlatParameters | None = None,
) -> Any:
    """A multilayer perceptron on the concatenation of `inputs`, as one node.

    `inputs`: (batch, n) each; `parameters`: weight (out, in) and bias (out,) of each layer in turn;
    `activation`: "relu" or "tanh", of all layers but the last; `flat`: where the parameters lie.
    """
    _require_floating_point("mlp", inputs[0])
    return _networks(ops_mlp.mlp, inputs, parameters, 1, activation, flat)


def mlps(inputs: Sequence[Any], flat: FlatParameters, activation: str) -> Any:
    """What `mlp` returns for each of several networks, as one tensor (networks, batch, outputs)."""
    _require_floating_point("mlps", inputs[0])
    stack = _networks(ops_mlp.mlp, inputs, flat.parameters, len(flat.networks), activation, flat)
    return stack if len(flat.networks) > 1 else stack.unsqueeze(0)


def min_mlps(inputs: Sequence[Any], flat: FlatParameters, activation: str) -> Any:
    """The smallest of the networks' outputs, element by element; (batch, outputs)."""
    _require_floating_point("min_mlps", inputs[0])
    networks = len(flat.networks)
    op = ops_mlp.min_mlp if networks > 1 else ops_mlp.mlp
    return _networks(op, inputs, flat.parameters, networks, activation, flat)


def _networks(
    op: Op, inputs: Any, parameters: Any, networks: int, activation: str, flat: Any
) -> Any:
    layers = len(parameters) // (2 * networks)
    return apply(
        op, *inputs, *parameters, layers=layers, networks=networks, activation=activation, flat=flat
    )


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
    )


def soft_value(input: Any, log_prob: Any, alpha: Any) -> tuple[Any, Any]:
    """The soft value `input - alpha * log_prob`, and `-log_prob`, which carries no gradient."""
    _require_floating_point("soft_value", input)
    return apply(ops.soft_value, input, log_prob, alpha)


def discounted(reward: Any, discount: Any, value: Any) -> Any:
    """`reward + discount * value`, outside the graph."""
    xp = backend_of(value._array)
    arrays = reward._array, discount._array, value._array
    return value._wrap(state.run_silently(xp.discounted, *arrays))


def half_mse(input: Any, target: Any) -> Any:
    """Half the mean squared error of each of `input` (n, ...) against `target` (...); (n,)."""
    _require_floating_point("half_mse", input)
    return apply(ops.half_mse, input, target)


@effect
def polyak_update_(targets: FlatParameters, sources: FlatParameters, tau: float) -> None:
    """`target += tau * (source - target)` in place for each pair, outside the graph."""
    target, source = targets.flat, sources.flat
    if target is not None and source is not None:
        backend_of(target).lerp_(target, source, tau)
    else:
        for one, other in zip(targets.parameters, sources.parameters, strict=True):
            backend_of(one._array).lerp_(one._array, other._array, tau)
    for parameter in targets.parameters:
        parameter._bump_version()


def standardise(input: Any, shift: Any, factor: Any, limit: float) -> Any:
    """`(input - shift) * factor`, at least -limit and at most limit, outside the graph."""
    xp = backend_of(input._array)
    return input._wrap(xp.standardise(input._array, shift._array, factor._array, limit))


def watch(value: Any, number: int, first: Any, found: Any) -> None:
    """Note whether a value of one element is finite, without making the host wait for a GPU.

    Where it is not, `first` (0-d int64) becomes the smaller of itself and `number`, and `found`
    (0-d float32) 1.
    """
    backend_of(value._array).watch(value._array, number, first._array, found._array)


def _require_floating_point(name: str, tensor: Any) -> None:
    if tensor._array.dtype.kind != "f":
        raise RuntimeError(f"{name}: expected floating point tensors, got {tensor.dtype}")
