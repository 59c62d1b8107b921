"""Normalisation of columns, in functions that NumPy and CuPy have under one name."""

from __future__ import annotations

from typing import Any

from autograd.backend.kernels.contract import Array


def column_norm(
    xp: Any, x: Array, weight: Array, bias: Array, eps: float
) -> tuple[Array, Array, Array, Array, Array]:
    """Do what `Backend.column_norm` says."""
    n = x.shape[-2]
    mean = xp.sum(x, axis=-2, keepdims=True) / n
    normalized = x - mean
    variance = xp.sum(normalized * normalized, axis=-2, keepdims=True) / n
    inverse = 1 / xp.sqrt(variance + eps)
    normalized *= inverse
    out = normalized * weight
    out += bias
    return out, mean, variance, normalized, inverse


def column_norm_gradient(
    xp: Any, g: Array, weight: Array, normalized: Array, inverse: Array
) -> tuple[Array, Array, Array]:
    """Do what `Backend.column_norm_gradient` says."""
    n = normalized.shape[-2]
    along = xp.sum(g * normalized, axis=-2, keepdims=True)
    total = xp.sum(g, axis=-2, keepdims=True)
    result = g - total / n
    result -= normalized * (along / n)
    result *= weight * inverse
    return result, along, total
