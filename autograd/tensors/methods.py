"""The methods of a tensor about its shape, its parts, and what it can be turned into."""

from __future__ import annotations

from autograd import dtypes, missing
from autograd.functional import indexing, joining, linear_algebra, shape, shape_methods, subscript
from autograd.tensors import conversions, inplace, printing
from autograd.tensors import copy_and_pickle as copying
from autograd.tensors import new_like as siblings


class Structure:
    """What `Tensor` inherits beside its operators: one line each, as in `operators`."""

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
    addmm = linear_algebra.addmm
    addmm_ = inplace.method(linear_algebra.addmm)

    __getitem__ = subscript.getitem
    __setitem__ = inplace.setitem
    copy_ = inplace.copy_
    fill_ = inplace.fill_
    zero_ = inplace.zero_
    gather = indexing.gather
    scatter = indexing.scatter
    scatter_ = inplace.method(indexing.scatter)
    scatter_add = indexing.scatter_add
    scatter_add_ = inplace.method(indexing.scatter_add)
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

    _host = conversions.host
    item = conversions.item
    tolist = conversions.tolist
    numpy = conversions.numpy
    size = conversions.size
    dim = ndimension = conversions.dim
    numel = nelement = conversions.numel
    element_size = conversions.element_size
    stride = conversions.stride
    is_floating_point = conversions.is_floating_point
    is_complex = conversions.is_complex

    itemsize = property(conversions.itemsize)
    nbytes = property(conversions.nbytes)
    is_cuda = property(conversions.is_cuda)
    is_cpu = property(conversions.is_cpu)
    get_device = conversions.get_device
    data_ptr = conversions.data_ptr
    is_signed = conversions.is_signed

    new_tensor = siblings.new_tensor
    new_empty = siblings.new_empty
    new_zeros = siblings.new_zeros
    new_ones = siblings.new_ones
    new_full = siblings.new_full

    __array__ = conversions.as_array
    __float__ = conversions.as_float
    __int__ = conversions.as_int
    __complex__ = conversions.as_complex
    __bool__ = conversions.as_bool
    __index__ = conversions.as_index
    __len__ = conversions.length
    __iter__ = conversions.iterate
    __contains__ = conversions.contains
    __format__ = conversions.formatted
    __repr__ = printing.text
    __deepcopy__ = copying.deepcopy
    __reduce_ex__ = copying.reduce
    __getattr__ = missing.tensor_attribute
