"""Normalisation to mean 0 and variance 1 over some axes, with scale and shift, as one node."""

from __future__ import annotations

from collections.abc import Sequence

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


def _row_norm(
    xp: Backend, input: Array, weight: Array, bias: Array, *, eps: float, is_centred: bool
) -> tuple[Array, tuple[Array, Array]]:
    """Rows to a mean square of 1 and, if `is_centred`, to mean 0 first, times weight, plus bias."""
    out, *kept = xp.row_norm(input, weight, bias, eps, is_centred)
    return out, tuple(kept)


# LayerNorm and RMSNorm (Zhang & Sennrich 2019, arXiv:1910.07467) of the last dimension.
row_norm = Op("RowNorm", _row_norm, keeps=True,
              weight=lambda xp, g, kept: g * kept[0], bias=lambda xp, g: g)  # fmt: skip


@row_norm.gradient("input")
def _(xp: Backend, g: Array, weight: Array, kept: tuple[Array, Array], is_centred: bool) -> Array:
    return xp.row_norm_gradient(g, weight, *kept, is_centred)


def _column_norm(
    xp: Backend, input: Array, weight: Array, bias: Array, *, eps: float
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """Columns to mean 0 and variance 1, times weight, plus bias; then their mean and variance."""
    *found, normalized, inverse = xp.column_norm(input, weight, bias, eps)
    return tuple(found), (normalized, inverse)


# BatchNorm of the last dimension (Ioffe & Szegedy 2015, arXiv:1502.03167) of several networks.
column_norm = Op("ColumnNorm", _column_norm, outs=3, keeps=True)


@column_norm.joint_gradient()
def _(
    xp: Backend, g: Array, needs: Sequence[bool], weight: Array, kept: tuple[Array, Array]
) -> tuple[Array | None, ...]:
    gradients = xp.column_norm_gradient(g, weight, *kept)
    return tuple(
        gradient if needed else None for gradient, needed in zip(gradients, needs, strict=True)
    )
