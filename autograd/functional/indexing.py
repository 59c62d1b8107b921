"""Reading and writing elements by tensors of indices."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autograd.backend import Array, backend_of
from autograd.engine.apply import apply
from autograd.engine.grad_mode import refuse_capture
from autograd.functional.broadcasting import broadcast_shapes
from autograd.functional.checks import is_tensor, require_both, require_tensor, type_name, wrap_dim
from autograd.functional.index_parsing import SHAPE_OF_VALUES, check_bounds
from autograd.functional.shape import reshape
from autograd.functional.shape_methods import expand
from autograd.ops import indexing as ops
from autograd.ops.op import Op

if TYPE_CHECKING:
    from autograd.types import Operand, Tensor


def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """`out[i][j] = input[i][index[i][j]]` for `dim=1`, and so on."""
    require_tensor("gather", input)
    if sparse_grad:
        raise NotImplementedError("gather(sparse_grad=True): autograd has no sparse tensors")
    dim = _check_index("gather", input, dim, index, "input")
    places, shape = index._array, input._array.shape
    for i, n in enumerate(places.shape if places.size else ()):
        if shape and i != dim and n > shape[i]:
            raise RuntimeError(
                f"Size does not match at dimension {i} expected index {list(places.shape)} to be "
                f"no larger than self {list(shape)} apart from dimension {dim}"
            )
    check_bounds(places, shape[dim] if shape else 1, dim, RuntimeError)
    return _in_dimensions(lambda x, i: apply(ops.gather, x, i, dim=dim), input, index, places.shape)


def _check_index(name: str, input: Tensor, dim: int, index: Tensor, what: str) -> int:
    """Check `index`, and return the dimension that it counts."""
    require_tensor(name, index, "index", 2 if name == "gather" else 3)
    dim = wrap_dim(dim, input._array.ndim)
    places = index._array
    if places.size and places.dtype.name not in ("int64", "int32"):
        shown = "gather" if name == "gather" else "scatter"
        raise RuntimeError(f"{shown}(): Expected dtype int32/int64 for index")
    if places.size and max(places.ndim, 1) != max(input._array.ndim, 1):
        raise RuntimeError(f"Index tensor must have the same number of dimensions as {what} tensor")
    return dim


def _in_dimensions(
    function: Callable[[Tensor, Tensor], Tensor],
    input: Tensor,
    index: Tensor,
    shape: tuple[int, ...],
) -> Tensor:
    """Call `function(input, index)` with both in equally many dimensions, at least one."""
    if input._array.ndim and input._array.ndim == index._array.ndim:
        return function(input, index)
    if index._array.size == 0:  # its shape may be anything, since nothing is read
        index = reshape(index, (0,) * max(input._array.ndim, 1))
        index = index.long()
    elif index._array.ndim == 0:
        index = reshape(index, (1,))
    if input._array.ndim == 0:
        input = reshape(input, (1,))
    return reshape(function(input, index), shape)


def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Operand | None = None,
    *,
    value: Operand | None = None,
    reduce: str | None = None,
) -> Tensor:
    """`input` with `src`, a tensor or number, written to the elements that `gather` reads."""
    require_tensor("scatter", input)
    src = value if src is None else src
    if src is None:
        raise TypeError("scatter() missing its source: expected src (a tensor) or value (a number)")
    if reduce not in (None, "add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    op = ops.scatter
    if not hasattr(src, "_array"):
        op, src = ops.scatter_value, input._array.dtype.type(src).item()
    if reduce is None:
        return _scatter(op, "scatter", input, dim, index, src)
    return _scatter(ops.scatter_reduce, "scatter", input, dim, index, src, reduce=reduce)


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Operand) -> Tensor:
    """`input` with the elements of `src` added at `index`; repeated indices add up."""
    require_tensor("scatter_add", input)
    require_tensor("scatter_add", src, "src", 3)
    return _scatter(ops.scatter_add, "scatter_add", input, dim, index, src)


def _scatter(
    op: Op, name: str, input: Tensor, dim: int, index: Tensor, src: Operand, **settings: Any
) -> Tensor:
    dim = _check_index(name, input, dim, index, "self")
    places, shape = index._array, input._array.shape
    if is_tensor(src):
        _check_source(places, shape, src, dim, input)
    check_bounds(places, shape[dim] if shape else 1, dim, RuntimeError)
    if places.size == 0:
        return input.clone()
    if is_tensor(src) and src._array.ndim == 0:
        src = reshape(src, (1,))
    return _in_dimensions(
        lambda x, i: apply(op, x, i, src, dim=dim, **settings), input, index, shape
    )


def _check_source(
    places: Array, shape: tuple[int, ...], src: Tensor, dim: int, input: Tensor
) -> None:
    if src._array.dtype != input._array.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    if not places.size:
        return
    given = src._array.shape
    if max(len(given), 1) != max(places.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
    for i, n in enumerate(places.shape):
        if (shape and i != dim and n > shape[i]) or n > (given[i] if given else 1):
            raise RuntimeError(
                f"Expected index {list(places.shape)} to be no larger than self {list(shape)} "
                f"apart from dimension {dim} and to be no larger size than src {list(given)}"
            )


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The parts of `input` at the places `index` of one dimension."""
    require_tensor("index_select", input)
    require_tensor("index_select", index, "index", 3)
    places, shape = index._array, input._array.shape
    dim = wrap_dim(dim, len(shape))
    if places.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if places.dtype.name not in ("int64", "int32"):
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    if not shape and places.size != 1:
        raise RuntimeError(
            f"index_select(): Index to scalar can have only 1 value, got {places.size} value(s)"
        )
    size = shape[dim] if shape else 1
    for extreme in (places.max(), places.min()) if places.size else ():
        if not 0 <= extreme < size:
            where = f"id={extreme} axis_dim={size}"
            if dim == 1:  # torch has a separate kernel for this dimension
                raise RuntimeError(f"INDICES element is out of DATA bounds, {where}")
            raise IndexError(f"index out of range in self: {where}")
    if not shape:
        return input.clone()
    if places.ndim == 0:
        index = reshape(index, (1,))
    return apply(ops.index_select, input, index, dim=dim)


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """`gather` with broadcasting along `dim`; without `dim`, of the flattened input."""
    require_both("take_along_dim", input, indices, "indices")
    if indices._array.dtype.name != "int64":
        raise RuntimeError(
            "torch.take_along_dim(): dtype of indices should be Long but got "
            f"{type_name(indices._array)}"
        )
    if dim is None:
        input, indices, dim = reshape(input, (-1,)), reshape(indices, (-1,)), 0
    ndim, given = input._array.ndim, indices._array.ndim
    if ndim != given:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, "
            f"but got {ndim} dimensions for input, and {given} dimensions for indices"
        )
    dim = wrap_dim(dim, ndim)
    shape, wanted = list(input._array.shape), list(indices._array.shape)
    size, shape[dim], count = shape[dim], 1, wanted[dim]
    wanted[dim] = 1
    common = list(broadcast_shapes(tuple(shape), tuple(wanted)))
    places = indices._array
    check_bounds(places, size, dim, RuntimeError, lowest=-size)
    wrapped = indices._wrap(places + (places < 0) * size)
    return gather(
        expand(input, (*common[:dim], size, *common[dim + 1 :])),
        dim,
        expand(wrapped, (*common[:dim], count, *common[dim + 1 :])),
    )


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements of `input` where `mask` is true, in one dimension."""
    require_both("masked_select", input, mask, "mask")
    if mask._array.dtype.kind != "b":
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    refuse_capture(SHAPE_OF_VALUES)
    shape = broadcast_shapes(mask._array.shape, input._array.shape)
    if input._array.shape != shape:
        input = expand(input, shape)
    if mask._array.shape != shape:
        mask = expand(mask, shape)
    return apply(ops.masked_select, input, mask)


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Indices of nonzero elements: `(count, ndim)`, or with `as_tuple` a vector per dimension."""
    require_tensor("nonzero", input)
    refuse_capture(SHAPE_OF_VALUES)
    array = input._array
    if array.ndim == 0:
        array = array.reshape(1) if as_tuple else array
    xp = backend_of(array)
    if array.ndim == 0:
        return input._wrap(xp.zeros((int(bool(array)), 0), xp.int64))
    places = xp.nonzero(array)
    if as_tuple:
        return tuple(input._wrap(p) for p in places)
    return input._wrap(xp.stack(places, axis=1))


def argwhere(input: Tensor) -> Tensor:
    """Indices of nonzero elements, `(count, ndim)`."""
    return nonzero(input)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """One-hot vectors in a new last dimension of size `num_classes`; -1: as many as needed."""
    require_tensor("one_hot", tensor, "tensor")
    array = tensor._array
    if array.dtype.name != "int64":
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if array.size == 0 and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if array.size and array.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    largest = int(array.max()) if array.size else -1
    if num_classes == -1:
        refuse_capture(SHAPE_OF_VALUES)
        num_classes = largest + 1
    elif largest >= num_classes:
        raise RuntimeError("Class values must be smaller than num_classes.")
    xp = backend_of(array)
    return tensor._wrap((array[..., None] == xp.arange(num_classes)).astype(xp.int64))
