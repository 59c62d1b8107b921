"""Parse and check what stands in the brackets of `tensor[...]`."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from types import EllipsisType
from typing import Any

import numpy as np

from autograd.backend import Array, backend_of
from autograd.engine.grad_mode import refuse_capture
from autograd.engine.python_values import array_of_data
from autograd.functional.checks import type_text
from autograd.ops.indexing import Index

FULL = slice(None)
SHAPE_OF_VALUES = "a shape depends on values"  # why a function cannot be captured


def parse(array: Array, index: Any) -> Index:
    """Return the view and the index arrays that `index` means for `array`, in torch's order.

    torch first applies numbers, slices, None and Ellipsis, one dimension after another, and then
    all arrays at once; NumPy would treat a number beside an array as an array.
    """
    if isinstance(index, int | np.integer) and not isinstance(index, bool):
        if array.ndim == 0:
            raise IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or "
                "`tensor.item<T>()` in C++ to convert a 0-dim tensor to a number"
            )
        return Index((_number(array, int(index), 0), ...), None, "Select")
    if type(index) is slice and array.ndim:
        start, stop, step = index.indices(array.shape[0])
        if step > 0:
            return Index((slice(start, stop, step),), None, "Slice")
    if type(index) is slice:
        if array.ndim == 0:
            raise IndexError("slice() cannot be applied to a 0-dim tensor.")
        index = (index,)
    if type(index) is tuple:
        plain = _view_of_slices(array.shape, index)
        if plain is not None:
            return plain
    return _Parser(array).run(as_parts(index))


def _view_of_slices(shape: tuple[int, ...], parts: tuple[Any, ...]) -> Index | None:
    """Return the view for numbers in bounds and slices, quickly; None for anything more."""
    if len(parts) > len(shape):
        return None
    kind = "Alias"
    basic: list[int | slice] = []
    for part, length in zip(parts, shape, strict=False):
        if type(part) is int and -length <= part < length:
            kind = "Select"
            basic.append(part)
        elif type(part) is slice and (part.step is None or part.step == 1):
            start, stop, _ = part.indices(length)
            if start != 0 or stop != length or len(parts) == 1:
                kind = "Slice"
            basic.append(slice(start, stop))
        else:
            return None
    return Index((*basic, ...), None, kind)


def as_parts(index: Any) -> tuple[Any, ...]:
    """Return the index as a tuple; a list is one if it holds more than numbers."""
    if isinstance(index, tuple):
        return index
    if isinstance(index, list) and len(index) < 32:
        nested = slice | EllipsisType | Sequence | None
        if any(isinstance(i, nested) or hasattr(i, "_array") for i in index):
            return tuple(index)
    return (index,)


class _Parser:
    """Goes through the parts of an index, dimension by dimension."""

    def __init__(self, array: Array) -> None:
        self.array = array
        self.dim = 0  # of the indexed array
        self.basic: list[Any] = []
        self.advanced: list[Any] = []  # one for each dimension of the view, masks for several
        self.kinds: list[str] = []

    def run(self, parts: tuple[Any, ...]) -> Index:
        parts = tuple(_plain(part) for part in parts)
        taken = sum(map(_dimensions_taken, parts))
        if taken > self.array.ndim:
            raise IndexError(f"too many indices for tensor of dimension {self.array.ndim}")
        rest = self.array.ndim - taken
        for part in parts:
            self._add(part, rest=rest, alone=len(parts) == 1)
            rest = 0 if part is ... else rest
        self.basic.append(...)
        arrays = self.advanced if any(a is not FULL for a in self.advanced) else None
        if arrays is not None:
            _check_broadcast(arrays)
        kind = self.kinds[-1] if self.kinds else "Alias"
        return Index(tuple(self.basic), None if arrays is None else tuple(arrays), kind)

    def _add(self, part: Any, *, rest: int, alone: bool) -> None:
        if part is ...:
            self.basic += [FULL] * rest
            self.advanced += [FULL] * rest
            self.dim += rest
        elif part is None:
            self._new_dimension(FULL)
        elif isinstance(part, bool):
            self._new_dimension(backend_of(self.array).asarray([0] if part else [], np.int64))
        elif isinstance(part, int):
            self.basic.append(_number(self.array, part, self.dim))
            self.kinds.append("Select")
            self.dim += 1
        elif isinstance(part, slice):
            self._slice(part, alone)
        else:
            self._array(part)

    def _new_dimension(self, advanced: Any) -> None:
        self.basic.append(None)
        self.advanced.append(advanced)
        self.kinds.append("Unsqueeze")

    def _slice(self, part: slice, alone: bool) -> None:
        length = self.array.shape[self.dim]
        start, stop, step = part.indices(length)
        if step <= 0:
            raise ValueError("step must be greater than zero")
        if alone or (start, stop, step) != (0, length, 1):
            self.kinds.append("Slice")
        self.basic.append(slice(start, stop, step))
        self.advanced.append(FULL)
        self.dim += 1

    def _array(self, part: Array) -> None:
        shape = self.array.shape
        if part.dtype.kind == "b":
            refuse_capture(SHAPE_OF_VALUES)
            for i, n in enumerate(part.shape):
                if n != shape[self.dim + i]:
                    raise IndexError(
                        f"The shape of the mask {list(part.shape)} at index {i} does not match the "
                        f"shape of the indexed tensor {list(shape)} at index {self.dim + i}"
                    )
            dimensions = part.ndim
        else:
            check_bounds(part, shape[self.dim], self.dim, IndexError, lowest=-shape[self.dim])
            dimensions = 1
        self.basic += [FULL] * dimensions
        self.advanced.append(_beside(self.array, part))
        self.dim += dimensions


def _beside(array: Array, part: Array) -> Array:
    """Check that an index array is on the device of what it indexes, or bring it there."""
    xp = backend_of(array)
    if type(part) is np.ndarray:
        return xp.from_numpy(part)
    if backend_of(part).device_index(part) != xp.device_index(array):
        raise RuntimeError(
            "indices should be either on cpu or on the same device as the indexed tensor"
        )
    return part


def _number(array: Array, index: int, dim: int) -> int:
    size = array.shape[dim]
    if not -size <= index < size:
        raise IndexError(f"index {index} is out of bounds for dimension {dim} with size {size}")
    return index


def _plain(part: Any) -> Any:
    """A part as None, Ellipsis, bool, int, slice or array of indices."""
    if part is None or part is ... or isinstance(part, bool | int | slice):
        return part
    if isinstance(part, np.integer):
        return int(part)
    if hasattr(part, "_array"):
        return _plain_array(part._array if part._array.ndim else part._host())
    if isinstance(part, Sequence | np.ndarray):
        elements = array_of_data(part, None, copy=False)
        if elements.size == 0:
            elements = elements.astype(np.int64)
        return _plain_array(elements)
    raise IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid "
        f"indices (got {type_text(part)})"
    )


def _plain_array(array: Array) -> Any:
    if array.dtype.name not in ("bool", "uint8", "int32", "int64"):
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    if array.dtype.name == "uint8":
        warnings.warn(
            "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool "
            "instead.",
            UserWarning,
            stacklevel=6,
        )
        array = array.astype(bool)
    if array.ndim == 0:
        return array.item()
    return array


def _dimensions_taken(part: Any) -> int:
    if part is None or part is ... or isinstance(part, bool):
        return 0
    return part.ndim if hasattr(part, "dtype") and part.dtype.kind == "b" else 1


def check_bounds(
    index: Array, size: int, dim: int, error: type[Exception], *, lowest: int = 0
) -> None:
    """Raise `error` if an index is out of bounds for a dimension of `size`."""
    backend_of(index).check_bounds(index, size, dim, error, lowest)


def _check_broadcast(arrays: list[Any]) -> None:
    shapes = [_index_shape(a) for a in arrays if a is not FULL]
    if len(shapes) > 1 and len(set(shapes)) > 1:
        try:
            np.broadcast_shapes(*shapes)
        except ValueError:
            raise IndexError(
                "shape mismatch: indexing tensors could not be broadcast together with shapes "
                + ", ".join(str(list(s)) for s in shapes)
            ) from None


def _index_shape(array: Array) -> tuple[int, ...]:
    return (int(array.sum()),) if array.dtype.kind == "b" else array.shape
