"""Rows of the random numbers that are drawn from tensors of parameters."""

import numpy as np

from autograd.ops import random as ops
from tests.autograd.op_table import Row, signed

ROWS = [
    Row(
        ops.normal,  # without a spread the draw is the mean
        lambda t, mean, std: t.normal(mean, std),
        lambda mean, std: mean + std,
        [
            (signed(2, 3), np.zeros((2, 3))),
            (signed(3), np.zeros((2, 1))),
            (signed(), np.zeros(())),
            (signed(0, 3), np.zeros(3)),
            (signed(2, 3), 0.0),
            (1.5, np.zeros((2, 3))),
        ],
        derivative=False,
    ),
    Row(
        ops.dropout,  # so seldom that all is kept
        lambda t, x: t.nn.functional.dropout(x, 1e-12),
        lambda x: x,
        [(signed(2, 3),), (signed(),), (signed(0, 3),)],
        in_torch=False,
    ),
]
