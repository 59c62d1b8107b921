"""Operations of several networks side by side, and of distributions of values."""

import numpy as np

from autograd.functional import fused
from autograd.ops import normalization, stack
from tests.autograd.op_table import Row, numbers, positive, signed

TARGET = 3 * signed(4, 7, seed=1)


def rms(x, weight):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * weight


def column_norm(x, weight, bias):
    mean, variance = x.mean(-2, keepdims=True), x.var(-2, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5) * weight + bias, mean, variance


def affine(x, weight, bias):
    out = np.stack([(x if x.ndim == 2 else x[n]) @ w.T for n, w in enumerate(weight)])
    return out if bias is None else out + bias


def quantile_huber(quantiles, target):
    """By the definition, one pair at a time."""
    networks, rows, m = quantiles.shape
    losses = np.zeros((networks, rows, 1))
    for n, b, i in np.ndindex(quantiles.shape):
        level = (i + 0.5) / m
        for sample in target[b]:
            error = sample - quantiles[n, b, i]
            size = abs(error)
            huber = error**2 / 2 if size <= 1 else size - 0.5
            losses[n, b, 0] += abs(level - (error < 0)) * huber / (m * target.shape[1])
    return losses


def spread_atoms(shares, places):
    """By the definition, one atom at a time: four atoms from -1 to 2."""
    result = np.zeros_like(shares)
    for b, j in np.ndindex(shares.shape):
        place = min(max(places[b, j], -1), 2) + 1
        for i in range(shares.shape[1]):
            result[b, i] += shares[b, j] * max(0, 1 - abs(place - i))
    return result


ROWS = [
    Row(
        normalization.row_norm,
        lambda t, x, weight: fused.row_norm(x, weight, None, 1e-5, is_centred=False),
        rms,
        [(signed(4, 5), positive(5)), (signed(2, 4, 5), positive(2, 1, 5))],
        in_torch=False,
        half=False,
    ),
    Row(
        normalization.row_norm,
        lambda t, x, weight, bias: fused.row_norm(x, weight, bias, 1e-5, is_centred=True),
        lambda x, weight, bias: rms(x - x.mean(-1, keepdims=True), weight) + bias,
        [
            (signed(4, 5), positive(5), signed(5, seed=1)),
            (signed(2, 4, 5), positive(2, 1, 5), signed(2, 1, 5, seed=1)),
        ],
        in_torch=False,
        half=False,
    ),
    Row(
        normalization.column_norm,
        lambda t, x, weight, bias: fused.column_norm(x, weight, bias, 1e-5),
        column_norm,
        [
            (signed(1, 5, 4), positive(1, 1, 4), signed(1, 1, 4, seed=1)),
            (signed(2, 6, 3), positive(2, 1, 3), signed(2, 1, 3, seed=1)),
        ],
        in_torch=False,
        half=False,
    ),
    Row(
        stack.affine,
        lambda t, x, weight, bias: fused.affine(x, weight, bias),
        affine,
        [
            (signed(4, 3), signed(2, 5, 3, seed=1), signed(2, 1, 5, seed=2)),
            (signed(2, 4, 3), signed(2, 5, 3, seed=1), signed(2, 1, 5, seed=2)),
            (signed(1, 4, 3), signed(1, 5, 3, seed=1), None),
        ],
        in_torch=False,
    ),
    Row(
        stack.lowest,
        lambda t, x: fused.lowest(x),
        lambda x: x.min(0),
        [(numbers(3, 4, 2),), (numbers(2, 4, 1),)],
        in_torch=False,
    ),
    Row(
        stack.of_lowest,
        lambda t, x, values: fused.of_lowest(x, values),
        lambda x, values: np.take_along_axis(x, values.argmin(0)[None], 0)[0],
        [
            (numbers(3, 4, 5), numbers(3, 4, 1, seed=1)),
            (numbers(2, 4, 5), numbers(2, 4, 1, seed=1)),
        ],
        in_torch=False,
    ),
    Row(
        stack.smallest,
        lambda t, x: fused.smallest(x, 2),
        lambda x: np.sort(x)[:, :2],
        [(numbers(3, 5),)],
        in_torch=False,
    ),
    Row(
        stack.quantile_huber,
        lambda t, x: fused.quantile_huber(x, t.tensor(TARGET, dtype=x.dtype, device=x.device)),
        lambda x: quantile_huber(x, TARGET),
        [(3 * signed(2, 4, 5),)],
        in_torch=False,
        half=False,
    ),
    Row(
        stack.spread_atoms,
        lambda t, x, places: fused.spread_atoms(x, places, -1, 2),
        spread_atoms,
        [(positive(3, 4), 3 * signed(3, 4, seed=1))],
        in_torch=False,
        half=False,
    ),
]
