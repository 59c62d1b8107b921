"""Rows of the fused chains: each equals its composition of ordinary steps."""

from itertools import pairwise

import numpy as np

from autograd.backend.layout import StackLayout
from autograd.functional import fused
from autograd.ops import convolution
from autograd.ops import fused as ops
from autograd.ops import mlp as mlp_ops
from tests.autograd.op_table import Row, numbers

LOG_STD_MIN, LOG_STD_MAX = -1.5, 1.5


def linear(x, weight, bias):
    product = x @ weight.T
    return product if bias is None else product + bias


def mlp(activate):
    def reference(first, second, *parameters):
        x = np.concatenate([first, second], 1)
        *hidden, last = zip(parameters[::2], parameters[1::2], strict=True)
        for weight, bias in hidden:
            x = activate(x @ weight.T + bias)
        return x @ last[0].T + last[1]

    return reference


def layers(*sizes):
    return [
        array
        for i, (fan_in, fan_out) in enumerate(pairwise(sizes))
        for array in (numbers(fan_out, fan_in, seed=i), numbers(fan_out, seed=i + 10))
    ]


def networks(*sizes, count=2):
    """The parameters of several networks, and an observation and an action for them."""
    parameters = [
        array
        for n in range(count)
        for i, (fan_in, fan_out) in enumerate(pairwise(sizes))
        for array in (
            numbers(fan_out, fan_in, seed=100 * n + i),
            numbers(fan_out, seed=100 * n + i + 10),
        )
    ]
    inputs = numbers(4, sizes[0] - 2, seed=20), numbers(4, 2, seed=21)
    return (*inputs, *parameters)


def shift(images, offsets, padding):
    padded = np.pad(images, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2), mode="edge")
    height, width = images.shape[2:]
    return np.stack(
        [image[:, y : y + height, x : x + width]
         for image, (y, x) in zip(padded, offsets, strict=True)]
    )  # fmt: skip


def mlps(activate, count):
    def reference(first, second, *parameters):
        each = len(parameters) // count
        one = mlp(activate)
        parts = (parameters[n * each : (n + 1) * each] for n in range(count))
        return np.stack([one(first, second, *part) for part in parts])

    return reference


def together(function, activation, count):
    """The call on networks whose arrays are joined to one, differentiably."""

    def call(t, first, second, *parameters):
        each = len(parameters) // count
        rows = [
            t.cat([p.reshape(-1) for p in parameters[n * each : (n + 1) * each]])
            for n in range(count)
        ]
        sizes = [5, *(p.shape[0] for p in parameters[:each:2])]
        layout = StackLayout(sizes, count)
        return function((first, second), t.stack(rows), layout, activation)

    return call


def squashed_gaussian(parameters, noise):
    """Action and log-probability side by side; the density of tanh(u) by its definition."""
    n = noise.shape[1]
    log_std = np.clip(parameters[:, n:], LOG_STD_MIN, LOG_STD_MAX)
    u = parameters[:, :n] + np.exp(log_std) * noise
    normal = -0.5 * noise**2 - log_std - 0.5 * np.log(2 * np.pi)
    log_prob = (normal - np.log(1 - np.tanh(u) ** 2)).sum(1, keepdims=True)
    return np.concatenate([np.tanh(u), log_prob], 1)


NETWORKS = [
    (numbers(4, 3, seed=20), numbers(4, 2, seed=21), *layers(5, 4, 3, 2)),
    (numbers(4, 3, seed=20), numbers(4, 2, seed=21), *layers(5, 4, 1)),
    (numbers(4, 3, seed=20), numbers(4, 2, seed=21), *layers(5, 2)),
]

OFFSETS = np.array([[0, 0], [4, 4], [2, 2], [1, 3], [3, 0]])

ROWS = [
    Row(
        ops.linear,
        lambda t, x, weight, bias: t.nn.functional.linear(x, weight, bias),
        linear,
        [
            (numbers(4, 3), numbers(2, 3, seed=1), numbers(2, seed=2)),
            (numbers(4, 3), numbers(2, 3, seed=1), None),
            (numbers(2, 4, 3), numbers(2, 3, seed=1), numbers(2, seed=2)),
            (numbers(3), numbers(2, 3, seed=1), numbers(2, seed=2)),
            (numbers(0, 3), numbers(2, 3, seed=1), numbers(2, seed=2)),
        ],
        whole="int64",
    ),
    Row(
        ops.discounted,
        lambda t, reward, discount, value: fused.discounted(reward, discount, value),
        lambda reward, discount, value: reward + discount * value,
        [(numbers(4, 1), numbers(4, 1, seed=1), numbers(4, 1, seed=2))],
        in_torch=False,
    ),
    Row(
        mlp_ops.mlp,
        together(fused.mlp, "tanh", 1),
        mlp(np.tanh),
        NETWORKS,
        in_torch=False,
    ),
    Row(
        mlp_ops.mlp,
        together(fused.mlp, "relu", 1),
        mlp(lambda x: np.maximum(x, 0)),
        NETWORKS,
        in_torch=False,
    ),
    Row(
        mlp_ops.mlp,
        together(fused.mlp, "tanh", 2),
        mlps(np.tanh, 2),
        [networks(5, 4, 3, 2), networks(5, 4, 1), networks(5, 2)],
        in_torch=False,
    ),
    *(
        Row(
            mlp_ops.min_mlp,
            together(fused.min_mlp, "relu", count),
            lambda *arrays, count=count: mlps(lambda x: np.maximum(x, 0), count)(*arrays).min(0),
            [networks(5, 4, 3, 2, count=count), networks(5, 4, 1, count=count)],
            in_torch=False,
        )
        for count in (2, 3)
    ),
    Row(
        ops.soft_value,
        lambda t, value, log_prob, alpha: fused.soft_value(value, log_prob, alpha),
        lambda value, log_prob, alpha: (value - alpha * log_prob, -log_prob),
        [
            (numbers(4, 1), numbers(4, 1, seed=1), numbers(1, 1, seed=2)),
            (numbers(2, 3), numbers(2, 1, seed=1), numbers(seed=2)),
        ],
        in_torch=False,
    ),
    Row(
        ops.half_mse,
        lambda t, input, target: fused.half_mse(input, target),
        lambda input, target: 0.5 * ((input - target) ** 2).mean(axis=(1, 2)),
        [
            (numbers(2, 4, 1), numbers(4, 1, seed=1)),
            (numbers(3, 4, 2), numbers(3, 4, 2, seed=1)),
        ],
        in_torch=False,
    ),
    Row(
        ops.squashed_gaussian,
        lambda t, parameters, noise: t.cat(
            fused.squashed_gaussian(
                parameters, noise, log_std_min=LOG_STD_MIN, log_std_max=LOG_STD_MAX
            ),
            1,
        ),
        squashed_gaussian,
        [(numbers(4, 6), numbers(4, 3, seed=1))],
        in_torch=False,
        tolerance=1e-9,  # of the reference, which loses digits in 1 - tanh(u)^2
    ),
    Row(
        convolution.random_shift,
        lambda t, *arguments: fused.random_shift(*arguments),
        shift,
        [
            (numbers(5, 3, 4, 6), OFFSETS, 2),
            (numbers(5, 3, 4, 6).transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2), OFFSETS, 2),
            (np.arange(480, dtype=np.uint8).reshape(5, 2, 8, 6), OFFSETS.astype(np.uint8), 2),
        ],
        in_torch=False,
        whole="int64",
        half=False,
    ),
]
