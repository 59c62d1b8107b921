"""Normalisation to mean 0 and variance 1 over some axes, with scale and shift, as one node."""

from __future__ import annotations

from autograd.backend import Array, Backend
from autograd.ops.op import Op

Axes = tuple[int, ...]


def _mean(xp: Backend, array: Array, axes: Axes) -> Array:
    count = 1
    for axis in axes:
        count *= array.shape[axis]
    return xp.sum(array, axis=axes, keepdims=True) / count


def _normalize(
    xp: Backend, input: Array, weight: Array, bias: Array, *, axes: Axes, eps: float
) -> tuple[Array, Array, Array]:
    """Return the result and, for the gradients, the normalised input and 1 / deviation."""
    centred = input - _mean(xp, input, axes)
    inverse_std = 1 / xp.sqrt(_mean(xp, centred * centred, axes) + eps)
    normalized = centred * inverse_std
    out = normalized if weight is None else normalized * weight
    return out if bias is None else out + bias, normalized, inverse_std


def _input_gradient(
    xp: Backend, g: Array, weight: Array, out1: Array, out2: Array, axes: Axes
) -> Array:
    slope = g if weight is None else g * weight
    along = out1 * _mean(xp, slope * out1, axes)
    return (slope - _mean(xp, slope, axes) - along) * out2


def _normalization(name: str) -> Op:
    """`weight` and `bias` must broadcast against the input; either may be None."""
    return Op(name, _normalize, outs=3, input=_input_gradient,
              weight=lambda xp, g, out1: g * out1, bias=lambda xp, g: g)  # fmt: skip


layer_norm = _normalization("NativeLayerNorm")
batch_norm = _normalization("NativeBatchNorm")
