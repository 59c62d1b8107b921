"""Rows of what only neural networks use: losses, rectifiers, normalisation, convolution."""

import math

import numpy as np

from autograd.ops import convolution, loss, normalization, rectifiers
from tests.autograd.op_table import SINGLES, Row, away_from, numbers, positive, signed


def reduced(loss, reduction):
    return loss if reduction == "none" else getattr(np, reduction)(loss)


def pairs(kinks, **settings):
    """Predictions and targets whose differences lie away from the kinks, for every reduction."""
    target = numbers(2, 3, seed=9)
    differences = away_from(numbers(2, 3, low=-3, high=3), kinks)
    row = away_from(numbers(3, low=-3, high=3, seed=4), kinks)
    return [
        (target + differences, target, *settings.values(), "mean"),
        (target + differences, target, *settings.values(), "sum"),
        (target + differences, target, *settings.values(), "none"),
        (target[0] + row, target[0], *settings.values(), "none"),
    ]


def huber(x, y, delta, reduction):
    distance = np.abs(x - y)
    near, far = 0.5 * distance**2, delta * (distance - 0.5 * delta)
    return reduced(np.where(distance <= delta, near, far), reduction)


def smooth_l1(x, y, beta, reduction):
    distance = np.abs(x - y)
    near, far = 0.5 * distance**2 / beta, distance - 0.5 * beta
    return reduced(np.where(distance < beta, near, far), reduction)


def nll(x, target, weight, ignore_index, reduction):
    places = target.reshape(-1)
    rows = np.moveaxis(x, 1, -1).reshape(-1, x.shape[1])
    weights = np.array(
        [0 if c == ignore_index else 1 if weight is None else weight[c] for c in places]
    )
    losses = np.array([0 if c == ignore_index else -r[c] for r, c in zip(rows, places)])  # noqa: B905
    if reduction == "mean":
        return (losses * weights).sum() / weights.sum()
    return reduced((losses * weights).reshape(target.shape), reduction)


def binary_cross_entropy(x, y, weight, reduction):
    probability = 1 / (1 + np.exp(-x))
    loss = -np.array(1 if weight is None else weight) * y * np.log(probability)
    return reduced(loss - (1 - y) * np.log(1 - probability), reduction)


def gelu(x):
    return x * 0.5 * (1 + np.vectorize(math.erf, otypes=[float])(x / math.sqrt(2)))


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def normalized(x, weight, bias, axes):
    result = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)
    result = result if weight is None else result * weight
    return result if bias is None else result + bias


def batch_norm(x, weight, bias):
    shape = (-1, *(1 for _ in x.shape[2:]))
    weight, bias = (None if v is None else v.reshape(shape) for v in (weight, bias))
    return normalized(x, weight, bias, (0, *range(2, x.ndim)))


def convolve(x, weight, bias, stride, padding, dilation, groups):
    """By the definition, one output element at a time."""
    x = np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    out_channels, channels, *kernel = weight.shape
    height, width = (
        (x.shape[2 + i] - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1 for i in (0, 1)
    )
    out = np.zeros((x.shape[0], out_channels, height, width))
    for o in range(out_channels):
        first = o // (out_channels // groups) * channels
        for i, j in np.ndindex(height, width):
            rows = i * stride[0] + dilation[0] * np.arange(kernel[0])
            columns = j * stride[1] + dilation[1] * np.arange(kernel[1])
            patch = x[:, first : first + channels][:, :, rows][..., columns]
            out[:, o, i, j] = (patch * weight[o]).sum((1, 2, 3))
    return out if bias is None else out + bias[:, None, None]


SCORES = signed(4, 3)
CLASSES = np.array([2, 0, 1, 2])
IMAGES = signed(2, 4, 5, 6)

ROWS = [
    Row(
        loss.mse,
        lambda t, x, y, reduction: t.nn.functional.mse_loss(x, y, reduction=reduction),
        lambda x, y, reduction: reduced((x - y) ** 2, reduction),
        pairs([]),
    ),
    Row(
        loss.huber,
        lambda t, x, y, delta, reduction: t.nn.functional.huber_loss(x, y, reduction, delta),
        huber,
        pairs([-0.7, 0, 0.7], delta=0.7),
        kinks=[((np.array([-1.0, 0, 1, 3]), np.zeros(4), 1.0, "none"),
                ([-1, 0, 1, 1], [1, 0, -1, -1], None, None))],
    ),
    Row(
        loss.smooth_l1,
        lambda t, x, y, beta, reduction: t.nn.functional.smooth_l1_loss(
            x, y, reduction=reduction, beta=beta
        ),
        smooth_l1,
        pairs([-0.7, 0, 0.7], beta=0.7),
        kinks=[((np.array([-1.0, 0, 1, 3]), np.zeros(4), 1.0, "none"),
                ([-1, 0, 1, 1], [1, 0, -1, -1], None, None))],
    ),
    Row(
        loss.nll,
        lambda t, x, target, weight, ignore_index, reduction: t.nn.functional.nll_loss(
            x,
            target,
            None if weight is None else t.tensor(weight, dtype=x.dtype, device=x.device),
            ignore_index=ignore_index,
            reduction=reduction,
        ),
        nll,
        [
            (SCORES, CLASSES, None, -100, "mean"),
            (SCORES, CLASSES, [0.5, 1.0, 2.0], -100, "mean"),
            (SCORES, CLASSES, [0.5, 1.0, 2.0], 0, "sum"),
            (SCORES, CLASSES, [0.5, 1.0, 2.0], 2, "mean"),
            (SCORES, CLASSES, None, 2, "none"),
            (signed(2, 3, 2, 2), np.array([[[0, 1], [2, 0]], [[1, 1], [2, 2]]]), None, 1, "mean"),
        ],
    ),
    Row(
        loss.binary_cross_entropy,
        lambda t, x, y, weight, reduction: t.nn.functional.binary_cross_entropy_with_logits(
            x,
            y,
            pos_weight=None if weight is None else t.tensor(weight, dtype=x.dtype, device=x.device),
            reduction=reduction,
        ),
        binary_cross_entropy,
        [
            (signed(2, 3), numbers(2, 3, low=0, high=1, seed=1), None, "mean"),
            (signed(2, 3), numbers(2, 3, low=0, high=1, seed=1), [0.5, 1.0, 2.0], "sum"),
            (signed(2, 3), numbers(2, 3, low=0, high=1, seed=1), [[0.5], [3.0]], "none"),
        ],
        kinks=[((np.zeros(2), np.array([0.0, 1.0]), None, "none"),
                ([0.5, -0.5], [0, 0], None, None))],
    ),
    Row(
        rectifiers.leaky_relu,
        lambda t, x, *slope: t.nn.functional.leaky_relu(x, *slope),
        lambda x, slope=0.01: np.where(x > 0, x, slope * x),
        [*SINGLES, (signed(2, 3), 0.3)],
        kinks=[((np.array([0.0, -1.0, 2.0]), 0.2), ([0.2, 0.2, 1], None))],
    ),
    Row(
        rectifiers.elu,
        lambda t, x, *alpha: t.nn.functional.elu(x, *alpha),
        lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(x)),
        [*SINGLES, (signed(2, 3), 0.3)],
        kinks=[((np.array([0.0, -1.0, 2.0]), 1.0), ([1, math.exp(-1), 1], None))],
    ),
    Row(
        rectifiers.silu,
        lambda t, x: t.nn.functional.silu(x),
        lambda x: x / (1 + np.exp(-x)),
        SINGLES,
    ),
    Row(
        rectifiers.gelu,
        lambda t, x: t.nn.functional.gelu(x),
        gelu,
        SINGLES,
    ),
    Row(
        rectifiers.gelu_tanh,
        lambda t, x: t.nn.functional.gelu(x, approximate="tanh"),
        gelu_tanh,
        SINGLES,
    ),
    Row(
        normalization.layer_norm,
        lambda t, x, weight, bias: t.nn.functional.layer_norm(
            x, x.shape[-1:] if weight is None else weight.shape, weight, bias
        ),
        lambda x, weight, bias: normalized(
            x, weight, bias, tuple(range(-1 if weight is None else -weight.ndim, 0))
        ),
        [
            (signed(4, 5), positive(5), signed(5, seed=3)),
            (signed(4, 5), None, None),
            (signed(2, 3, 4), positive(3, 4), None),
        ],
    ),
    Row(
        normalization.batch_norm,
        lambda t, x, weight, bias: t.nn.functional.batch_norm(
            x, None, None, weight, bias, training=True
        ),
        batch_norm,
        [
            (signed(5, 3), positive(3), signed(3, seed=3)),
            (signed(2, 3, 4), None, None),
            (signed(2, 3, 4), positive(3), None),
        ],
    ),
    Row(
        convolution.convolution,
        lambda t, *arguments: t.nn.functional.conv2d(*arguments),
        convolve,
        [
            (IMAGES, signed(2, 4, 3, 2), signed(2), (1, 1), (0, 0), (1, 1), 1),
            (IMAGES, signed(6, 2, 2, 3), signed(6), (2, 1), (1, 2), (1, 2), 2),
            (IMAGES, signed(4, 1, 3, 3), None, (1, 2), (1, 0), (2, 1), 4),
            (IMAGES, signed(6, 2, 2, 3), signed(6), (1, 1), (1, 3), (2, 1), 2),
            (IMAGES, signed(6, 2, 2, 3), None, (1, 1), (1, 2), (2, 1), 2),
        ],
        whole="int64",
    ),
]  # fmt: skip
