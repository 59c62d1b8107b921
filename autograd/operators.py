"""The methods of a tensor that are operations: one line each, the function of `functional`."""

from __future__ import annotations

from autograd import inplace
from autograd.functional import arithmetic, elementwise, indexing, reduction, shape


class Operators:
    """What `Tensor` inherits: operations as methods, and Python's operators."""

    __add__ = __radd__ = add = arithmetic.add
    __sub__ = sub = arithmetic.sub
    __mul__ = __rmul__ = mul = arithmetic.mul
    __truediv__ = div = arithmetic.div
    __pow__ = pow = arithmetic.pow
    __neg__ = neg = arithmetic.neg
    __iadd__ = add_ = inplace.method(arithmetic.add)
    __imul__ = mul_ = inplace.method(arithmetic.mul)

    exp = elementwise.exp
    log = elementwise.log
    tanh = elementwise.tanh
    relu = elementwise.relu

    sum = reduction.sum

    reshape = view = shape.reshape

    __getitem__ = indexing.getitem
    __setitem__ = inplace.setitem
