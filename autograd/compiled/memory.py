"""The arrays that a program knows."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.backend import NUMPY
from autograd.compiled.instructions import FLOAT32, TYPES, NotCompiledError, Place, Root, size
from autograd.compiled.traced import Traced


class Operand(NamedTuple):
    """A part of a root, with a stride, in elements, for each dimension of a loop."""

    root: Root
    type: str
    offset: int
    strides: list[int]


def order_of(array: Any) -> tuple[int, ...] | None:
    """Return in which order the dimensions of images lie, such as the channels last; else None."""
    if np.ndim(array) != 4 or array.flags.c_contiguous:
        return None
    order = tuple(sorted(range(4), key=lambda i: -array.strides[i]))
    return order if array.transpose(order).flags.c_contiguous else None


class Memory:
    """All roots, and where an array lies in them."""

    def __init__(self, emitter: Any) -> None:
        """`emitter` writes down what is done with the arrays."""
        self._emitter = emitter
        self.roots: list[Root] = []
        self._addresses: list[tuple[int, int]] = []  # of the roots, sorted, with their numbers
        self._numbers: dict[bytes, np.ndarray] = {}

    def new(self, shape: Sequence[int], dtype: Any = FLOAT32, kind: str = "value") -> Any:
        """Return an array that is a root of its own."""
        dtype = np.dtype(dtype)
        memory = np.empty(max(size(shape), 1), dtype)
        if dtype == FLOAT32:
            memory.fill(np.nan)
        return self.adopt(memory, kind)[: size(shape)].reshape(tuple(shape))

    def new_like(self, shape: Sequence[int], arrays: Sequence[Any], dtype: Any = FLOAT32) -> Any:
        """Return a new array that lies in memory as the first of `arrays` of its shape does."""
        shape = tuple(shape)
        order = next((order_of(a) for a in arrays if np.shape(a) == shape), None)
        return self.new(shape, dtype) if order is None else self.ordered(shape, dtype, order)

    def ordered(
        self, shape: Sequence[int], dtype: Any, order: Sequence[int], kind: str = "value"
    ) -> Any:
        """Return a new array whose dimensions lie in this order in memory."""
        return self.new([shape[i] for i in order], dtype, kind).transpose(np.argsort(order))

    def adopt(self, memory: np.ndarray, kind: str) -> Any:
        """Return a contiguous array as a root."""
        if memory.dtype not in TYPES and memory.dtype != np.float64:
            raise NotCompiledError(f"the dtype {memory.dtype}")
        assert memory.flags.c_contiguous
        root = Root(memory, kind, len(self.roots))
        self.roots.append(root)
        bisect.insort(self._addresses, (root.address, root.slot))
        return self.seen(memory)

    def seen(self, array: np.ndarray) -> Traced:
        """Return an array as one whose functions are written down."""
        traced = array.view(Traced)
        traced.emitter = self._emitter
        return traced

    def place(self, array: np.ndarray) -> tuple[Root, int]:
        """Return the root of an array and where in it, in elements, the array starts."""
        address = NUMPY.address(array)
        number = bisect.bisect(self._addresses, (address, len(self.roots))) - 1
        if number >= 0:
            root = self.roots[self._addresses[number][1]]
            offset = address - root.address
            if offset < root.memory.nbytes:
                return root, offset // array.itemsize
        if isinstance(array, Traced):
            raise NotCompiledError("a copy that NumPy made")
        return self._constant(array)

    def _constant(self, array: np.ndarray) -> tuple[Root, int]:
        if array.dtype == FLOAT32 and np.isnan(array).any():
            raise NotCompiledError("a constant from numbers that are not known")
        memory = np.ascontiguousarray(array).reshape(-1)
        self.adopt(memory, "constant")
        return self.roots[-1], 0

    def operand(self, value: Any, shape: Sequence[int]) -> Operand:
        """Return a value, broadcast to a shape, as an operand."""
        array = value if isinstance(value, np.ndarray) else self._number(value)
        if array.dtype not in TYPES:
            raise NotCompiledError(f"the dtype {array.dtype}")
        plain = array.view(np.ndarray)
        root, offset = self.place(array if array.size else plain)
        if root.kind == "constant" and not array.flags.c_contiguous:
            plain = root.memory.reshape(array.shape)
        strides = [s // array.itemsize for s in np.broadcast_to(plain, shape).strides]
        return Operand(root, TYPES[array.dtype], offset, strides)

    def placed(self, value: Any, dimensions: Sequence[int], loops: Sequence[int]) -> Place:
        """Return where a float32 value lies, whose dimensions are these of the four `loops`."""
        operand = self.operand(value, [loops[i] for i in dimensions])
        if operand.type != "FLOAT":
            raise NotCompiledError("elements of another dtype than float32")
        strides = [0] * 4
        for i, stride in zip(dimensions, operand.strides, strict=True):
            strides[i] = stride
        return Place(operand.root, operand.type, operand.offset, tuple(strides))

    def _number(self, value: Any) -> np.ndarray:
        if isinstance(value, np.generic) and value.dtype != FLOAT32:
            raise NotCompiledError(f"a number of the dtype {value.dtype}")
        number = float(value)
        if number != number:
            raise NotCompiledError("NaN as a number")
        # By the bytes: 0.0 and -0.0 are equal, but not the same.
        array = np.array(number, np.float32)
        return self._numbers.setdefault(array.tobytes(), array)
