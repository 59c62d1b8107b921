"""A backend that writes down instructions in place of computing.

The functions of an operation, forward and backward, are called with it as their `xp`, and with
`Traced` arrays. So whatever is written in terms of a backend's functions can be compiled; where a
function has no kernel it raises NotCompiledError, and NumPy runs that operation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.backend.numpy_backend import NumpyBackend
from autograd.compiled import columns, rows
from autograd.compiled.instructions import (
    FLOAT32,
    Instruction,
    NotCompiledError,
    Place,
    padded,
    size,
)
from autograd.compiled.loops import elementwise, reduction, rows_of, split_by_rows
from autograd.compiled.memory import Memory, order_of
from autograd.compiled.products import Products, is_outer
from autograd.compiled.traced import Traced

BOOL = np.dtype(np.bool_)
OF_FLOATS: dict[Any, str] = {
    np.add: "ADD", np.subtract: "SUBTRACT", np.multiply: "MULTIPLY", np.true_divide: "DIVIDE",
    np.maximum: "MAXIMUM", np.minimum: "MINIMUM", np.less: "LESS", np.less_equal: "LESS_EQUAL",
    np.greater: "GREATER", np.greater_equal: "GREATER_EQUAL", np.equal: "EQUAL",
    np.not_equal: "NOT_EQUAL", np.negative: "NEGATIVE", np.absolute: "ABSOLUTE", np.exp: "EXP",
    np.log: "LOG", np.log1p: "LOG1P", np.tanh: "TANH", np.sqrt: "SQRT", np.square: "SQUARE",
    np.sign: "SIGN", np.positive: "COPY",
}  # fmt: skip
OF_TRUTH: dict[Any, str] = {
    np.logical_and: "MULTIPLY", np.bitwise_and: "MULTIPLY", np.logical_or: "MAXIMUM",
    np.bitwise_or: "MAXIMUM", np.multiply: "MULTIPLY",
}  # fmt: skip
POWERS = {-1: np.reciprocal, 1: np.positive, 2: np.square}
REDUCTIONS = {np.add: "SUM", np.minimum: "LEAST", np.maximum: "LARGEST"}
FACTS = ("shape", "ndim", "size", "iscomplexobj", "may_share_memory")
VIEWS = ("expand_dims", "moveaxis", "squeeze", "swapaxes", "transpose", "reshape", "ravel")


class Emitter(NumpyBackend):
    """Writes instructions, in order."""

    def __init__(self, strip: int, tile: int) -> None:
        """`strip`, `tile`: columns and rows that the kernels of products compute together."""
        super().__init__()
        self.memory = Memory(self)
        self.products = Products(self.memory, strip, tile)
        self.instructions: list[Instruction] = []
        self.reused_empty = self.empty

    def write(self, instruction: Instruction) -> None:
        """Add an instruction to the program."""
        instruction.check()
        for place in instruction.written():
            if place.root.kind in ("constant", "input"):
                raise NotCompiledError("a change of an input or of a constant")
            place.root.version += 1
        self.instructions.append(instruction)

    # -- creation -------------------------------------------------------------------------

    def empty(self, shape: Any, dtype: Any = FLOAT32) -> Any:
        """An array whose elements are not set."""
        return self.memory.new(shape if isinstance(shape, tuple | list) else (shape,), dtype)

    def full(self, shape: Any, value: Any, dtype: Any = FLOAT32) -> Any:
        """An array of one number."""
        return self.copy(value, self.empty(shape, dtype))

    def zeros(self, shape: Any, dtype: Any = FLOAT32) -> Any:
        """An array of zeros."""
        return self.full(shape, 0.0, dtype)

    def ones(self, shape: Any, dtype: Any = FLOAT32) -> Any:
        """An array of ones."""
        return self.full(shape, 1.0, dtype)

    def array_of(self, value: Any) -> Any:
        """What an operation returned: never a number."""
        return value

    def copy(self, value: Any, out: Any) -> Any:
        """Write the elements of a value to `out`."""
        return self.elementwise("COPY", [value], out)

    def cast(self, array: Any, dtype: np.dtype, like: Sequence[Any] = ()) -> Any:
        """Return a copy in another dtype, which lies in memory as `like` does."""
        if dtype != array.dtype and dtype != FLOAT32:
            raise NotCompiledError(f"a cast to {dtype}")
        return self.copy(array, self.memory.new_like(array.shape, like, dtype))

    # -- functions of NumPy ---------------------------------------------------------------

    def elementwise(self, code: str, inputs: Sequence[Any], out: Any) -> Any:
        """Write a loop over all elements of `out`."""
        if out.dtype not in (FLOAT32, BOOL):  # the kernels only read whole numbers
            raise NotCompiledError(f"a result of the dtype {out.dtype}")
        order, target = order_of(out), out
        if order is not None:  # the loops go as the memory does
            target = out.transpose(order)
            inputs = [
                self.broadcast_to(x, out.shape).transpose(order) if np.ndim(x) else x
                for x in inputs
            ]
        if size(out.shape):
            self.write(elementwise(self.memory, code, inputs, target))
        return out

    def ufunc(
        self, ufunc: Any, method: str, inputs: tuple[Any, ...], out: Any = None, **kwargs: Any
    ) -> Any:
        """Write down a call of a function of NumPy that works element by element."""
        target = out[0] if out is not None else None
        if method == "reduce":
            return self.reduced(ufunc, inputs[0], target, **kwargs)
        if method != "__call__" or kwargs:
            raise NotCompiledError(f"{ufunc.__name__}.{method} with {list(kwargs)}")
        if ufunc is np.matmul:
            return self.matmul(inputs[0], inputs[1], target)
        if ufunc is np.vecdot:
            return self._dot_of_rows(*inputs)
        if ufunc is np.power and type(inputs[1]) is int and inputs[1] in POWERS:
            ufunc, inputs = POWERS[inputs[1]], inputs[:1]
        if ufunc is np.reciprocal:
            ufunc, inputs = np.true_divide, (1.0, *inputs)
        code, dtype = _code_and_dtype(ufunc, inputs)
        shape = np.broadcast_shapes(*(np.shape(x) for x in inputs))
        if target is None:
            target = self.memory.new_like(shape, inputs, dtype)
        elif target.dtype != dtype or target.shape != shape:
            raise NotCompiledError(f"{ufunc.__name__} into another shape or dtype")
        if code == "MULTIPLY" and is_outer([np.shape(x) for x in inputs], shape):
            return self.matmul(inputs[0], inputs[1], target)
        return self.elementwise(code, inputs, target)

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
            return self.elementwise("WHERE", args, self.memory.new_like(shape, args))
        if name == "concatenate" and set(kwargs) <= {"axis"}:
            return self._concatenated(*args, **kwargs)
        if name == "clip" and len(args) == 3 and not kwargs:
            return np.minimum(np.maximum(args[0], args[1]), args[2])
        raise NotCompiledError(f"numpy.{name}")

    def _concatenated(self, arrays: Sequence[Any], axis: int = 0) -> Any:
        shape = list(arrays[0].shape)
        shape[axis] = sum(array.shape[axis] for array in arrays)
        out, start = self.memory.new(shape, arrays[0].dtype), 0
        for array in arrays:
            index: list[Any] = [slice(None)] * len(shape)
            index[axis] = slice(start, start + array.shape[axis])
            self.copy(array, out[tuple(index)])
            start += array.shape[axis]
        return out

    def broadcast_to(self, array: Any, shape: Any) -> Any:
        """A view of a larger shape."""
        strides = np.broadcast_to(array.view(np.ndarray), shape).strides
        return np.lib.stride_tricks.as_strided(array, shape, strides, subok=True)

    def expand(self, array: Any, shape: Any) -> Any:
        """A view of a larger shape."""
        return self.broadcast_to(array, shape)

    # -- reductions -----------------------------------------------------------------------

    def reduced(
        self, ufunc: Any, array: Any, out: Any = None, axis: Any = 0, keepdims: bool = False,
        dtype: Any = None, **kwargs: Any,
    ) -> Any:  # fmt: skip
        """Write down `ufunc.reduce`."""
        code = REDUCTIONS.get(ufunc)
        if code is None or kwargs or array.dtype != FLOAT32 or dtype not in (None, FLOAT32):
            raise NotCompiledError(f"{ufunc.__name__}.reduce of {array.dtype}")
        given = range(array.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        axes = sorted(i % array.ndim for i in given)
        kept = [1 if i in axes else n for i, n in enumerate(array.shape)]
        result = self.memory.new(kept) if out is None else out.reshape(kept)
        self.write(reduction(self.memory, code, [array], axes, result))
        if out is not None or keepdims:
            return result if out is None else out
        return result.reshape([n for i, n in enumerate(kept) if i not in axes])

    def sum(self, array: Any, axis: Any = None, keepdims: Any = False, dtype: Any = None) -> Any:
        """The sum along `axis`; the kernels add in parts by themselves."""
        return self.reduced(np.add, array, axis=axis, keepdims=keepdims, dtype=dtype)

    def _dot_of_rows(self, first: Any, second: Any) -> Any:
        result = self.memory.new((*first.shape[:-1], 1))
        self.write(reduction(self.memory, "DOT", [first, second], [first.ndim - 1], result))
        return result.reshape(first.shape[:-1])

    def sum_of_rows(self, rows: Any, out: Any = None) -> Any:
        """The sum over the last axis but one."""
        return self.reduced(np.add, rows, out, axis=-2)

    # -- products -------------------------------------------------------------------------

    def matmul(self, first: Any, second: Any, out: Any = None) -> Any:
        """`first @ second`, of matrices or of stacks of them."""
        if min(np.ndim(first), np.ndim(second)) < 2:
            raise NotCompiledError("a product with a vector")
        if out is None:
            batch = np.broadcast_shapes(first.shape[:-2], second.shape[:-2])
            out = self.memory.new((*batch, first.shape[-2], second.shape[-1]))
        for instruction in self.products.product(first, second, out):
            self.write(instruction)
        return out

    def _end_product(self, code: str, y: Any, extra: Any) -> bool:
        """Let the latest product do what follows it; return whether it can."""
        if not self.instructions:
            return False
        ended = self.products.ended(self.instructions[-1], code, y, extra)
        if ended is not None:
            ended.check()
            self.instructions[-1] = ended
        return ended is not None

    def add_bias_(self, y: Any, bias: Any, activation: str) -> None:
        """`y += bias`, then the activation, in place."""
        code = "BIAS_RELU" if activation == "relu" else "BIAS"
        if not self._end_product(code, y, bias):
            self.elementwise("ADD", [y, bias], y)
            if activation == "relu":
                self.relu_(y)
        if activation == "tanh":
            self.elementwise("TANH", [y], y)

    def relu_(self, array: Any) -> None:
        """The positive part, in place."""
        self.elementwise("MAXIMUM", [array, 0.0], array)

    def activation_gradient_(self, g: Any, out: Any, activation: str) -> None:
        """Multiply `g` by the derivative of an activation, in place."""
        if activation != "relu":
            super().activation_gradient_(g, out, activation)
        elif not self._end_product("RELU_MASK", g, out):
            self.elementwise("MASK", [g, out], g)

    # -- what learning has of its own -----------------------------------------------------

    def minimum_gradient(self, g: Any, values: Any) -> Any:
        """The gradient of values over whose first axis the minimum was taken."""
        if values.ndim != 3:
            raise NotCompiledError("a minimum over other than (networks, rows, columns)")
        result = self.memory.new(values.shape)
        loops = (*values.shape, 1)
        places = [self.memory.placed(x, (0, 1, 2), loops) for x in (g, values, result)]
        instruction = Instruction("MINIMUM_GRADIENT", "", loops, places, 2, work=4 * values.size)
        split_by_rows(instruction, 1, 1, values.shape[1])
        self.write(instruction)
        return result

    def row_norm(self, x: Any, weight: Any, bias: Any, eps: float, is_centred: bool) -> Any:
        """Rows normalised, and what their gradient needs."""
        return rows.row_norm(self, x, weight, bias, eps, is_centred)

    def row_norm_gradient(
        self, g: Any, weight: Any, normalized: Any, inverse: Any, is_centred: bool
    ) -> Any:
        """The gradient of the rows."""
        return rows.row_norm_gradient(self, g, weight, normalized, inverse, is_centred)

    def column_norm(self, x: Any, weight: Any, bias: Any, eps: float) -> Any:
        """Columns normalised, their statistics, and what their gradient needs."""
        return columns.column_norm(self, x, weight, bias, eps)

    def column_norm_gradient(self, g: Any, weight: Any, normalized: Any, inverse: Any) -> Any:
        """The gradients of columns, weight and bias."""
        return columns.column_norm_gradient(self, g, weight, normalized, inverse)

    def quantile_huber(self, quantiles: Any, target: Any) -> Any:
        """Losses of quantiles, and their gradients."""
        return rows.quantile_huber(self, quantiles, target)

    def spread_atoms(self, shares: Any, places: Any, low: float, high: float) -> Any:
        """Shares of atoms at other places."""
        return rows.spread_atoms(self, shares, places, low, high)

    def scaled_product(self, x: Any, y: Any, scale: float) -> Any:
        """`x * y * scale`, in one pass."""
        shape = np.broadcast_shapes(x.shape, y.shape)
        return self.elementwise("SCALED", [x, y, scale], self.memory.new_like(shape, [x, y]))

    def is_worth_choosing_rows(self, work: int) -> bool:
        """False: a product leaves out rows of zeros by itself."""
        return False

    def taken(self, array: Any, key: Any) -> Any:
        """`array[key]` for a key that takes one element of the last dimension for each other."""
        index = _last_index(array, key)
        out = self.memory.new(index.shape)
        self._indexed("TAKE", array, index, out, array.shape[-1])
        return out

    def put(self, array: Any, key: Any, value: Any) -> None:
        """`array[key] = value` for such a key."""
        self._indexed("PUT", value, _last_index(array, key), array, array.shape[-1])

    def _indexed(self, code: str, source: Any, index: Any, target: Any, length: int) -> None:
        loops, places = padded(index.shape[:-1], 1, 3), []
        for value in (source, index, target):
            operand = self.memory.operand(value, (*index.shape[:-1], value.shape[-1]))
            strides = padded(operand.strides, 0, 4)
            if operand.type != ("INT" if value is index else "FLOAT"):
                raise NotCompiledError("elements of another dtype than float32")
            places.append(Place(operand.root, operand.type, operand.offset, strides))
        instruction = Instruction("INDEXED", code, (*loops, length), places, 2, split=2)
        instruction.extent, instruction.work = loops[2], size(loops)
        if rows_of((*loops, 1)) is not None:
            split_by_rows(instruction, 2, 1, loops[2])
        self.write(instruction)


def _code_and_dtype(ufunc: Any, inputs: tuple[Any, ...]) -> tuple[str, np.dtype]:
    """Return the operation that a call is, and the dtype of its result."""
    kinds = [getattr(x, "dtype", type(x)) for x in inputs]
    *needed, dtype = ufunc.resolve_dtypes((*kinds, None))
    table = OF_FLOATS if needed[0] == FLOAT32 else OF_TRUTH if needed[0] == BOOL else {}
    code = table.get(ufunc) if len(set(needed)) == 1 else None
    if code is None or dtype not in (FLOAT32, BOOL):
        raise NotCompiledError(f"{ufunc.__name__} of {[str(kind) for kind in kinds]}")
    return code, dtype


def _last_index(array: Any, key: Any) -> Any:
    """Return the numbers in a key that takes one element of the last dimension for each other."""
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
