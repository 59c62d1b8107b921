"""Rows of the changes in place that replace elements."""

import numpy as np

from autograd.ops import assignment as ops
from tests.autograd.op_table import Row, signed


def copied(t, x, source):
    result = x.clone()
    return result.copy_(source)


def scaled_part(t, x, factor):
    result = x.clone()
    result[1:].mul_(factor)
    return result


def scaled_part_of_array(x, factor):
    return np.concatenate([x[:1], x[1:] * factor])


ROWS = [
    Row(
        ops.copy,
        copied,
        lambda x, source: np.broadcast_to(source, x.shape),
        [(signed(3, 4), signed(3, 4)), (signed(3, 4), signed(4)), (signed(2), signed())],
        whole="int64",
    ),
    Row(
        ops.copy_slices,
        scaled_part,
        scaled_part_of_array,
        [(signed(3, 4), signed(2, 4)), (signed(3, 4), signed(4)), (signed(2), signed())],
        whole="int64",
    ),
]
