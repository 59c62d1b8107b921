"""Normalisation of rows, in functions that NumPy and CuPy have under one name."""

from __future__ import annotations

from typing import Any

from autograd.backend.kernels.contract import Array


def row_norm(
    xp: Any, x: Array, weight: Array, bias: Array | None, eps: float, is_centred: bool
) -> tuple[Array, Array, Array]:
    """Do what `Backend.row_norm` says."""
    n = x.shape[-1]
    if is_centred:
        x = x - xp.sum(x, axis=-1, keepdims=True) / n
    inverse = 1 / xp.sqrt(xp.sum(x * x, axis=-1, keepdims=True) / n + eps)
    normalized = x * inverse
    out = normalized * weight
    if bias is not None:
        out += bias
    return out, normalized, inverse


def row_norm_gradient(
    xp: Any, g: Array, weight: Array, normalized: Array, inverse: Array, is_centred: bool
) -> Array:
    """Do what `Backend.row_norm_gradient` says."""
    n = normalized.shape[-1]
    slope = g * weight
    along = xp.sum(slope * normalized, axis=-1, keepdims=True) / n
    if is_centred:
        slope -= xp.sum(slope, axis=-1, keepdims=True) / n
    slope -= normalized * along
    slope *= inverse
    return slope
