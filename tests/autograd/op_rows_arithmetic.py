"""Rows of sums, products, powers and remainders."""

import numpy as np

from autograd.ops import arithmetic as ops
from tests.autograd.op_table import (
    PAIRS,
    POSITIVE_PAIRS,
    SINGLES,
    Row,
    numbers,
    positive,
    signed,
)

# Quotients away from whole numbers, where the rounding jumps.
DIVISIONS = [
    (np.array([2.3, -2.3, 0.7]), np.array([1.0, 1.0, -0.5])),
    (np.array([[2.3, -2.3, 0.7]]), np.array([[1.1], [-0.9]])),
    (np.array(2.3), np.array(-0.7)),
    (signed(0, 3), signed(1, 3)),
    (np.array([2.3, -2.3, 0.7]), 0.9),
]
TIES = (np.array([1.0, 2.0, np.nan, 0.0]), np.array([1.0, 3.0, 0.0, -1.0]))

ROWS = [
    Row(ops.add, lambda t, x, y: t.add(x, y), lambda x, y: x + y, PAIRS, whole="int64"),
    Row(ops.sub, lambda t, x, y: t.sub(x, y), lambda x, y: x - y, PAIRS, whole="int64"),
    Row(ops.rsub, lambda t, x: 1.5 - x, lambda x: 1.5 - x, SINGLES, whole="float32"),
    Row(ops.mul, lambda t, x, y: t.mul(x, y), lambda x, y: x * y, PAIRS, whole="int64"),
    Row(ops.div, lambda t, x, y: t.div(x, y), lambda x, y: x / y, PAIRS, whole="float32"),
    Row(ops.neg, lambda t, x: t.neg(x), lambda x: -x, SINGLES, whole="int64"),
    Row(ops.reciprocal, lambda t, x: t.reciprocal(x), lambda x: 1 / x, SINGLES, whole="float32"),
    Row(
        ops.pow,
        lambda t, x, y: t.pow(x, y),
        lambda x, y: x**y,
        POSITIVE_PAIRS,
        kinks=[
            ((np.array([0.0, 0.0, 0.0]), np.array([0.0, 1.0, 2.0])), ([0, 1, 0], [0, 0, 0])),
            ((np.array([0.0, 2.0]), 0), ([0, 0], None)),
        ],
        whole="int64",
    ),
    Row(
        ops.floor_div_rounded,
        lambda t, x, y: t.div(x, y, rounding_mode="floor"),
        lambda x, y: np.floor(x / y),
        DIVISIONS,
        whole="int64",
    ),
    Row(
        ops.floor_divide,
        lambda t, x, y: t.floor_divide(x, y),
        lambda x, y: np.floor(x / y),
        DIVISIONS,
        derivative=False,
        whole="int64",
    ),
    Row(
        ops.trunc_div,
        lambda t, x, y: t.div(x, y, rounding_mode="trunc"),
        lambda x, y: np.trunc(x / y),
        DIVISIONS,
        whole="int64",
    ),
    Row(
        ops.remainder,
        lambda t, x, y: t.remainder(x, y),
        lambda x, y: x - np.floor(x / y) * y,
        DIVISIONS,
        whole="int64",
    ),
    Row(
        ops.fmod,
        lambda t, x, y: t.fmod(x, y),
        lambda x, y: x - np.trunc(x / y) * y,
        DIVISIONS,
        whole="int64",
    ),
    Row(
        ops.minimum,
        lambda t, x, y: t.minimum(x, y),
        lambda x, y: np.where(x < y, x, y),
        PAIRS[:-2],
        kinks=[(TIES, ([0.5, 1, 1, 0], [0.5, 0, 1, 1]))],
        whole="int64",
    ),
    Row(
        ops.maximum,
        lambda t, x, y: t.maximum(x, y),
        lambda x, y: np.where(x > y, x, y),
        PAIRS[:-2],
        kinks=[(TIES, ([0.5, 0, 1, 1], [0.5, 1, 1, 0]))],
        whole="int64",
    ),
    Row(
        ops.lerp,
        lambda t, x, y, w: t.lerp(x, y, w),
        lambda x, y, w: x + w * (y - x),
        [
            (signed(2, 3), signed(2, 3, seed=1), numbers(2, 3, seed=2)),
            (signed(2, 3), signed(3, seed=1), numbers(2, 1, seed=2)),
            (signed(2, 3), signed(2, 3, seed=1), 0.3),
            (signed(), signed(seed=1), positive(seed=2)),
        ],
    ),
]
