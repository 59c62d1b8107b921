"""Rows of the activations and of the softmax family."""

import math

import numpy as np

from autograd.ops import activation as ops
from tests.autograd.op_table import SINGLES, Row, signed

ALONG = [
    (signed(2, 3), 1),
    (signed(2, 3), 0),
    (signed(2, 3, 2), -2),
    (signed(), 0),
    (signed(0, 3), 1),
]


def softmax(x, dim):
    powers = np.exp(x)
    return powers / powers.sum(dim, keepdims=True) if x.ndim else np.ones(())


def log_softmax(x, dim):
    return np.log(softmax(x, dim))


ROWS = [
    Row(
        ops.relu,
        lambda t, x: t.relu(x),
        lambda x: np.maximum(x, 0),
        SINGLES,
        kinks=[((np.array([0.0, -1.0, 2.0]),), ([0, 0, 1],))],
        whole="int64",
    ),
    Row(
        ops.softplus,
        lambda t, x, *settings: t.nn.functional.softplus(x, *settings),
        lambda x, beta=1, threshold=20: np.where(
            x * beta > threshold, x, np.log1p(np.exp(x * beta)) / beta
        ),
        [*SINGLES, (signed(2, 3), 2, 1.9), (np.array([-30.0, 15.0, 25.0]),)],
    ),
    Row(
        ops.logsigmoid,
        lambda t, x: t.nn.functional.logsigmoid(x),
        lambda x: -np.log1p(np.exp(-x)),
        [*SINGLES, (np.array([-30.0, 15.0, 25.0]),)],
    ),
    Row(
        ops.softmax,
        lambda t, x, dim: t.softmax(x, dim),
        softmax,
        ALONG,
    ),
    Row(
        ops.log_softmax,
        lambda t, x, dim: t.log_softmax(x, dim),
        log_softmax,
        ALONG,
        kinks=[((np.array([1000.0, 0.0]), 0), ([-1, 1], None)),
               ((np.array([1.0, -math.inf]), 0), ([-1, 1], None))],
    ),
]  # fmt: skip
