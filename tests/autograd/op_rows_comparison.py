"""Rows of comparisons, logic and bits."""

import numpy as np

from autograd.ops import comparison as ops
from tests.autograd.op_table import PAIRS, SINGLES, Row

EQUAL = (np.array([1.0, 2.0, np.nan]), np.array([1.0, 3.0, np.nan]))
COMPARED = [*PAIRS, EQUAL]
TRUTHS = [
    (np.array([True, True, False, False]), np.array([True, False, True, False])),
    (np.array([[6], [5]]), np.array([3, -1])),
    (np.array(True), np.array([True, False])),
]
SPECIAL = (np.array([np.nan, np.inf, -np.inf, 1.0]),)


def pair(op, call, reference, samples=COMPARED, whole="bool"):
    return Row(op, call, reference, samples, whole=whole)


ROWS = [
    Row(
        ops.replace,
        lambda t, x, y: x.clone().eq_(y),
        lambda x, y: np.equal(x, y).astype(float),
        [PAIRS[0], (np.ones(2), 1.0)],
        whole="int64",
    ),
    pair(ops.eq, lambda t, x, y: t.eq(x, y), np.equal),
    pair(ops.ne, lambda t, x, y: t.ne(x, y), np.not_equal),
    pair(ops.lt, lambda t, x, y: t.lt(x, y), np.less),
    pair(ops.le, lambda t, x, y: t.le(x, y), np.less_equal),
    pair(ops.gt, lambda t, x, y: t.gt(x, y), np.greater),
    pair(ops.ge, lambda t, x, y: t.ge(x, y), np.greater_equal),
    pair(
        ops.logical_and, lambda t, x, y: t.logical_and(x, y), np.logical_and, [*PAIRS[:-2], *TRUTHS]
    ),
    pair(ops.logical_or, lambda t, x, y: t.logical_or(x, y), np.logical_or, [*PAIRS[:-2], *TRUTHS]),
    pair(
        ops.logical_xor, lambda t, x, y: t.logical_xor(x, y), np.logical_xor, [*PAIRS[:-2], *TRUTHS]
    ),
    pair(ops.logical_not, lambda t, x: t.logical_not(x), np.logical_not, [*SINGLES, SPECIAL]),
    pair(ops.bitwise_and, lambda t, x, y: t.bitwise_and(x, y), np.bitwise_and, TRUTHS),
    pair(ops.bitwise_or, lambda t, x, y: t.bitwise_or(x, y), np.bitwise_or, TRUTHS),
    pair(ops.bitwise_xor, lambda t, x, y: t.bitwise_xor(x, y), np.bitwise_xor, TRUTHS),
    pair(ops.bitwise_not, lambda t, x: t.bitwise_not(x), np.invert, [t[:1] for t in TRUTHS]),
    pair(ops.isnan, lambda t, x: t.isnan(x), np.isnan, [SPECIAL, *SINGLES]),
    pair(ops.isinf, lambda t, x: t.isinf(x), np.isinf, [SPECIAL, *SINGLES]),
    pair(ops.isfinite, lambda t, x: t.isfinite(x), np.isfinite, [SPECIAL, *SINGLES]),
    pair(
        ops.isclose,
        lambda t, x, y, nan: t.isclose(x, y, equal_nan=nan),
        lambda x, y, nan: np.isclose(x, y, equal_nan=nan),
        [
            (*EQUAL, True),
            (*EQUAL, False),
            (np.array([1.0, 1.0, np.inf]), np.array([1 + 9e-6, 1 + 2e-5, np.inf]), False),
        ],
    ),
]
