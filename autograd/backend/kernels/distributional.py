"""What distributional critics compute, in functions that NumPy and CuPy have under one name."""

from __future__ import annotations

from typing import Any

from autograd.backend.kernels.contract import Array


def quantile_huber(xp: Any, quantiles: Array, target: Array) -> tuple[Array, Array]:
    """Do what `Backend.quantile_huber` says, network by network: the pairs of all are many."""
    networks, rows, m = quantiles.shape
    levels = ((xp.arange(m, dtype=quantiles.dtype) + 0.5) / m)[:, None]
    losses = xp.empty((networks, rows, 1), quantiles.dtype)
    slopes = xp.empty_like(quantiles)
    for n in range(networks):
        error = target[:, None, :] - quantiles[n][:, :, None]  # (rows, m, k)
        inside = xp.clip(error, -1, 1)
        weight = xp.abs(levels - (error < 0))
        inside *= weight
        slopes[n] = -inside.mean(axis=2) / m
        error -= xp.clip(error, -1, 1) / 2
        losses[n, :, 0] = (inside * error).mean(axis=(1, 2))
    return losses, slopes


def spread_atoms(xp: Any, shares: Array, places: Array, low: float, high: float) -> Array:
    """Do what `Backend.spread_atoms` says."""
    rows, n = shares.shape
    place = (xp.clip(places, low, high) - low) * ((n - 1) / (high - low))
    below = xp.minimum(xp.floor(place), n - 1)
    above_share = shares * (place - below)
    below = below.astype(xp.int64)
    result = xp.zeros_like(shares)
    row = xp.arange(rows)[:, None]
    xp.scatter_add(result, (row, below), shares - above_share)
    xp.scatter_add(result, (row, xp.minimum(below + 1, n - 1)), above_share)
    return result
