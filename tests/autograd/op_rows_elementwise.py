"""Rows of the functions of one tensor, of clamping and of choosing."""

import math

import numpy as np

from autograd.ops import elementwise as ops
from tests.autograd.op_table import (
    POSITIVES,
    SINGLES,
    Arguments,
    Row,
    away_from,
    numbers,
    positive,
    signed,
)

INSIDE_UNIT = [(numbers(2, 3, low=-0.9, high=0.9),), (np.array(0.3),), (np.zeros((0, 3)),)]
# Away from whole and half numbers, where the rounding jumps.
BETWEEN_STEPS = [
    (np.array([[0.2, 1.7, -0.3], [-1.6, 2.2, 3.7]]),),
    (np.array(-0.4),),
    (np.zeros((0, 3)),),
]
AT_ZERO: Arguments = (np.array([0.0, -2.0, 3.0]),)
BOUNDS = away_from(numbers(2, 3), [-0.5, 1.0])
MASK = np.array([[True, False, True], [False, False, True]])
AT_BOUNDS: Arguments = (np.array([-1.0, 0.0, 0.5, 1.0, 2.0, np.nan]),)


def unary(op, call, reference, samples=SINGLES, *, kinks=(), whole="float32", tolerance=1e-12):
    return Row(op, call, reference, samples, kinks=kinks, whole=whole, tolerance=tolerance)


ROWS = [
    unary(ops.exp, lambda t, x: t.exp(x), np.exp),
    unary(ops.expm1, lambda t, x: t.expm1(x), np.expm1),
    unary(ops.log, lambda t, x: t.log(x), np.log, POSITIVES),
    unary(ops.log1p, lambda t, x: t.log1p(x), np.log1p, POSITIVES),
    unary(ops.log2, lambda t, x: t.log2(x), np.log2, POSITIVES),
    unary(ops.log10, lambda t, x: t.log10(x), np.log10, POSITIVES),
    unary(
        ops.sqrt,
        lambda t, x: t.sqrt(x),
        np.sqrt,
        POSITIVES,
        kinks=[((np.array([0.0, 4.0]),), ([math.inf, 0.25],))],
    ),
    unary(ops.rsqrt, lambda t, x: t.rsqrt(x), lambda x: x**-0.5, POSITIVES),
    unary(
        ops.abs,
        lambda t, x: t.abs(x),
        np.abs,
        kinks=[(AT_ZERO, ([0, -1, 1],))],
        whole="int64",
    ),
    unary(ops.sin, lambda t, x: t.sin(x), np.sin),
    unary(ops.cos, lambda t, x: t.cos(x), np.cos),
    unary(ops.tan, lambda t, x: t.tan(x), np.tan, INSIDE_UNIT),
    unary(ops.asin, lambda t, x: t.asin(x), np.arcsin, INSIDE_UNIT),
    unary(ops.acos, lambda t, x: t.acos(x), np.arccos, INSIDE_UNIT),
    unary(ops.atan, lambda t, x: t.atan(x), np.arctan),
    unary(ops.sinh, lambda t, x: t.sinh(x), np.sinh),
    unary(ops.cosh, lambda t, x: t.cosh(x), np.cosh),
    unary(ops.tanh, lambda t, x: t.tanh(x), np.tanh),
    unary(ops.atanh, lambda t, x: t.atanh(x), np.arctanh, INSIDE_UNIT),
    unary(ops.erf, lambda t, x: t.erf(x), np.vectorize(math.erf, otypes=[float]), tolerance=1e-15),
    unary(ops.sigmoid, lambda t, x: t.sigmoid(x), lambda x: 1 / (1 + np.exp(-x))),
    unary(
        ops.sign,
        lambda t, x: t.sign(x),
        np.sign,
        kinks=[(AT_ZERO, ([0, 0, 0],))],
        whole="int64",
    ),
    unary(ops.floor, lambda t, x: t.floor(x), np.floor, BETWEEN_STEPS, whole="int64"),
    unary(ops.ceil, lambda t, x: t.ceil(x), np.ceil, BETWEEN_STEPS, whole="int64"),
    unary(ops.trunc, lambda t, x: t.trunc(x), np.trunc, BETWEEN_STEPS, whole="int64"),
    unary(ops.round, lambda t, x: t.round(x), np.round, BETWEEN_STEPS, whole="int64"),
    unary(
        ops.round_decimals,
        lambda t, x: t.round(x, decimals=1),
        lambda x: np.round(x, 1),
        [(np.array([0.22, -1.57]),), (np.array(0.12),)],
        whole="",
    ),
    Row(
        ops.clamp,
        lambda t, x, low, high: t.clamp(x, low, high),
        lambda x, low, high: np.minimum(np.maximum(x, low), high),
        [
            (BOUNDS, -0.5, 1.0),
            (BOUNDS, np.full(3, -0.5), np.full((2, 1), 1.0)),
            (BOUNDS, np.array(-0.5), np.full(3, 1.0)),
            (np.array(0.2), np.array(-0.5), np.array(1.0)),
        ],
        kinks=[
            ((*AT_BOUNDS, 0.0, 1.0), ([0, 1, 1, 1, 0, 0], None, None)),
            ((np.array([0.0, 2.0]), 1.0, -1.0), ([0, 0], None, None)),
            (
                (np.array([0.0, 1.0, 5.0]), np.array([0.0, 2.0, 2.0]), np.array([1.0, 3.0, 1.0])),
                ([1, 0, 0], [0, 1, 0], [0, 0, 1]),
            ),
        ],
        whole="float32",
    ),
    Row(
        ops.clamp_min,
        lambda t, x, low: t.clamp(x, min=low),
        np.maximum,
        [(BOUNDS, -0.5), (BOUNDS, np.full(3, -0.5)), (np.zeros((0, 3)), 1.0)],
        kinks=[((*AT_BOUNDS, 0.0), ([0, 1, 1, 1, 1, 0], None))],
        whole="float32",
    ),
    Row(
        ops.clamp_max,
        lambda t, x, high: t.clamp(x, max=high),
        np.minimum,
        [(BOUNDS, 1.0), (BOUNDS, np.full(3, 1.0)), (np.zeros((0, 3)), 1.0)],
        kinks=[((*AT_BOUNDS, 1.0), ([1, 1, 1, 1, 0, 0], None))],
        whole="float32",
    ),
    Row(
        ops.where,
        lambda t, condition, x, y: t.where(condition, x, y),
        np.where,
        [
            (MASK, signed(2, 3), signed(2, 3, seed=1)),
            (MASK, signed(3), signed(2, 1, seed=1)),
            (MASK, signed(2, 3), 0.0),
            (np.array(True), signed(), signed(seed=1)),
        ],
        whole="int64",
    ),
    Row(
        ops.masked_fill,
        lambda t, x, mask, value: t.masked_fill(x, mask, value),
        lambda x, mask, value: np.where(mask, value, x),
        [(signed(2, 3), MASK, 0.5), (signed(2, 3), MASK[0], positive(seed=1)), (signed(), MASK, 2)],
        whole="int64",
    ),
    Row(
        ops.nan_to_num,
        lambda t, x: t.nan_to_num(x, 0.5, 2.0, -2.0),
        lambda x: np.nan_to_num(x, nan=0.5, posinf=2.0, neginf=-2.0),
        SINGLES,
        kinks=[((np.array([math.nan, math.inf, -math.inf, 1.0]),), ([0, 0, 0, 1],))],
        whole="int64",
    ),
]
