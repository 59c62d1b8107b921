"""Random shifts of images: copies of slices on the CPU, one gather on a GPU."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.backend.kernels.contract import Array


def shift_by_copies(images: np.ndarray, offsets: np.ndarray, padding: int) -> np.ndarray:
    """Do what `Backend.shifted` says; nothing is padded, and a uint8 image stays in the cache."""
    height, width = images.shape[2:]
    out = np.empty_like(images)
    for image, shifted, (row, column) in zip(images, out, offsets.tolist(), strict=True):
        down, right = row - padding, column - padding
        top, bottom = max(0, -down), min(height, height - down)
        left, end = max(0, -right), min(width, width - right)
        rows = shifted[:, top:bottom]
        rows[..., left:end] = image[:, top + down : bottom + down, left + right : end + right]
        rows[..., :left] = rows[..., left : left + 1]
        rows[..., end:] = rows[..., end - 1 : end]
        shifted[:, :top] = shifted[:, top : top + 1]
        shifted[:, bottom:] = shifted[:, bottom - 1 : bottom]
    return out


def shift_by_gather(xp: Any, images: Array, offsets: Array, padding: int) -> Array:
    """Do what `Backend.shifted` says, without waiting for the offsets."""
    batch, _, height, width = images.shape
    first = offsets.astype(np.int64) - padding  # of uint8, it would go round
    rows = xp.clip(first[:, :1] + xp.arange(height), 0, height - 1)
    columns = xp.clip(first[:, 1:] + xp.arange(width), 0, width - 1)
    index = xp.arange(batch)[:, None, None], rows[:, :, None], columns[:, None, :]
    return images.transpose(0, 2, 3, 1)[index].transpose(0, 3, 1, 2)
