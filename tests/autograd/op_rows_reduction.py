"""Rows of the reductions, of running sums, of norms and of order."""

import numpy as np

from autograd.ops import norm, sorting
from autograd.ops import reduction as ops
from tests.autograd.op_table import Arguments, Row, numbers, positive, signed

INF = np.inf
ALL: list[Arguments] = [(signed(2, 3),), (signed(4),), (signed(),)]
ALONG: list[Arguments] = [
    (signed(2, 3), 0),
    (signed(2, 3), -1),
    (signed(2, 3, 2), 1),
    (signed(), 0),
]
OVER: list[Arguments] = [
    (signed(2, 3), None),
    (signed(2, 3), 1),
    (signed(2, 3, 2), (0, -1)),
    (signed(2, 3, 2), (2, 0), True),
    (signed(2, 3), -2, True),
    (signed(), 0),
]
EMPTY: list[Arguments] = [(np.zeros((0, 3)), 0), (np.zeros((0, 3)), None), (np.zeros((0, 3)), 1)]
TIES = np.array([[1.0, 3.0, 3.0], [3.0, 0.0, 2.0]])


def axes(x, dim):
    return None if np.ndim(x) == 0 else dim


def over(reduce, **settings):
    """NumPy's reduction, called as torch's: `f(x, dim=None, keepdim=False)`."""
    return lambda x, dim=None, keepdim=False: reduce(
        x, axis=axes(x, dim), keepdims=keepdim, **settings
    )


def variance(x, dim=None, keepdim=False, correction=1):
    return np.var(x, axis=axes(x, dim), keepdims=keepdim, ddof=correction)


def p_norm(x, p, dim=None, keepdim=False):
    size = np.abs(x)
    if np.isinf(p):
        return (np.max if p > 0 else np.min)(size, axis=dim, keepdims=keepdim)
    if p == 0:
        return np.sum(size != 0, axis=dim, keepdims=keepdim).astype(float)
    return np.sum(size**p, axis=dim, keepdims=keepdim) ** (1 / p)


def in_order(x, dim, descending=False):
    if x.ndim == 0:
        return x, 0
    index = np.argsort(-x if descending else x, axis=dim, kind="stable")
    return np.take_along_axis(x, index, dim), index


def best(x, k, dim, largest):
    if x.ndim == 0:
        return x, 0
    values, index = in_order(x, dim, largest)
    return np.take(values, range(k), dim), np.take(index, range(k), dim)


def lower_median(x, dim, keepdim=False):
    if x.ndim == 0:
        return x, 0
    values, index = in_order(x, dim)
    middle = [(x.shape[dim] - 1) // 2]
    pair = np.take(values, middle, dim), np.take(index, middle, dim)
    return pair if keepdim else tuple(np.squeeze(part, dim) for part in pair)


def with_index(largest):
    def reference(x, dim, keepdim=False):
        if x.ndim == 0:
            return x, 0
        function, index = (np.max, np.argmax) if largest else (np.min, np.argmin)
        return function(x, dim, keepdims=keepdim), index(x, dim, keepdims=keepdim)

    return reference


ROWS = [
    Row(
        (ops.sum_all, ops.sum_dim),
        lambda t, x, *a: t.sum(x, *a),
        over(np.sum),
        [*OVER, *EMPTY],
        whole="int64",
    ),
    Row((ops.mean_all, ops.mean_dim), lambda t, x, *a: t.mean(x, *a), over(np.mean), OVER),
    Row(
        ops.var,
        lambda t, x, dim, keepdim, c: t.var(x, dim, keepdim=keepdim, correction=c),
        variance,
        [
            (signed(2, 3), None, False, 1),
            (signed(2, 3), 1, True, 0),
            (signed(2, 3, 2), (0, 1), False, 2),
            (signed(5), 0, False, 1.5),
        ],
    ),
    Row(
        ops.std,
        lambda t, x, dim, keepdim, c: t.std(x, dim, keepdim=keepdim, correction=c),
        lambda *a: np.sqrt(variance(*a)),
        [
            (signed(2, 3), None, False, 1),
            (signed(2, 3), 1, True, 0),
            (signed(2, 3, 2), (0, 1), False, 2),
        ],
        kinks=[((np.ones(3), None, False, 1), ([0, 0, 0], None, None, None))],
    ),
    Row(
        ops.prod,
        lambda t, x, *a: t.prod(x, *a),
        over(np.prod),
        [
            *ALL,
            *ALONG,
            (signed(2, 3), 1, True),
            *EMPTY,
            (np.array([2.0, 0.0, 3.0]),),
            (np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 3.0]]), 1),
        ],
        whole="int64",
    ),
    Row(
        ops.max_all,
        lambda t, x: t.max(x),
        np.max,
        ALL,
        kinks=[((TIES,), ([[0, 1 / 3, 1 / 3], [1 / 3, 0, 0]],))],
        whole="int64",
    ),
    Row(
        ops.min_all,
        lambda t, x: t.min(x),
        np.min,
        ALL,
        kinks=[((-TIES,), ([[0, 1 / 3, 1 / 3], [1 / 3, 0, 0]],))],
        whole="int64",
    ),
    Row(
        ops.max_dim,
        lambda t, x, *a: t.max(x, *a),
        with_index(True),
        [*ALONG, (signed(2, 3), 1, True), (np.zeros((0, 3)), 1)],
        kinks=[((TIES, 1), ([[0, 1, 0], [1, 0, 0]], None))],
        whole="int64",
    ),
    Row(
        ops.min_dim,
        lambda t, x, *a: t.min(x, *a),
        with_index(False),
        [*ALONG, (signed(2, 3), 1, True), (np.zeros((0, 3)), 1)],
        kinks=[((-TIES, 1), ([[0, 1, 0], [1, 0, 0]], None))],
        whole="int64",
    ),
    Row(
        ops.amax,
        lambda t, x, dim=(), keepdim=False: t.amax(x, () if dim is None else dim, keepdim),
        over(np.max),
        OVER,
        kinks=[((TIES, 1), ([[0, 0.5, 0.5], [1, 0, 0]], None))],
        whole="int64",
    ),
    Row(
        ops.amin,
        lambda t, x, dim=(), keepdim=False: t.amin(x, () if dim is None else dim, keepdim),
        over(np.min),
        OVER,
        kinks=[((-TIES, 1), ([[0, 0.5, 0.5], [1, 0, 0]], None))],
        whole="int64",
    ),
    Row(
        ops.argmax,
        lambda t, x, *a: t.argmax(x, *a),
        over(np.argmax),
        [*ALL, *ALONG, (signed(2, 3), 1, True), (TIES, 1)],
        whole="int64",
    ),
    Row(
        ops.argmin,
        lambda t, x, *a: t.argmin(x, *a),
        over(np.argmin),
        [*ALL, *ALONG, (signed(2, 3), 1, True), (-TIES, 1)],
        whole="int64",
    ),
    Row(ops.any, lambda t, x, *a: t.any(x, *a), over(np.any), [*ALONG, *EMPTY], whole="bool"),
    Row(ops.all, lambda t, x, *a: t.all(x, *a), over(np.all), [*ALONG, *EMPTY], whole="bool"),
    Row(
        ops.logsumexp,
        lambda t, x, *a: t.logsumexp(x, *a),
        lambda *a: np.log(over(np.sum)(np.exp(a[0]), *a[1:])),
        OVER[1:],
        kinks=[
            ((np.array([1000.0, 1000.0]), 0), ([0.5, 0.5], None)),
            ((np.array([-INF, -INF]), 0), ([np.nan, np.nan], None)),
        ],
        whole="float32",
    ),
    Row(
        ops.cumsum,
        lambda t, x, dim: t.cumsum(x, dim),
        np.cumsum,
        [(signed(2, 3), 0), (signed(2, 3), -1), (signed(4), 0), (np.zeros((0, 3)), 1)],
        whole="int64",
    ),
    Row(
        norm.norm,
        lambda t, x, *a: t.norm(x, *a),
        p_norm,
        [
            (signed(2, 3), 2),
            (signed(2, 3), 1, 1),
            (signed(2, 3), 3.0, (0, 1), True),
            (signed(2, 3), 0, 1),
            (signed(2, 3), 0.5, 0),
            (signed(2, 3), INF, 1),
            (signed(2, 3), -INF, 1),
            (signed(), 2),
        ],
        kinks=[
            ((np.zeros(2), 2), ([0, 0], None)),
            ((np.array([2.0, -2.0]), INF), ([0.5, -0.5], None)),
        ],
    ),
    Row(
        norm.nuclear,
        lambda t, x, *dim_and_keepdim: t.norm(x, "nuc", *dim_and_keepdim),
        lambda x, dim=(-2, -1), keepdim=False: np.linalg.norm(x, "nuc", dim, keepdim),
        [(signed(2, 3),), (signed(2, 3, 4), (2, 0)), (signed(3, 2), (0, 1), True)],
        half=False,
        tolerance=1e-10,
    ),
    Row(
        sorting.sort,
        lambda t, x, *a: t.sort(x, *a),
        in_order,
        [*ALONG, (signed(2, 3), 1, True)],
        whole="int64",
    ),
    Row(
        sorting.argsort,
        lambda t, x, *a: t.argsort(x, *a),
        lambda *a: in_order(*a)[1],
        [*ALONG, (numbers(2, 3), 1, True)],
        whole="int64",
    ),
    Row(
        sorting.topk,
        lambda t, x, *a: t.topk(x, *a),
        best,
        [(signed(2, 3), 2, 1, True), (signed(2, 3), 1, 0, False), (signed(), 1, 0, True)],
        whole="int64",
    ),
    Row(
        sorting.median_dim,
        lambda t, x, *a: t.median(x, *a),
        lower_median,
        [*ALONG, (signed(2, 3), 1, True), (positive(2, 4), 1)],
        whole="int64",
    ),
    Row(
        sorting.median_all,
        lambda t, x: t.median(x),
        lambda x: np.sort(x, axis=None)[(x.size - 1) // 2],
        ALL,
        kinks=[((np.array([2.0, 1.0, 2.0, 3.0]),), ([0.5, 0, 0.5, 0],))],
        whole="int64",
    ),
]
