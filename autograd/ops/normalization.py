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


def _scale(
    xp: Backend, centred: Array, weight: Array, bias: Array, axes: Axes, eps: float
) -> tuple[Array, Array, Array, Array]:
    """Return the result, for the gradients the normalised input and 1 / deviation, the variance."""
    variance = _mean(xp, centred * centred, axes)
    inverse_std = 1 / xp.sqrt(variance + eps)
    normalized = centred * inverse_std
    out = normalized if weight is None else normalized * weight
    return out if bias is None else out + bias, normalized, inverse_std, variance


def _normalize(
    xp: Backend, input: Array, weight: Array, bias: Array, *, axes: Axes, eps: float
) -> tuple[Array, ...]:
    """Return what `_scale` does of the centred input, and the mean."""
    mean = _mean(xp, input, axes)
    return *_scale(xp, input - mean, weight, bias, axes, eps), mean


def _input_gradient(
    xp: Backend, g: Array, weight: Array, out1: Array, out2: Array, axes: Axes
) -> Array:
    slope = g if weight is None else g * weight
    along = out1 * _mean(xp, slope * out1, axes)
    return (slope - _mean(xp, slope, axes) - along) * out2


def _normalization(name: str) -> Op:
    """`weight` and `bias` must broadcast against the input; either may be None."""
    return Op(name, _normalize, outs=5, input=_input_gradient,
              weight=lambda xp, g, out1: g * out1, bias=lambda xp, g: g)  # fmt: skip


layer_norm = _normalization("NativeLayerNorm")
batch_norm = _normalization("NativeBatchNorm")


def _rms_norm(
    xp: Backend, input: Array, weight: Array, *, axes: Axes, eps: float
) -> tuple[Array, ...]:
    return _scale(xp, input, weight, None, axes, eps)[:3]


# Root mean square layer normalisation: Zhang & Sennrich 2019, arXiv:1910.07467.
rms_norm = Op("RmsNorm", _rms_norm, outs=3, weight=lambda xp, g, out1: g * out1)


@rms_norm.gradient("input")
def _(xp: Backend, g: Array, weight: Array, out1: Array, out2: Array, axes: Axes) -> Array:
    slope = g if weight is None else g * weight
    return (slope - out1 * _mean(xp, slope * out1, axes)) * out2
