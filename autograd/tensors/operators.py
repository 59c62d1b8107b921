"""The methods of a tensor that are operations: one line each, the function of `functional`."""

from __future__ import annotations

from autograd.functional import (
    activation,
    arithmetic,
    comparison,
    dunder,
    elementwise,
    reduction,
    sorting,
)
from autograd.tensors import inplace
from autograd.tensors.methods import Structure


class Operators(Structure):
    """What `Tensor` inherits: operations as methods, and Python's operators."""

    __add__, __radd__ = dunder.add, dunder.radd
    __sub__, __rsub__ = dunder.sub, dunder.rsub
    __mul__, __rmul__ = dunder.mul, dunder.rmul
    __truediv__, __rtruediv__ = dunder.truediv, dunder.rtruediv
    __floordiv__, __rfloordiv__ = dunder.floordiv, dunder.rfloordiv
    __mod__, __rmod__ = dunder.mod, dunder.rmod
    __pow__, __rpow__ = dunder.pow, dunder.rpow
    __neg__, __pos__, __abs__ = arithmetic.neg, arithmetic.positive, elementwise.abs
    __eq__, __ne__ = dunder.eq, dunder.ne
    __lt__, __le__, __gt__, __ge__ = dunder.lt, dunder.le, dunder.gt, dunder.ge
    __and__, __rand__ = dunder.and_, dunder.rand
    __or__, __ror__ = dunder.or_, dunder.ror
    __xor__, __rxor__ = dunder.xor, dunder.rxor
    __invert__ = dunder.invert
    __hash__ = object.__hash__

    add = arithmetic.add
    add_ = inplace.method(arithmetic.add)
    sub = arithmetic.sub
    sub_ = inplace.method(arithmetic.sub)
    mul = arithmetic.mul
    mul_ = inplace.method(arithmetic.mul)
    div = arithmetic.div
    div_ = inplace.method(arithmetic.div)
    floor_divide = arithmetic.floor_divide
    floor_divide_ = inplace.method(arithmetic.floor_divide)
    remainder = arithmetic.remainder
    remainder_ = inplace.method(arithmetic.remainder)
    fmod = arithmetic.fmod
    fmod_ = inplace.method(arithmetic.fmod)
    pow = arithmetic.pow
    float_power = arithmetic.float_power
    float_power_ = inplace.method(dunder.float_power)
    pow_ = inplace.method(arithmetic.pow)
    neg = arithmetic.neg
    neg_ = inplace.method(arithmetic.neg)
    reciprocal = arithmetic.reciprocal
    reciprocal_ = inplace.method(arithmetic.reciprocal)
    square = arithmetic.square
    square_ = inplace.method(arithmetic.square)
    lerp = arithmetic.lerp
    lerp_ = inplace.method(arithmetic.lerp)
    subtract, multiply, divide, true_divide, negative = sub, mul, div, div, neg
    subtract_, multiply_, divide_, true_divide_, negative_ = sub_, mul_, div_, div_, neg_
    positive = arithmetic.positive
    minimum = arithmetic.minimum
    maximum = arithmetic.maximum
    __iadd__, __isub__, __imul__, __itruediv__ = add_, sub_, mul_, div_
    __ifloordiv__, __imod__, __ipow__ = floor_divide_, remainder_, pow_

    exp = elementwise.exp
    exp_ = inplace.method(elementwise.exp)
    expm1 = elementwise.expm1
    expm1_ = inplace.method(elementwise.expm1)
    log = elementwise.log
    log_ = inplace.method(elementwise.log)
    log1p = elementwise.log1p
    log1p_ = inplace.method(elementwise.log1p)
    log2 = elementwise.log2
    log2_ = inplace.method(elementwise.log2)
    log10 = elementwise.log10
    log10_ = inplace.method(elementwise.log10)
    sqrt = elementwise.sqrt
    sqrt_ = inplace.method(elementwise.sqrt)
    rsqrt = elementwise.rsqrt
    rsqrt_ = inplace.method(elementwise.rsqrt)
    abs = elementwise.abs
    abs_ = inplace.method(elementwise.abs)
    sign = elementwise.sign
    sign_ = inplace.method(elementwise.sign)
    sin = elementwise.sin
    sin_ = inplace.method(elementwise.sin)
    cos = elementwise.cos
    cos_ = inplace.method(elementwise.cos)
    tan = elementwise.tan
    tan_ = inplace.method(elementwise.tan)
    asin = elementwise.asin
    asin_ = inplace.method(elementwise.asin)
    acos = elementwise.acos
    acos_ = inplace.method(elementwise.acos)
    atan = elementwise.atan
    atan_ = inplace.method(elementwise.atan)
    sinh = elementwise.sinh
    sinh_ = inplace.method(elementwise.sinh)
    cosh = elementwise.cosh
    cosh_ = inplace.method(elementwise.cosh)
    tanh = elementwise.tanh
    tanh_ = inplace.method(elementwise.tanh)
    atanh = elementwise.atanh
    atanh_ = inplace.method(elementwise.atanh)
    erf = elementwise.erf
    erf_ = inplace.method(elementwise.erf)
    sigmoid = elementwise.sigmoid
    sigmoid_ = inplace.method(elementwise.sigmoid)
    floor = elementwise.floor
    floor_ = inplace.method(elementwise.floor)
    ceil = elementwise.ceil
    ceil_ = inplace.method(elementwise.ceil)
    trunc = elementwise.trunc
    trunc_ = inplace.method(elementwise.trunc)
    round = elementwise.round
    round_ = inplace.method(elementwise.round)
    clamp = elementwise.clamp
    clamp_ = inplace.method(elementwise.clamp)
    masked_fill = elementwise.masked_fill
    masked_fill_ = inplace.method(elementwise.masked_fill)
    nan_to_num = elementwise.nan_to_num
    nan_to_num_ = inplace.method(elementwise.nan_to_num)
    clamp_min = elementwise.clamp_min
    clamp_min_ = inplace.method(elementwise.clamp_min)
    clamp_max = elementwise.clamp_max
    clamp_max_ = inplace.method(elementwise.clamp_max)
    clip, clip_ = clamp, clamp_
    absolute, absolute_ = abs, abs_
    where = dunder.where

    eq = comparison.eq
    eq_ = inplace.method(dunder.replacing(comparison.eq))
    ne = comparison.ne
    ne_ = inplace.method(dunder.replacing(comparison.ne))
    lt = comparison.lt
    lt_ = inplace.method(dunder.replacing(comparison.lt))
    le = comparison.le
    le_ = inplace.method(dunder.replacing(comparison.le))
    gt = comparison.gt
    gt_ = inplace.method(dunder.replacing(comparison.gt))
    ge = comparison.ge
    ge_ = inplace.method(dunder.replacing(comparison.ge))
    logical_and = comparison.logical_and
    logical_and_ = inplace.method(comparison.logical_and)
    logical_or = comparison.logical_or
    logical_or_ = inplace.method(comparison.logical_or)
    logical_xor = comparison.logical_xor
    logical_xor_ = inplace.method(comparison.logical_xor)
    logical_not = comparison.logical_not
    logical_not_ = inplace.method(comparison.logical_not)
    bitwise_and = comparison.bitwise_and
    bitwise_and_ = inplace.method(comparison.bitwise_and)
    bitwise_or = comparison.bitwise_or
    bitwise_or_ = inplace.method(comparison.bitwise_or)
    bitwise_xor = comparison.bitwise_xor
    bitwise_xor_ = inplace.method(comparison.bitwise_xor)
    bitwise_not = comparison.bitwise_not
    bitwise_not_ = inplace.method(comparison.bitwise_not)
    __iand__, __ior__, __ixor__ = bitwise_and_, bitwise_or_, bitwise_xor_
    greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne
    isnan = comparison.isnan
    isinf = comparison.isinf
    isfinite = comparison.isfinite
    isclose = comparison.isclose
    allclose = comparison.allclose
    equal = comparison.equal

    sum = reduction.sum
    mean = reduction.mean
    var = reduction.var
    std = reduction.std
    prod = reduction.prod
    max = reduction.max
    min = reduction.min
    amax = reduction.amax
    amin = reduction.amin
    argmax = reduction.argmax
    argmin = reduction.argmin
    any = reduction.any
    all = reduction.all
    logsumexp = reduction.logsumexp
    cumsum = reduction.cumsum
    cumsum_ = inplace.method(reduction.cumsum)
    norm = reduction.norm
    sort = sorting.sort
    argsort = sorting.argsort
    topk = sorting.topk
    median = sorting.median

    relu = activation.relu
    relu_ = inplace.method(activation.relu)
    softmax = activation.softmax
    log_softmax = activation.log_softmax
