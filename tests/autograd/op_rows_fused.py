"""Rows of the fused chains: each equals its composition of ordinary steps."""

from itertools import pairwise

import numpy as np

from autograd.functional import fused
from autograd.ops import fused as ops
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
        ops.mlp,
        lambda t, first, second, *parameters: fused.mlp([first, second], parameters, "tanh"),
        mlp(np.tanh),
        NETWORKS,
        in_torch=False,
    ),
    Row(
        ops.mlp,
        lambda t, first, second, *parameters: fused.mlp([first, second], parameters, "relu"),
        mlp(lambda x: np.maximum(x, 0)),
        NETWORKS,
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
]
