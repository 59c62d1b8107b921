"""Rows of shapes, views, joining and conversions."""

import numpy as np

from autograd.engine.apply import apply
from autograd.ops import shape as ops
from tests.autograd.op_table import SINGLES, Arguments, Row, signed

MATRIX = signed(2, 3)
CUBE = signed(2, 3, 4)
ONES = signed(2, 1, 3, 1)
EMPTY = np.zeros((0, 3))


def same(x, *rest):
    return x


def to_device(t, x):
    """To the device where it is: elsewhere only where there is a GPU."""
    if not hasattr(x, "_array"):
        return x.clone()
    return apply(ops.to_device, x, device=x.device, source=x.device)


def tile(x, sizes):
    return np.tile(x, sizes)


def joined(function):
    return lambda x, y, dim: function((x, y), axis=dim)


JOINED: list[Arguments] = [
    (signed(2, 3), signed(2, 3, seed=1), 0),
    (signed(2, 3), signed(2, 3, seed=1), -1),
    (signed(3), signed(3, seed=1), 0),
    (signed(0, 3), signed(0, 3), 1),
]

ROWS = [
    Row(ops.view, lambda t, x: x.contiguous().view(-1, 2), lambda x: x.reshape(-1, 2),
        [(CUBE,), (signed(4),)], whole="int64"),
    Row(ops.reshape_copy, lambda t, x: x.mT.reshape(-1), lambda x: np.swapaxes(x, -1,
        -2).reshape(-1),
        [(MATRIX,), (CUBE,)], whole="int64"),
    Row(ops.unsqueeze, lambda t, x: t.unsqueeze(x, -1), lambda x: x[..., None], SINGLES,
        whole="int64"),
    Row(ops.squeeze, lambda t, x: t.squeeze(x), np.squeeze, [(ONES,), *SINGLES], whole="int64"),
    Row(ops.squeeze_dim, lambda t, x: t.squeeze(x, 1), lambda x: x[:, 0],
        [(ONES,), (signed(3, 1),)], whole="int64"),
    Row(ops.squeeze_dims, lambda t, x: t.squeeze(x, (0, 1, 3)), lambda x: x[:, 0, :, 0], [(ONES,)],
        whole="int64"),
    Row(ops.alias, lambda t, x: x.view(x.dtype), same, SINGLES, whole="int64"),
    Row(ops.view_dtype, lambda t, x: x.contiguous().view(t.uint8),
        lambda x: np.ascontiguousarray(x).view(np.uint8), [(MATRIX,), (CUBE,)], whole="uint8"),
    Row(ops.transpose, lambda t, x: t.transpose(x, 0, -1), lambda x: np.swapaxes(x, 0, -1),
        [(CUBE,), (MATRIX,), (signed(3),), (EMPTY,)], whole="int64"),
    Row(ops.t, lambda t, x: t.t(x), np.transpose, SINGLES, whole="int64"),
    Row(ops.permute, lambda t, x, dims: t.permute(x, dims), np.transpose,
        [(CUBE, (2, 0, 1)), (CUBE, (-1, 1, 0)), (signed(), ())], whole="int64"),
    Row(ops.expand, lambda t, x, shape: x.expand(shape), np.broadcast_to,
        [(signed(2, 1), (2, 3)), (signed(3), (2, 3)), (signed(), (2,)), (signed(1, 3), (0, 3))],
        whole="int64"),
    Row(ops.clone, lambda t, x: t.clone(x), same, SINGLES, whole="int64"),
    # A difference quotient in float32 says nothing; the gradient is tested in test_conversions.
    Row(ops.to_dtype, lambda t, x: x.float(), lambda x: x.astype(np.float32), SINGLES,
        whole="float32", derivative=False),
    Row(ops.to_device, to_device, same, SINGLES, whole="int64"),
    Row(ops.repeat, lambda t, x, sizes: x.repeat(sizes), tile,
        [(MATRIX, (2, 3)), (MATRIX, (2, 1, 2)), (signed(3), (0,)), (signed(), (2, 2))],
        whole="int64"),
    Row(ops.narrow, lambda t, x: t.narrow(x, -1, 1, 2), lambda x: x[..., 1:3], [(MATRIX,), (CUBE,)],
        whole="int64"),
    Row(ops.select, lambda t, x: t.select(x, 1, -1), lambda x: x[:, -1], [(MATRIX,), (CUBE,)],
        whole="int64"),
    Row((ops.split("Split", 2), ops.split("SplitWithSizes", 2)),
        lambda t, x: (*t.split(x, 2, -1), *x.split([1, x.shape[-1] - 1], -1)),
        lambda x: (*np.split(x, [2], -1), *np.split(x, [1], -1)), [(MATRIX,), (CUBE[..., :3],)],
        whole="int64"),
    Row(ops.unbind(3), lambda t, x: t.unbind(x, 1), lambda x: tuple(np.moveaxis(x, 1, 0)),
        [(MATRIX,), (CUBE,)], whole="int64"),
    Row(ops.cat, lambda t, x, y, dim: t.cat((x, y), dim), joined(np.concatenate), JOINED,
        whole="int64"),
    Row(ops.stack, lambda t, x, y, dim: t.stack((x, y), dim), joined(np.stack), JOINED,
        whole="int64"),
]  # fmt: skip
