"""A backend that writes down instructions in place of computing.

The functions of an operation, forward and backward, are called with it as their `xp`, and with
`Traced` arrays. So whatever is written in terms of a backend's functions can be compiled; where a
function has no kernel it raises NotCompiledError, and NumPy runs that operation.
"""

from __future__ import annotations

import bisect
import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.backend.numpy_backend import NumpyBackend
from autograd.compiled.instructions import (
    FLOAT32,
    TYPES,
    Instruction,
    NotCompiledError,
    Place,
    Root,
    collapsed,
    padded,
    size,
)
from autograd.compiled.traced import Traced

BINARY = {
    np.add: "ADD", np.subtract: "SUBTRACT", np.multiply: "MULTIPLY", np.true_divide: "DIVIDE",
    np.maximum: "MAXIMUM", np.minimum: "MINIMUM", np.less: "LESS", np.less_equal: "LESS_EQUAL",
    np.greater: "GREATER", np.greater_equal: "GREATER_EQUAL", np.equal: "EQUAL",
    np.not_equal: "NOT_EQUAL",
}  # fmt: skip
OF_TRUTH = {
    np.logical_and: "MULTIPLY", np.bitwise_and: "MULTIPLY", np.logical_or: "MAXIMUM",
    np.bitwise_or: "MAXIMUM", np.multiply: "MULTIPLY",
}  # fmt: skip
UNARY = {
    np.negative: "NEGATIVE", np.absolute: "ABSOLUTE", np.exp: "EXP", np.log: "LOG",
    np.log1p: "LOG1P", np.tanh: "TANH", np.sqrt: "SQRT", np.square: "SQUARE", np.sign: "SIGN",
    np.positive: "COPY",
}  # fmt: skip
REDUCTIONS = {np.add: "SUM", np.minimum: "LEAST", np.maximum: "LARGEST"}
VIEWS = ("expand_dims", "moveaxis", "squeeze", "swapaxes", "transpose", "reshape", "ravel")
FACTS = ("shape", "ndim", "size", "iscomplexobj", "may_share_memory")
FEWEST_ROWS = 8  # fewer are not worth a split
PART = 4096  # elements of a part of a long loop
FEW_COLUMNS = 16  # of a product, for which dot products are faster than strips
FEW_TERMS = 16  # of a sum, for which they are not


class Emitter(NumpyBackend):
    """Writes instructions; `strip` and `tile` are the widths of the kernels' products."""

    def __init__(self, strip: int, tile: int) -> None:
        super().__init__()
        self.strip, self.tile = strip, tile
        self.instructions: list[Instruction] = []
        self.roots: list[Root] = []
        self._addresses: list[tuple[int, int]] = []  # of the roots, sorted, with their numbers
        self.packed: dict[Any, Place] = {}
        self._numbers: dict[float, np.ndarray] = {}
        self.reused_empty = self.empty  # type: ignore[method-assign]

    # -- memory ---------------------------------------------------------------------------

    def root(self, shape: Sequence[int], dtype: Any = FLOAT32, kind: str = "value") -> Any:
        """Return an array that is a root of its own."""
        dtype = np.dtype(dtype)
        memory = np.empty(max(size(shape), 1), dtype)
        if dtype == FLOAT32:
            memory.fill(np.nan)
        return self.adopt(memory, kind)[: size(shape)].reshape(tuple(shape))

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
        traced.emitter = self
        return traced

    def place(self, array: np.ndarray) -> tuple[Root, int]:
        """Return the root of an array and where in it, in elements, the array starts."""
        address = array.__array_interface__["data"][0]
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

    def operand(self, value: Any, shape: Sequence[int]) -> tuple[Root, str, int, list[int]]:
        """Return a value, broadcast to a shape, as root, type, offset and strides."""
        array = value if isinstance(value, np.ndarray) else self._number(value)
        if array.dtype not in TYPES:
            raise NotCompiledError(f"the dtype {array.dtype}")
        plain = array.view(np.ndarray)
        root, offset = self.place(array if array.size else plain)
        if root.kind == "constant" and not array.flags.c_contiguous:
            plain = root.memory.reshape(array.shape)
        strides = np.broadcast_to(plain, shape).strides
        return root, TYPES[array.dtype], offset, [s // array.itemsize for s in strides]

    def _number(self, value: Any) -> np.ndarray:
        if isinstance(value, np.generic) and value.dtype != FLOAT32:
            raise NotCompiledError(f"a number of the dtype {value.dtype}")
        number = float(value)
        if number != number:
            raise NotCompiledError("NaN as a number")
        return self._numbers.setdefault(number, np.array(number, np.float32))

    # -- creation -------------------------------------------------------------------------

    def empty(self, shape: Any, dtype: Any = FLOAT32) -> Any:
        return self.root(shape if isinstance(shape, tuple | list) else (shape,), dtype)

    def full(self, shape: Any, value: Any, dtype: Any = FLOAT32) -> Any:
        """An array of one number."""
        array = self.empty(shape, dtype)
        self.copy(value, array)
        return array

    def zeros(self, shape: Any, dtype: Any = FLOAT32) -> Any:
        """An array of zeros."""
        return self.full(shape, 0.0, dtype)

    def ones(self, shape: Any, dtype: Any = FLOAT32) -> Any:
        """An array of ones."""
        return self.full(shape, 1.0, dtype)

    def array_of(self, value: Any) -> Any:
        return value

    # -- elementwise ----------------------------------------------------------------------

    def elementwise(self, code: str, inputs: Sequence[Any], out: Any) -> Any:
        """Write a loop over all elements of `out`."""
        shape = out.shape
        operands = [self.operand(x, shape) for x in (*inputs, out)]
        if size(shape) == 0:
            return out
        rows = len(shape) - 2 if len(shape) >= 2 and shape[-2] >= FEWEST_ROWS else None
        dims, strides, kept, unit = collapsed(shape, [o[3] for o in operands], rows, 4)
        places = [
            Place(root, kind, offset, padded(s, 0, 4))
            for (root, kind, offset, _), s in zip(operands, strides, strict=True)
        ]
        loops = padded(dims, 1, 4)
        instruction = Instruction(
            "ELEMENTWISE", code, loops, places, len(inputs), work=2 * size(shape)
        )
        if kept is not None and rows is not None:
            instruction.split, instruction.unit = kept + 4 - len(dims), unit
            instruction.extent, instruction.group = shape[rows], ("rows", shape[rows])
        elif size(shape) > PART:
            instruction.split = loops.index(max(loops))
            instruction.unit = PART if instruction.split == 3 else 1
            instruction.extent = -(-loops[instruction.split] // instruction.unit)
            instruction.group = instruction
        self.write(instruction)
        return out

    def write(self, instruction: Instruction) -> None:
        """Add an instruction to the program."""
        instruction.check()
        for number in instruction.writes:
            root = instruction.places[number].root
            if root.kind in ("constant", "input"):
                raise NotCompiledError("a change of an input or of a constant")
            root.version += 1
        self.instructions.append(instruction)

    def copy(self, value: Any, out: Any) -> Any:
        """Write the elements of a value to `out`."""
        return self.elementwise("COPY", [value], out)

    def cast(self, array: Any, dtype: np.dtype) -> Any:
        """Return a copy in another dtype."""
        if dtype != array.dtype and dtype != FLOAT32:
            raise NotCompiledError(f"a cast to {dtype}")
        return self.copy(array, self.root(array.shape, dtype))

    def ufunc(
        self, ufunc: Any, method: str, inputs: tuple[Any, ...], out: Any = None, **kwargs: Any
    ) -> Any:
        """Write down a call of a function of NumPy that works element by element."""
        target = out[0] if out is not None else None
        if method == "reduce":
            return self._reduction(ufunc, inputs[0], target, **kwargs)
        if method != "__call__" or kwargs:
            raise NotCompiledError(f"{ufunc.__name__}.{method} with {list(kwargs)}")
        if ufunc is np.matmul:
            return self.matmul(*inputs, out=target)
        if ufunc is np.vecdot:
            return self._dot_of_rows(*inputs)
        if ufunc is np.reciprocal:
            ufunc, inputs = np.true_divide, (1.0, *inputs)
        kinds = [getattr(x, "dtype", type(x)) for x in inputs]
        *needed, dtype = ufunc.resolve_dtypes((*kinds, None))
        shape = np.broadcast_shapes(*(np.shape(x) for x in inputs))
        code = (BINARY if len(inputs) == 2 else UNARY).get(ufunc)
        if set(needed) == {np.dtype(np.bool_)}:
            code = OF_TRUTH.get(ufunc)
        elif set(needed) != {FLOAT32}:
            code = None
        if code is None or dtype not in (FLOAT32, np.dtype(np.bool_)):
            raise NotCompiledError(f"{ufunc.__name__} of {[str(k) for k in kinds]}")
        if target is None:
            target = self.root(shape, dtype)
        elif target.dtype != dtype or target.shape != shape:
            raise NotCompiledError(f"{ufunc.__name__} into another shape or dtype")
        if self._is_outer_product(code, inputs, shape):
            return self.matmul(*inputs, out=target)
        return self.elementwise(code, inputs, target)

    @staticmethod
    def _is_outer_product(code: str, inputs: Sequence[Any], shape: tuple[int, ...]) -> bool:
        """Whether it is a column times a row: then what follows can be done by the product."""
        if code != "MULTIPLY" or len(shape) not in (2, 3) or min(shape[-2:]) < FEWEST_ROWS:
            return False
        first, second = map(np.shape, inputs)
        return first[-2:] == (shape[-2], 1) and second[-2:] == (1, shape[-1])

    def function(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Write down a call of another function of NumPy."""
        name = func.__name__
        if name in FACTS:
            return func._implementation(*args, **kwargs)
        if name in VIEWS:
            return func._implementation(*args, **kwargs).view(Traced)
        if name in ("zeros_like", "ones_like", "empty_like") and set(kwargs) <= {"dtype"}:
            make = getattr(self, name.removesuffix("_like"))
            return make(args[0].shape, kwargs.get("dtype", args[0].dtype))
        if name == "where" and len(args) == 3 and not kwargs:
            shape = np.broadcast_shapes(*map(np.shape, args))
            return self.elementwise("WHERE", args, self.root(shape))
        if name == "concatenate" and set(kwargs) <= {"axis"}:
            return self._concatenated(*args, **kwargs)
        if name == "clip" and len(args) == 3 and not kwargs:
            return np.minimum(np.maximum(args[0], args[1]), args[2])
        raise NotCompiledError(f"numpy.{name}")

    def _concatenated(self, arrays: Sequence[Any], axis: int = 0) -> Any:
        shape = list(arrays[0].shape)
        shape[axis] = sum(array.shape[axis] for array in arrays)
        out, start = self.root(shape, arrays[0].dtype), 0
        for array in arrays:
            index: list[Any] = [slice(None)] * len(shape)
            index[axis] = slice(start, start + array.shape[axis])
            self.copy(array, out[tuple(index)])
            start += array.shape[axis]
        return out

    def broadcast_to(self, array: Any, shape: Any) -> Any:
        return np.lib.stride_tricks.as_strided(
            array, shape, np.broadcast_to(array.view(np.ndarray), shape).strides, subok=True
        )

    def expand(self, array: Any, shape: Any) -> Any:
        return self.broadcast_to(array, shape)

    # -- reductions -----------------------------------------------------------------------

    def _reduction(
        self, ufunc: Any, array: Any, out: Any, axis: Any = 0, keepdims: bool = False,
        dtype: Any = None, **kwargs: Any,
    ) -> Any:  # fmt: skip
        code = REDUCTIONS.get(ufunc)
        if code is None or kwargs or array.dtype != FLOAT32 or dtype not in (None, FLOAT32):
            raise NotCompiledError(f"{ufunc.__name__}.reduce of {array.dtype}")
        axes = range(array.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        axes = sorted(i % array.ndim for i in axes)
        kept = [1 if i in axes else n for i, n in enumerate(array.shape)]
        result = self.root(kept)
        self.reduce(code, [array], axes, result)
        if not keepdims:
            result = result.reshape([n for i, n in enumerate(kept) if i not in axes])
        return result if out is None else self.copy(result, out)

    def _dot_of_rows(self, first: Any, second: Any) -> Any:
        result = self.root((*first.shape[:-1], 1))
        self.reduce("DOT", [first, second], [first.ndim - 1], result)
        return result.reshape(first.shape[:-1])

    def reduce(self, code: str, inputs: Sequence[Any], axes: Sequence[int], out: Any) -> None:
        """Write a reduction over `axes`, which `out` has with size 1."""
        shape = inputs[0].shape
        operands = [self.operand(x, shape) for x in inputs] + [self.operand(out, out.shape)]
        if size(shape) == 0:
            raise NotCompiledError("a reduction of nothing")
        others = [i for i in range(len(shape)) if i not in axes]
        rows = len(shape) - 2 if len(shape) >= 2 and shape[-2] >= FEWEST_ROWS else None
        is_kept = rows is not None and rows in others
        keep = others.index(rows) if is_kept else None  # type: ignore[arg-type]
        dims, outer, place, unit = collapsed(
            [shape[i] for i in others], [[o[3][i] for i in others] for o in operands], keep, 2
        )
        inner_dims, inner, _, _ = collapsed(
            [shape[i] for i in axes],
            [[o[3][i] for i in axes] for o in operands[:-1]] + [[0] * len(axes)], None, 2,
        )  # fmt: skip
        loops = padded(dims, 1, 2) + padded(inner_dims, 1, 2)
        places = [
            Place(o[0], o[1], o[2], padded(a, 0, 2) + padded(b, 0, 2))
            for o, a, b in zip(operands, outer, inner, strict=True)
        ]
        instruction = Instruction("REDUCE", code, loops, places, len(inputs), work=size(shape))
        if place is not None and rows is not None:
            instruction.split, instruction.unit = place + 2 - len(dims), unit
            instruction.extent, instruction.group = shape[rows], ("rows", shape[rows])
        elif size(shape) > PART and loops[1] > self.strip:
            instruction.split, instruction.unit = 1, 64
            instruction.extent, instruction.group = -(-loops[1] // 64), instruction
        else:
            instruction.split, instruction.extent = 1, loops[1]
        self.write(instruction)

    def sum_of_rows(self, rows: Any, out: Any = None) -> Any:
        total = self._reduction(np.add, rows, None, axis=-2)
        return total if out is None else self.copy(total, out)

    # -- products -------------------------------------------------------------------------

    def matmul(self, first: Any, second: Any, out: Any = None) -> Any:
        """`first @ second`, of matrices or of stacks of them."""
        if min(np.ndim(first), np.ndim(second)) < 2 or max(np.ndim(first), np.ndim(second)) > 3:
            raise NotCompiledError("a product of vectors, or of stacks of stacks")
        (m, depth), columns = first.shape[-2:], second.shape[-1]
        batch = np.broadcast_shapes(first.shape[:-2], second.shape[:-2])
        networks = size(batch)
        result = self.root((*batch, m, columns)) if out is None else out
        if not result.size or not depth:
            raise NotCompiledError("an empty product")
        places = []
        for array, rows, cols, at in (
            (first, m, depth, (1, 3)), (second, depth, columns, (3, 2)), (result, m, columns, (1, 2)),
        ):  # fmt: skip
            root, kind, offset, strides = self.operand(array, (*batch, rows, cols))
            if kind != "FLOAT":
                raise NotCompiledError("a product of other numbers than float32")
            full = [0, 0, 0, 0]
            full[at[0]], full[at[1]] = strides[-2:]
            full[0] = strides[0] if batch else 0
            places.append(Place(root, kind, offset, tuple(full)))
        self._product((networks, m, columns, depth), places)
        return result

    def _product(self, shape: tuple[int, ...], places: list[Place]) -> None:
        networks, m, columns, depth = shape
        a, b, c = places
        if a.strides[3] != 1 and depth > 1 and a.strides[1] == 1:  # a sum over samples
            if columns <= self.tile < m:  # exchange rows and columns: strips are never narrow
                a, b = (Place(x.root, x.type, x.offset, _swapped(x.strides)) for x in (b, a))
                c = Place(c.root, c.type, c.offset, _swapped(c.strides))
                m, columns = columns, m
            strips = -(-columns // self.strip)
            instruction = Instruction(
                "STRIPS", "PLAIN", (networks, m, columns, depth), [a, b, c], 2, split=2,
                extent=networks * strips, fixed_scratch=4 * depth * self.strip,
            )  # fmt: skip
            instruction.group = instruction
        elif columns <= FEW_COLUMNS and depth >= FEW_TERMS and a.strides[3] == 1:
            if b.strides[3] != 1:
                b = self._copied_for_dots(b, networks, columns, depth)
            instruction = Instruction("DOTS", "PLAIN", shape, [a, b, c], 2)
            instruction.split, instruction.extent, instruction.group = 1, m, ("rows", m)
        else:
            instruction = Instruction(
                "PRODUCT", "PLAIN", shape, [a, self._pack(b, networks, columns, depth), c], 2
            )
            instruction.split, instruction.extent, instruction.group = 1, m, ("rows", m)
            instruction.scratch = 4 * depth + 4
        instruction.work = networks * m * columns * depth
        self.write(instruction)

    def _copied_for_dots(self, b: Place, networks: int, columns: int, depth: int) -> Place:
        key = b, networks, columns, depth, b.root.version
        if key not in self.packed:
            shape = (networks if b.strides[0] else 1, 1, columns, depth)
            self.root(shape)
            own = Place(self.roots[-1], "FLOAT", 0, (columns * depth, 0, depth, 1))
            copy = Instruction("ELEMENTWISE", "COPY", shape, [b, own], 1, work=size(shape))
            self.write(copy)
            self.packed[key] = own if b.strides[0] else Place(own.root, "FLOAT", 0, (0, 0, depth, 1))
        return self.packed[key]

    def _pack(self, b: Place, networks: int, columns: int, depth: int) -> Place:
        key = b, networks, columns, depth, b.root.version, "strips"
        if key not in self.packed:
            strips = -(-columns // self.strip)
            self.root((networks * strips * depth * self.strip,))
            own = Place(self.roots[-1], "PACKED", 0, (0, 0, 0, 0))
            pack = Instruction(
                "PACK", "", (networks, 1, columns, depth), [b, own], 1, split=2,
                extent=networks * strips, work=4 * networks * columns * depth,
            )  # fmt: skip
            pack.group = pack
            self.write(pack)
            self.packed[key] = own
        return self.packed[key]

    def _end_product(self, code: str, y: Any, extra: Any) -> bool:
        """Let the latest product do what follows it, if it made `y`; return whether it does."""
        last = self.instructions[-1] if self.instructions else None
        if last is None or last.op not in ("PRODUCT", "DOTS") or last.code != "PLAIN":
            return False
        root, offset = self.place(y)
        out = last.places[-1]
        networks, m, columns, _ = last.shape
        if (root, offset) != (out.root, out.offset) or y.size != networks * m * columns:
            return False
        shape = y.shape if y.ndim == 3 else (1, *y.shape)
        if isinstance(extra, np.ndarray) and extra.ndim == 2 and y.ndim == 3:
            return False
        root, kind, offset, strides = self.operand(extra, shape)
        if kind != "FLOAT":
            return False
        extra_place = Place(root, kind, offset, (*strides, 0))
        places = [*last.places[:2], extra_place, last.places[2]]
        ended = dataclasses.replace(last, code=code, places=places, inputs=3)
        ended.group = ended if last.group is last else last.group
        ended.check()
        self.instructions[-1] = ended
        return True

    def add_bias_(self, y: Any, bias: Any, activation: str) -> None:
        code = "BIAS_RELU" if activation == "relu" else "BIAS"
        if not self._end_product(code, y, bias):
            self.elementwise("ADD", [y, bias], y)
            if activation == "relu":
                self.relu_(y)
        if activation == "tanh":
            self.elementwise("TANH", [y], y)

    def relu_(self, array: Any) -> None:
        self.elementwise("MAXIMUM", [array, 0.0], array)

    def activation_gradient_(self, g: Any, out: Any, activation: str) -> None:
        if activation != "relu":
            super().activation_gradient_(g, out, activation)
        elif not self._end_product("RELU_MASK", g, out):
            self.elementwise("MASK", [g, out], g)

    # -- what learning has of its own -----------------------------------------------------

    def minimum_gradient(self, g: Any, values: Any) -> Any:
        result = self.root(values.shape)
        if values.ndim != 3:
            raise NotCompiledError("a minimum over other than (networks, rows, columns)")
        networks, m, columns = values.shape
        places = [
            Place(root, kind, offset, (*strides, 0))
            for root, kind, offset, strides in (
                self.operand(x, values.shape) for x in (g, values, result)
            )
        ]
        instruction = Instruction(
            "MINIMUM_GRADIENT", "", (networks, m, columns, 1), places, 2, split=1, extent=m,
            group=("rows", m), work=4 * values.size,
        )  # fmt: skip
        self.write(instruction)
        return result

    def is_worth_choosing_rows(self, work: int) -> bool:
        return False  # a product leaves out rows of zeros by itself

    def taken(self, array: Any, key: Any) -> Any:
        """`array[key]` for the key that takes one element of the last dimension for each other."""
        index = self._last_index(array, key)
        out = self.root(index.shape)
        self._indexed("TAKE", array, index, out, array.shape[-1])
        return out

    def put(self, array: Any, key: Any, value: Any) -> None:
        """`array[key] = value` for such a key."""
        index = self._last_index(array, key)
        self._indexed("PUT", value, index, array, array.shape[-1])

    def _last_index(self, array: Any, key: Any) -> Any:
        *others, index = key if isinstance(key, tuple) else (key,)
        shape = (*array.shape[:-1], 1)
        is_known = (
            isinstance(index, Traced)
            and index.shape == shape
            and index.dtype == np.int64
            and len(others) == array.ndim - 1
            and not any(isinstance(x, Traced) for x in others)
        )
        if not is_known or any(
            not np.array_equal(x, np.arange(n).reshape((n,) + (1,) * (array.ndim - i - 1)))
            for i, (x, n) in enumerate(zip(others, shape, strict=False))
        ):
            raise NotCompiledError("an index other than one element of the last dimension")
        return index

    def _indexed(self, code: str, source: Any, index: Any, target: Any, length: int) -> None:
        shape, places = padded(index.shape[:-1], 1, 3), []
        for value in (source, index, target):
            dims = (*index.shape[:-1], value.shape[-1])
            root, kind, offset, strides = self.operand(value, dims)
            places.append(Place(root, kind, offset, padded(strides, 0, 4)))
        instruction = Instruction(
            "INDEXED", code, (*shape, 1), places, 2, split=2, extent=shape[2], work=size(shape)
        )
        if shape[2] >= FEWEST_ROWS:
            instruction.group = ("rows", shape[2])
        self.write(instruction)
        instruction.shape = (*shape, length)


def _swapped(strides: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of a product's operand with rows and columns exchanged."""
    n, i, j, k = strides
    return n, j, i, k
