"""The methods of a tensor, one line each: functions of `functional`, or of this folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from autograd import dtypes, errors
from autograd.functional import (
    activation,
    arithmetic,
    comparison,
    dunder,
    elementwise,
    indexing,
    joining,
    linear_algebra,
    norms,
    reduction,
    shape,
    shape_methods,
    sorting,
    subscript,
)
from autograd.tensors import conversions, copy_and_pickle, inplace, new_like, printing, values

if TYPE_CHECKING:
    from autograd.types import Tensor

F = TypeVar("F", bound=Callable[..., Any])


def both(function: F) -> tuple[F, Callable[..., Tensor]]:
    """Return an operation as a method, and its in-place method."""
    return function, inplace.method(function)


class Methods:
    """What `Tensor` inherits: operations, Python's operators and protocols, conversions."""

    __add__, __radd__ = dunder.add, dunder.radd
    __sub__, __rsub__ = dunder.sub, dunder.rsub
    __mul__, __rmul__ = dunder.mul, dunder.rmul
    __truediv__, __rtruediv__ = dunder.truediv, dunder.rtruediv
    __floordiv__, __rfloordiv__ = dunder.floordiv, dunder.rfloordiv
    __mod__, __rmod__ = dunder.mod, dunder.rmod
    __pow__, __rpow__ = dunder.pow, dunder.rpow
    __neg__, __pos__, __abs__ = arithmetic.neg, arithmetic.positive, elementwise.abs
    __eq__, __ne__ = dunder.eq, dunder.ne  # type: ignore[assignment]
    __lt__, __le__, __gt__, __ge__ = dunder.lt, dunder.le, dunder.gt, dunder.ge
    __and__, __rand__ = dunder.and_, dunder.rand
    __or__, __ror__ = dunder.or_, dunder.ror
    __xor__, __rxor__ = dunder.xor, dunder.rxor
    __invert__ = dunder.invert
    __hash__ = object.__hash__

    add, add_ = both(arithmetic.add)
    sub, sub_ = both(arithmetic.sub)
    mul, mul_ = both(arithmetic.mul)
    div, div_ = both(arithmetic.div)
    floor_divide, floor_divide_ = both(arithmetic.floor_divide)
    remainder, remainder_ = both(arithmetic.remainder)
    fmod, fmod_ = both(arithmetic.fmod)
    pow, pow_ = both(arithmetic.pow)
    float_power, float_power_ = arithmetic.float_power, inplace.method(dunder.float_power)
    neg, neg_ = both(arithmetic.neg)
    reciprocal, reciprocal_ = both(arithmetic.reciprocal)
    square, square_ = both(arithmetic.square)
    lerp, lerp_ = both(arithmetic.lerp)
    subtract, multiply, divide, true_divide, negative = sub, mul, div, div, neg
    subtract_, multiply_, divide_, true_divide_, negative_ = sub_, mul_, div_, div_, neg_
    positive = arithmetic.positive
    minimum = arithmetic.minimum
    maximum = arithmetic.maximum
    __iadd__, __isub__, __imul__, __itruediv__ = add_, sub_, mul_, div_
    __ifloordiv__, __imod__, __ipow__ = floor_divide_, remainder_, pow_

    exp, exp_ = both(elementwise.exp)
    expm1, expm1_ = both(elementwise.expm1)
    log, log_ = both(elementwise.log)
    log1p, log1p_ = both(elementwise.log1p)
    log2, log2_ = both(elementwise.log2)
    log10, log10_ = both(elementwise.log10)
    sqrt, sqrt_ = both(elementwise.sqrt)
    rsqrt, rsqrt_ = both(elementwise.rsqrt)
    abs, abs_ = both(elementwise.abs)
    sign, sign_ = both(elementwise.sign)
    sin, sin_ = both(elementwise.sin)
    cos, cos_ = both(elementwise.cos)
    tan, tan_ = both(elementwise.tan)
    asin, asin_ = both(elementwise.asin)
    acos, acos_ = both(elementwise.acos)
    atan, atan_ = both(elementwise.atan)
    sinh, sinh_ = both(elementwise.sinh)
    cosh, cosh_ = both(elementwise.cosh)
    tanh, tanh_ = both(elementwise.tanh)
    atanh, atanh_ = both(elementwise.atanh)
    erf, erf_ = both(elementwise.erf)
    sigmoid, sigmoid_ = both(elementwise.sigmoid)
    floor, floor_ = both(elementwise.floor)
    ceil, ceil_ = both(elementwise.ceil)
    trunc, trunc_ = both(elementwise.trunc)
    round, round_ = both(elementwise.round)
    clamp, clamp_ = both(elementwise.clamp)
    masked_fill, masked_fill_ = both(elementwise.masked_fill)
    nan_to_num, nan_to_num_ = both(elementwise.nan_to_num)
    clamp_min, clamp_min_ = both(elementwise.clamp_min)
    clamp_max, clamp_max_ = both(elementwise.clamp_max)
    clip, clip_ = clamp, clamp_
    absolute, absolute_ = abs, abs_
    where = dunder.where

    eq, eq_ = comparison.eq, inplace.method(dunder.replacing(comparison.eq))
    ne, ne_ = comparison.ne, inplace.method(dunder.replacing(comparison.ne))
    lt, lt_ = comparison.lt, inplace.method(dunder.replacing(comparison.lt))
    le, le_ = comparison.le, inplace.method(dunder.replacing(comparison.le))
    gt, gt_ = comparison.gt, inplace.method(dunder.replacing(comparison.gt))
    ge, ge_ = comparison.ge, inplace.method(dunder.replacing(comparison.ge))
    logical_and, logical_and_ = both(comparison.logical_and)
    logical_or, logical_or_ = both(comparison.logical_or)
    logical_xor, logical_xor_ = both(comparison.logical_xor)
    logical_not, logical_not_ = both(comparison.logical_not)
    bitwise_and, bitwise_and_ = both(comparison.bitwise_and)
    bitwise_or, bitwise_or_ = both(comparison.bitwise_or)
    bitwise_xor, bitwise_xor_ = both(comparison.bitwise_xor)
    bitwise_not, bitwise_not_ = both(comparison.bitwise_not)
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
    cumsum, cumsum_ = both(reduction.cumsum)
    norm = norms.norm
    sort = sorting.sort
    argsort = sorting.argsort
    topk = sorting.topk
    median = sorting.median

    relu, relu_ = both(activation.relu)
    softmax = activation.softmax
    log_softmax = activation.log_softmax

    reshape = shape.reshape
    view = shape_methods.view
    view_as = shape_methods.view_as
    reshape_as = shape.reshape_as
    flatten = shape.flatten
    unflatten = shape.unflatten
    squeeze = shape.squeeze
    unsqueeze = shape.unsqueeze
    transpose = swapaxes = swapdims = shape.transpose
    t = shape.t
    permute = shape.permute
    movedim = moveaxis = shape.movedim
    expand = shape_methods.expand
    expand_as = shape_methods.expand_as
    broadcast_to = shape.broadcast_to
    repeat = shape_methods.repeat
    clone = shape.clone
    contiguous = shape_methods.contiguous
    is_contiguous = shape_methods.is_contiguous
    T = property(shape.numpy_T)
    mT = property(shape.matrix_T)

    split = joining.split
    chunk = joining.chunk
    unbind = joining.unbind
    narrow = joining.narrow
    select = joining.select

    matmul = linear_algebra.matmul
    __matmul__ = linear_algebra.matmul_operator
    mm = linear_algebra.mm
    bmm = linear_algebra.bmm
    mv = linear_algebra.mv
    dot = linear_algebra.dot
    outer = ger = linear_algebra.outer
    addmm, addmm_ = both(linear_algebra.addmm)
    tril, tril_ = both(linear_algebra.tril)
    triu, triu_ = both(linear_algebra.triu)

    __getitem__ = subscript.getitem
    __setitem__ = inplace.setitem
    copy_ = inplace.copy_
    fill_ = inplace.fill_
    zero_ = inplace.zero_
    gather = indexing.gather
    scatter, scatter_ = both(indexing.scatter)
    scatter_add, scatter_add_ = both(indexing.scatter_add)
    index_select = indexing.index_select
    take_along_dim = indexing.take_along_dim
    masked_select = indexing.masked_select
    nonzero = indexing.nonzero
    argwhere = indexing.argwhere

    to = conversions.to
    type = conversions.type_
    type_as = conversions.type_as
    half = conversions.converter(dtypes.float16)
    float = conversions.converter(dtypes.float32)
    double = conversions.converter(dtypes.float64)
    char = conversions.converter(dtypes.int8)
    short = conversions.converter(dtypes.int16)
    int = conversions.converter(dtypes.int32)
    long = conversions.converter(dtypes.int64)
    byte = conversions.converter(dtypes.uint8)
    bool = conversions.converter(dtypes.bool)
    cpu = conversions.cpu
    cuda = conversions.cuda

    _host = values.host
    item = values.item
    tolist = values.tolist
    numpy = values.numpy
    size = conversions.size
    dim = ndimension = conversions.dim
    numel = nelement = conversions.numel
    element_size = conversions.element_size
    stride = conversions.stride
    is_floating_point = conversions.is_floating_point
    is_complex = conversions.is_complex

    itemsize = property(conversions.element_size)
    nbytes = property(conversions.nbytes)
    is_cuda = property(conversions.is_cuda)
    is_cpu = property(conversions.is_cpu)
    get_device = conversions.get_device
    data_ptr = conversions.data_ptr
    is_signed = conversions.is_signed

    new_tensor = new_like.new_tensor
    new_empty = new_like.new_empty
    new_zeros = new_like.new_zeros
    new_ones = new_like.new_ones
    new_full = new_like.new_full

    __array__ = values.as_array
    __array_wrap__ = values.wrap_array
    __float__ = values.as_float
    __int__ = values.as_int
    __complex__ = values.as_complex
    __bool__ = values.as_bool
    __index__ = values.as_index
    __len__ = conversions.length
    __iter__ = conversions.iterate
    __contains__ = values.contains
    __format__ = values.formatted
    __repr__ = printing.text
    __deepcopy__ = copy_and_pickle.deepcopy
    __reduce_ex__ = copy_and_pickle.reduce
    __getattr__ = errors.tensor_attribute
