"""Rows of reading and writing by index."""

import numpy as np

from autograd.ops import indexing as ops
from tests.autograd.op_table import Row, signed

MATRIX = signed(3, 4)
ROWS_OF_FOUR = np.array([[0, 2], [1, 1], [3, 0]])
REPEATED = np.array([0, 2, 2, 0])
MASK = np.array([[True, False, True, False]] * 2 + [[False, True, False, False]])


def assigned(index):
    def function(t, x, value):
        result = x.clone()
        result[index] = value
        return result

    def reference(x, value):
        result = x.copy()
        result[index] = value
        return result

    return function, reference


def scattered(x, dim, index, src, into=None):
    result = x.copy()
    for place in np.ndindex(index.shape):
        target = list(place)
        target[dim] = index[place]
        value = src[place] if np.ndim(src) else src
        result[tuple(target)] = value if into is None else into(result[tuple(target)], value)
    return result


def gathered(x, dim, index):
    result = np.zeros(index.shape, x.dtype)
    for place in np.ndindex(index.shape):
        source = list(place)
        source[dim] = index[place]
        result[place] = x[tuple(source)]
    return result


SCATTER = [
    (MATRIX, 1, ROWS_OF_FOUR, signed(3, 2, seed=1)),
    (MATRIX, -2, np.array([[2, 0, 1]]), signed(1, 3, seed=2)),
    (signed(3), 0, np.array([2]), signed(1, seed=3)),
]
UNIQUE = [(x, dim, index, src) for x, dim, index, src in SCATTER if index is not ROWS_OF_FOUR]
UNIQUE.insert(0, (MATRIX, 1, np.array([[0, 2], [1, 3], [3, 0]]), signed(3, 2, seed=1)))


def row_of_setitem(index, x, value):
    function, reference = assigned(index)
    return Row(ops.setitem, function, reference, [(x, value)], whole="int64")


ROWS = [
    Row(
        ops.embedding,
        lambda t, w, index, padding: t.nn.functional.embedding(index, w, padding),
        lambda w, index, padding: w[index],
        [(MATRIX, REPEATED, None), (MATRIX, np.array([[0, 1], [2, 2]]), None)],
        kinks=[((MATRIX, REPEATED, 2), ([[2.0] * 4, [0.0] * 4, [0.0] * 4], None, None))],
        whole="int64",
    ),
    Row((ops.views["Select"],), lambda t, x: x[1], lambda x: x[1],
        [(MATRIX,), (signed(3),)], whole="int64"),
    Row((ops.views["Slice"],), lambda t, x: x[1:, ::2], lambda x: x[1:, ::2],
        [(MATRIX,), (signed(3, 4, 2),)], whole="int64"),
    Row((ops.views["Unsqueeze"],), lambda t, x: x[0, ..., None], lambda x: x[0, ..., None],
        [(MATRIX,)],
        whole="int64"),
    Row((ops.views["Alias"],), lambda t, x: x[:, :], lambda x: x, [(MATRIX,)], whole="int64"),
    Row(ops.take, lambda t, x, index: x[index], lambda x, index: x[index],
        [(MATRIX, np.array([0, 2, 0])), (MATRIX, np.array([[-1, 0], [1, 1]])), (MATRIX, MASK),
         (MATRIX, np.array([], np.int64))], whole="int64"),
    Row(ops.take, lambda t, x: x[1:, [0, 2, 0]], lambda x: x[1:, [0, 2, 0]],
        [(MATRIX,)], whole="int64"),
    Row(ops.take, lambda t, x: x[[0, 1], :, [0, 1]], lambda x: x[[0, 1], :, [0, 1]],
        [(signed(2, 3, 2),)],
        whole="int64"),
    Row(ops.take, lambda t, x: x[0, :, [0, 1]], lambda x: x[0][:, [0, 1]], [(signed(2, 3, 2),)],
        whole="int64"),
    row_of_setitem((slice(1, None), 0), MATRIX, signed(2, seed=1)),
    row_of_setitem(([0, 2], [1, 1]), MATRIX, signed(2, seed=1)),
    row_of_setitem((0, [1, 3]), MATRIX, signed(2, seed=1)),
    row_of_setitem(..., MATRIX, signed(4, seed=1)),
    row_of_setitem((slice(None), [0, 2]), MATRIX, signed(3, 1, seed=1)),
    Row(ops.gather, lambda t, x, dim, index: t.gather(x, dim, index), gathered,
        [(MATRIX, 1, ROWS_OF_FOUR), (MATRIX, 1, np.array([[3], [0]])), (MATRIX, 0, np.array([[2,
        0]])),
         (signed(3), -1, np.array([2, 2, 0, 1])), (signed(2, 2, 3), 2, np.zeros((2, 1, 4), int))],
        whole="int64"),
    Row(ops.scatter, lambda t, x, dim, index, src: t.scatter(x, dim, index, src), scattered, UNIQUE,
        whole="int64"),
    Row(ops.scatter_value, lambda t, x, dim, index: t.scatter(x, dim, index, 2),
        lambda x, dim, index: scattered(x, dim, index, 2), [row[:3] for row in SCATTER],
        whole="int64"),
    Row(ops.scatter_add, lambda t, x, dim, index, src: t.scatter_add(x, dim, index, src),
        lambda x, dim, index, src: scattered(x, dim, index, src, np.add), SCATTER, whole="int64"),
    Row(ops.scatter_reduce,
        lambda t, x, dim, index, src: t.scatter(x, dim, index, src, reduce="multiply"),
        lambda x, dim, index, src: scattered(x, dim, index, src, np.multiply), SCATTER,
        whole="int64", derivative=False),
    Row(ops.index_select, lambda t, x, dim, index: t.index_select(x, dim, index),
        lambda x, dim, index: np.take(x, index, dim),
        [(MATRIX, 1, REPEATED), (MATRIX, 0, REPEATED), (signed(3), 0, np.array([1]))],
        whole="int64"),
    Row(ops.masked_select, lambda t, x, mask: t.masked_select(x, mask),
        lambda x, mask: np.broadcast_to(x, np.broadcast_shapes(x.shape, mask.shape))[
            np.broadcast_to(mask, np.broadcast_shapes(x.shape, mask.shape))],
        [(MATRIX, MASK), (MATRIX, MASK[0]), (signed(4), MASK), (signed(), MASK)], whole="int64"),
]  # fmt: skip
