"""Activations and the softmax family, each with a numerically stable gradient."""

from __future__ import annotations

from autograd.backend import Array, Backend
from autograd.ops.op import Op

# `out` is never below 0; the gradient of a NaN passes, as in torch.
relu = Op("Relu", lambda xp, input: xp.maximum(input, 0),
          bool_error=RuntimeError("Boolean inputs not supported for relu"),
          input=lambda xp, g, out: xp.where(out != 0, g, 0))  # fmt: skip


def _softplus(xp: Backend, input: Array, *, beta: float, threshold: float) -> Array:
    scaled = input * beta
    return xp.where(scaled > threshold, input, xp.log1p(xp.exp(scaled)) / beta)


softplus = Op("Softplus", _softplus)


@softplus.gradient("input")
def _(xp: Backend, g: Array, input: Array, beta: float, threshold: float) -> Array:
    scaled = input * beta
    growth = xp.exp(scaled)
    return xp.where(scaled > threshold, g, g * growth / (growth + 1))


logsigmoid = Op(
    "LogSigmoid", lambda xp, input: xp.minimum(input, 0) - xp.log1p(xp.exp(-xp.abs(input))),
    input=lambda xp, g, input: g / (1 + xp.exp(input)),
)  # fmt: skip


def _softmax(xp: Backend, input: Array, *, dim: int) -> Array:
    if input.ndim == 0 or input.size == 0:
        return xp.ones_like(input)
    powers = xp.exp(input - xp.max(input, axis=dim, keepdims=True))
    powers /= xp.add.reduce(powers, axis=dim, keepdims=True)
    return powers


softmax = Op("Softmax", _softmax)


@softmax.gradient("input")
def _(xp: Backend, g: Array, out: Array, dim: int) -> Array:
    if g.ndim == 0:
        return xp.zeros_like(g)
    weighted = g * out
    return weighted - out * xp.add.reduce(weighted, axis=dim, keepdims=True)


def _log_softmax(xp: Backend, input: Array, *, dim: int) -> Array:
    if input.ndim == 0 or input.size == 0:
        return xp.zeros_like(input)
    shifted = input - xp.max(input, axis=dim, keepdims=True)
    return shifted - xp.log(xp.add.reduce(xp.exp(shifted), axis=dim, keepdims=True))


log_softmax = Op("LogSoftmax", _log_softmax)


@log_softmax.gradient("input")
def _(xp: Backend, g: Array, out: Array, dim: int) -> Array:
    if g.ndim == 0:
        return xp.zeros_like(g)
    return g - xp.exp(out) * xp.add.reduce(g, axis=dim, keepdims=True)
