"""Activations that are linear for large inputs."""

from __future__ import annotations

import math

from autograd.backend import Array, Backend
from autograd.ops.op import Op

leaky_relu = Op(
    "LeakyRelu",
    lambda xp, input, *, negative_slope: xp.where(input > 0, input, input * negative_slope),
    input=lambda xp, g, input, negative_slope: xp.where(input > 0, g, g * negative_slope),
)

elu = Op(
    "Elu", lambda xp, input, *, alpha: xp.where(input <= 0, alpha * xp.expm1(input), input),
    input=lambda xp, g, input, alpha: xp.where(input <= 0, g * (alpha * xp.exp(input)), g),
)  # fmt: skip


def _sigmoid(xp: Backend, input: Array) -> Array:
    return 1 / (1 + xp.exp(-input))


silu = Op("Silu", lambda xp, input: input * _sigmoid(xp, input))


@silu.gradient("input")
def _(xp: Backend, g: Array, input: Array) -> Array:
    sigmoid = _sigmoid(xp, input)
    return g * (sigmoid * (1 + input * (1 - sigmoid)))


def _normal_cdf(xp: Backend, input: Array) -> Array:
    return 0.5 * (1 + xp.erf(input * math.sqrt(0.5)))


gelu = Op("Gelu", lambda xp, input: input * _normal_cdf(xp, input))


@gelu.gradient("input")
def _(xp: Backend, g: Array, input: Array) -> Array:
    density = xp.exp(-0.5 * input * input) * (1 / math.sqrt(2 * math.pi))
    return g * (_normal_cdf(xp, input) + input * density)


# The approximation of Hendrycks & Gimpel 2016, "Gaussian Error Linear Units", section 2.
_SCALE, _CUBE = math.sqrt(2 / math.pi), 0.044715


def _gelu_tanh(xp: Backend, input: Array) -> Array:
    return xp.tanh(_SCALE * (input + _CUBE * input * input * input))


gelu_tanh = Op("Gelu", lambda xp, input: 0.5 * input * (1 + _gelu_tanh(xp, input)))


@gelu_tanh.gradient("input")
def _(xp: Backend, g: Array, input: Array) -> Array:
    tanh = _gelu_tanh(xp, input)
    slope = _SCALE * (1 + 3 * _CUBE * input * input)
    return g * (0.5 * (1 + tanh) + 0.5 * input * (1 - tanh * tanh) * slope)
