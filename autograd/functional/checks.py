"""Checks of arguments that many functions share, with torch's error classes and messages."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any, TypeGuard

from autograd.dtypes import type_name as type_name
from autograd.errors import not_implemented

if TYPE_CHECKING:
    from autograd.types import Tensor


def is_tensor(value: Any) -> TypeGuard[Tensor]:
    """Whether a value is a tensor."""
    return hasattr(value, "_array")


def require_tensor(function: str, value: Any, argument: str = "input", position: int = 1) -> None:
    """Raise TypeError unless `value` is a tensor."""
    if not hasattr(value, "_array"):
        raise TypeError(
            f"{function}(): argument '{argument}' (position {position}) must be Tensor, "
            f"not {type(value).__name__}"
        )


def require_both(function: str, first: Any, second: Any, argument: str = "other") -> None:
    """Raise TypeError unless `input` and the argument behind it are tensors."""
    require_tensor(function, first)
    require_tensor(function, second, argument, 2)


def require_float(kernel: str, tensor: Tensor) -> None:
    """Raise NotImplementedError unless the elements are floating point numbers."""
    if tensor._array.dtype.kind != "f":
        raise not_implemented(kernel, type_name(tensor._array))


def require_tensors(function: str, values: Any, argument: str = "tensors") -> tuple[Any, ...]:
    """Return the tensors of a list or tuple; TypeError if it holds anything else."""
    if not isinstance(values, tuple | list):
        raise TypeError(
            f"{function}(): argument '{argument}' (position 1) must be tuple of Tensors, "
            f"not {type(values).__name__}"
        )
    for i, value in enumerate(values):
        if not hasattr(value, "_array"):
            raise TypeError(
                f"expected Tensor as element {i} in argument 0, but got {type(value).__name__}"
            )
    return tuple(values)


def integer(function: str, value: Any, argument: str, position: int = 1) -> int:
    """Convert a whole number of Python, of NumPy or in a tensor; TypeError for anything else."""
    if not isinstance(value, bool):
        try:
            return operator.index(value)
        except TypeError:
            pass
    raise TypeError(
        f"{function}(): argument '{argument}' (position {position}) must be int, "
        f"not {type(value).__name__}"
    )


def type_text(value: Any) -> str:
    """The name of a value's type in torch's messages: numpy.float32, but list."""
    kind = type(value)
    return f"numpy.{kind.__name__}" if kind.__module__ == "numpy" else kind.__name__


def wrap_dim(dim: Any, ndim: int) -> int:
    """`dim` counted from the front; IndexError if there is no such dimension."""
    bound = ndim if ndim > 0 else 1
    if not -bound <= dim < bound:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-bound}, {bound - 1}], "
            f"but got {dim})"
        )
    return dim + bound if dim < 0 else operator.index(dim)


def wrap_dims(dims: Any, ndim: int) -> tuple[int, ...]:
    """Several dimensions counted from the front; RuntimeError if one comes twice."""
    wrapped = tuple(wrap_dim(dim, ndim) for dim in dims)
    if len(set(wrapped)) != len(wrapped):
        twice = next(dim for dim in wrapped if wrapped.count(dim) > 1)
        raise RuntimeError(f"dim {twice} appears multiple times in the list of dims")
    return wrapped


def sizes(function: str, given: tuple[Any, ...], argument: str = "size") -> tuple[int, ...]:
    """The whole numbers of `f(2, 3)` or `f((2, 3))`."""
    one_by_one = len(given) != 1 or not isinstance(given[0], tuple | list)
    values = given if one_by_one else given[0]
    for value in values:
        if type(value) is not int:
            break
    else:
        if given:
            return tuple(values)
    if not given:
        raise TypeError(f'{function}() missing 1 required positional arguments: "{argument}"')
    return tuple(
        _size(
            value, f"{function}(): argument '{argument}'", None if len(given) == one_by_one else i
        )
        for i, value in enumerate(values, 1)
    )


def _size(value: Any, where: str, place: int | None) -> int:
    if not isinstance(value, bool):
        try:
            return operator.index(value)
        except TypeError:
            pass
    kind = type(value).__name__
    if place is None:
        raise TypeError(f"{where} (position 1) must be tuple of ints, not {kind}")
    raise TypeError(
        f"{where} failed to unpack the object at pos {place} with error "
        f'"type must be tuple of ints,but got {kind}"'
    )


def resolve_shape(shape: tuple[int, ...], count: int) -> tuple[int, ...]:
    """`shape` with its -1 replaced by what `count` elements need."""
    if math.prod(shape) == count and min(shape, default=0) >= 0:
        return shape
    for i, n in enumerate(shape):
        if n < -1:
            raise RuntimeError(f"invalid shape dimension {n} at index {i} of shape {list(shape)}")
    if shape.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred")
    known = math.prod(n for n in shape if n != -1)
    if -1 in shape and known == 0 and count == 0:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified "
            "dimension size -1 can be any value and is ambiguous"
        )
    if -1 not in shape or known == 0 or count % known:
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {count}")
    place = shape.index(-1)
    return (*shape[:place], count // known, *shape[place + 1 :])


def shape_of(name: str, given: tuple[Any, ...], size: Any = None) -> tuple[int, ...]:
    """The shape that `2, 3`, `(2, 3)` or `size=(2, 3)` means; RuntimeError for a negative size."""
    shape = sizes(name, given if size is None else (size,))
    if any(n < 0 for n in shape):
        if name == "zeros":
            raise RuntimeError(f"{name}: Dimension size must be non-negative.")
        raise RuntimeError(
            f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}"
        )
    return shape
