"""NumPy: arrays in host memory. Where NumPy and CuPy differ, functions have names of their own."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autograd.backend.erf import erf
from autograd.backend.kernels.contract import Array, Shape
from autograd.backend.kernels.numpy_kernels import NumpyChains


class NumpyBackend(NumpyChains):
    """NumPy's functions, and the named ones in which CuPy differs."""

    device_type = "cpu"

    def __getattr__(self, name: str) -> Any:
        """Return NumPy's function of this name, and keep it so that it is looked up only once."""
        value = getattr(np, name)
        setattr(self, name, value)
        return value

    def array_of(self, value: Any) -> Array:
        return np.asarray(value)

    def to_numpy(self, array: Array) -> np.ndarray:
        return array

    def from_numpy(self, array: np.ndarray) -> Array:
        return array

    def address(self, array: Array) -> int:
        return array.__array_interface__["data"][0]

    def device_index(self, array: Array) -> int | None:
        return None

    def expand(self, array: Array, shape: Shape) -> Array:
        # A view of `np.broadcast_to` can't be written to.
        result = np.broadcast_to(array, shape)
        result.flags.writeable = array.flags.writeable
        return result

    def strided(self, flat: Array, first: int, shape: Shape, strides: Shape) -> Array:
        # The view of `as_strided` forgets whose memory it is.
        return np.ndarray(shape, flat.dtype, flat, first * flat.itemsize, strides)

    def broadcast_to(self, array: Array, shape: Shape) -> Array:
        """A view of a larger shape; for a 0-d array, faster than `np.broadcast_to`."""
        if array.ndim:
            return np.broadcast_to(array, shape)
        return np.ndarray(shape, array.dtype, array, strides=(0,) * len(shape))

    def check_bounds(
        self, index: Array, size: int, dim: int, error: type[Exception], lowest: int
    ) -> None:
        if index.size == 0:
            return
        if lowest == 0 and index.view(f"u{index.itemsize}").max() < size:
            return  # as unsigned, a negative number is too large, too
        for extreme in (index.max(), index.min()):
            if not lowest <= extreme < size:
                raise error(
                    f"index {operator.index(extreme.item())} is out of bounds for dimension {dim} "
                    f"with size {size}"
                )

    def scatter_add(self, array: Array, index: Any, values: Array) -> None:
        np.add.at(array, index, values)

    def scatter_multiply(self, array: Array, index: Any, values: Array) -> None:
        np.multiply.at(array, index, values)

    def put_along_axis(self, array: Array, index: Array, values: Any, axis: int) -> None:
        np.put_along_axis(array, index, values, axis)

    def max(self, array: Array, axis: Any = None, keepdims: Any = False) -> Array:
        """The largest along `axis`, without the Python overhead of `np.max`."""
        return np.maximum.reduce(array, axis=axis, keepdims=keepdims)

    def min(self, array: Array, axis: Any = None, keepdims: Any = False) -> Array:
        """The smallest along `axis`, without the Python overhead of `np.min`."""
        return np.minimum.reduce(array, axis=axis, keepdims=keepdims)

    def where(self, condition: Array, first: Any, second: Any) -> Array:
        """`first` where the condition holds, `second` elsewhere.

        `np.where` branches at every element; on random conditions, bits are ten times faster.
        """
        if type(condition) is not np.ndarray or condition.size < FEW or condition.dtype != np.bool_:
            return np.where(condition, first, second)
        if isinstance(second, int) and second == 0 and _has_bits(first):
            return _where_or_0(condition, first)
        if isinstance(first, int) and first == 0 and _has_bits(second):
            return _where_or_0(~condition, second)
        if not (_has_bits(first) and _has_bits(second) and first.dtype == second.dtype):
            return np.where(condition, first, second)
        bits = f"i{first.itemsize}"
        difference = first.view(bits) ^ second.view(bits)
        difference &= np.negative(condition.astype(bits))
        return (difference ^ second.view(bits)).view(first.dtype)

    def raise_to(self, base: Any, exponent: Any) -> Any:
        is_whole = isinstance(exponent, int) or (
            isinstance(exponent, float) and exponent.is_integer()
        )
        if is_whole and isinstance(base, np.ndarray) and base.dtype.kind == "f":
            return _whole_power(base, int(exponent))
        return base**exponent

    def sum(
        self, array: Array, axis: Any = None, keepdims: Any = False, dtype: Any = None
    ) -> Array:
        """The sum along `axis`, in parts where it is long.

        NumPy adds row after row where elements along `axis` do not lie side by side: the error of
        float32 then grows with the number of rows.
        """
        axes = axis if isinstance(axis, tuple) else () if axis is None else (axis,)
        if array.dtype.kind == "f" and any(_is_tall(array, i) for i in axes):
            for i in sorted((i % array.ndim for i in axes), reverse=True):
                array = _sum_in_parts(array, i, dtype)
                array = np.expand_dims(array, i) if keepdims else array
            return array
        return np.add.reduce(array, axis=axis, keepdims=keepdims, dtype=dtype)

    def erf(self, array: Array) -> Array:
        return erf(array)


FEW = 2048  # elements; below this, a call costs more than its work
ROWS = 512  # that are added one after the other


def _whole_power(base: np.ndarray, exponent: int) -> Any:
    """`base ** exponent`; NumPy takes 40 times as long for a negative base as for a positive one.

    The cube and the inverse square are products, as in torch.
    """
    if exponent == 3:
        return base * base * base
    if exponent == -2:
        return 1 / (base * base)
    if exponent in (-1, 0, 1, 2):
        return base**exponent
    size = np.abs(base) ** exponent
    return np.copysign(size, base) if exponent % 2 else size


def _is_tall(array: np.ndarray, axis: int) -> bool:
    """Whether NumPy would add many elements along an axis row after row."""
    if array.shape[axis] < 2 * ROWS:
        return False
    steps = [abs(step) for step, n in zip(array.strides, array.shape, strict=True) if n > 1]
    return abs(array.strides[axis]) > min(steps)


def _sum_in_parts(array: np.ndarray, axis: int, dtype: Any) -> np.ndarray:
    """The sum along an axis: of each `ROWS` rows, then of those sums in the same way."""
    if not _is_tall(array, axis):
        return np.add.reduce(array, axis=axis, dtype=dtype)
    rows = np.moveaxis(array, axis, 0)
    parts, left = divmod(len(rows), ROWS)
    whole = rows[: parts * ROWS].reshape(parts, ROWS, *rows.shape[1:])
    total = _sum_in_parts(np.add.reduce(whole, axis=1, dtype=dtype), 0, dtype)
    return total + np.add.reduce(rows[-left:], axis=0, dtype=dtype) if left else total


def _has_bits(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind != "b"


def _where_or_0(condition: Array, values: Array) -> Array:
    # Multiplying bits by 0 or 1 keeps infinities and NaN out where 0 is wanted.
    bits = f"i{values.itemsize}"
    chosen = condition.astype(bits)
    if condition.shape == values.shape:
        chosen *= values.view(bits)
    else:
        chosen = chosen * values.view(bits)
    return chosen.view(values.dtype)


NUMPY = NumpyBackend()
