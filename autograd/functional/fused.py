"""Fused chains of operations for actor-critic code, under the names of what they fuse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.backend import backend_of
from autograd.engine import apply
from autograd.ops import fused as ops

_LINEAR_WITH = {None: ops.linear, "relu": ops.linear_relu, "tanh": ops.linear_tanh}


def linear_activation(input: Any, weight: Any, bias: Any, activation: str | None) -> Any:
    """`activation(input @ weight.T + bias)` for "relu", "tanh" or None."""
    return apply(_LINEAR_WITH[activation], input, weight, bias)


def squashed_gaussian(
    parameters: Any, noise: Any, *, log_std_min: float, log_std_max: float
) -> tuple[Any, Any]:
    """A reparameterised action in [-1, 1] and its log-probability.

    `parameters` (batch, 2 * dimensions): means, then log standard deviations, which are clamped;
    `noise` (batch, dimensions): standard normal. Returns (batch, dimensions) and (batch, 1).
    Source: Haarnoja et al. 2018, "Soft Actor-Critic Algorithms and Applications", appendix C.
    """
    return apply(
        ops.squashed_gaussian,
        parameters,
        noise,
        log_std_min=log_std_min,
        log_std_max=log_std_max,
    )


def polyak_update_(targets: Sequence[Any], sources: Sequence[Any], tau: float) -> None:
    """`target += tau * (source - target)` in place for each pair, outside the graph."""
    for target, source in zip(targets, sources, strict=True):
        xp = backend_of(target._array)
        step = xp.subtract(source._array, target._array)
        step *= tau
        target._array += step
        target._bump_version()
