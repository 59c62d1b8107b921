"""Rows of products of matrices and vectors."""

import numpy as np

from autograd.ops import linear_algebra as ops
from tests.autograd.op_table import Row, signed


def einsum(*equations):
    return [
        (equation, *(signed(*shape, seed=i) for i, shape in enumerate(shapes)))
        for equation, *shapes in equations
    ]


def numpy_einsum(x, equation, *others):
    return np.einsum(equation, x, *others)


EQUATIONS = [
    (x, equation, *rest)
    for equation, x, *rest in einsum(
        ("ij,jk->ik", (2, 3), (3, 4)),
        ("ij,jk", (2, 3), (3, 4)),
        ("bij,bjk->bik", (2, 3, 4), (2, 4, 2)),
        ("...ij,jk->...ik", (2, 2, 3), (3, 2)),
        ("i,j->ji", (2,), (3,)),
        ("ij->", (2, 3)),
        ("ij->j", (2, 3)),
        ("ij->ji", (2, 3)),
        ("ii->i", (3, 3)),
        ("ii", (3, 3)),
        ("iji->j", (2, 3, 2)),
        ("ij,ij->i", (2, 3), (2, 3)),
        ("ij,k->k", (2, 3), (4,)),
        ("ab,bc,cd->ad", (2, 3), (3, 2), (2, 4)),
        ("ij,ij->ij", (1, 3), (2, 3)),
    )
]

ROWS = [
    Row(ops.mm, lambda t, x, y: t.mm(x, y), np.matmul,
        [(signed(2, 3), signed(3, 4)), (signed(2, 1), signed(1, 3)), (signed(0, 2), signed(2, 3)),
         (signed(2, 0), signed(0, 3))], whole="int64"),
    Row(ops.bmm, lambda t, x, y: t.matmul(x, y), np.matmul,
        [(signed(2, 3, 4), signed(2, 4, 2)), (signed(2, 3, 4), signed(1, 4, 2)),
         (signed(3, 4), signed(2, 4, 2)), (signed(2, 1, 3, 2), signed(3, 2, 2)),
         (signed(4), signed(2, 4, 3))], whole="int64"),
    Row(ops.mv, lambda t, x, y: t.matmul(x, y), np.matmul,
        [(signed(2, 3), signed(3)), (signed(2, 4, 3), signed(3)), (signed(2, 1), signed(1))],
        whole="int64"),
    Row(ops.dot, lambda t, x, y: t.dot(x, y), np.dot,
        [(signed(3), signed(3, seed=1)), (signed(0), signed(0))], whole="int64"),
    Row(ops.addmm, lambda t, x, y, z: t.addmm(x, y, z, beta=2, alpha=3),
        lambda x, y, z: 2 * x + 3 * (y @ z),
        [(signed(4), signed(2, 3), signed(3, 4)), (signed(2, 4), signed(2, 3), signed(3, 4)),
         (signed(), signed(2, 3), signed(3, 4)), (signed(2, 1), signed(2, 1), signed(1, 4))],
        whole="int64"),
    Row(ops.einsum, lambda t, x, equation, *rest: t.einsum(equation, x, *rest), numpy_einsum,
        EQUATIONS, whole="int64"),
    Row(ops.tril, lambda t, x, diagonal: t.tril(x, diagonal), np.tril,
        [(signed(3, 4), 0), (signed(2, 3, 2), 1), (signed(3, 2), -5), (signed(0, 2), 0)],
        whole="int64"),
    Row(ops.triu, lambda t, x, diagonal: t.triu(x, diagonal), np.triu,
        [(signed(3, 4), 0), (signed(2, 3, 2), 1), (signed(3, 2), -5), (signed(0, 2), 0)],
        whole="int64"),
]  # fmt: skip
