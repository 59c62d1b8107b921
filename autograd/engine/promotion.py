"""torch's type promotion, where it differs from NumPy's.

Tensors with dimensions outrank 0-d tensors, and those outrank Python numbers, unless the lower
rank has the higher category (bool < integer < floating point). Inside a category NumPy's own
table holds; int64 with float32 is float32, not float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.backend import backend_of
from autograd.engine.grad_mode import refuse_capture
from autograd.ops.op import Op

_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2}
_BOOLS, _INTEGERS, _FLOATS = (bool, np.bool_), (int, np.integer), (float, np.floating)
_NUMBERS = (bool, int, float, np.generic)
_NO_DTYPE = object()
BOOL, INT64, FLOAT32 = np.dtype(np.bool_), np.dtype(np.int64), np.dtype(np.float32)


def category(dtype: np.dtype) -> int:
    """Return 0 for bool, 1 for integers, 2 for floating point."""
    try:
        return _CATEGORY[dtype.kind]
    except KeyError:
        raise TypeError(f"autograd has no tensors of dtype {dtype}") from None


def number_dtype(value: Any) -> np.dtype:
    """The dtype that a Python or NumPy number brings to a promotion."""
    if isinstance(value, _BOOLS):
        return BOOL
    if isinstance(value, _INTEGERS):
        return INT64
    if isinstance(value, _FLOATS):
        return FLOAT32
    raise TypeError(f"expected a Tensor or a number, not {type(value).__name__}")


def promote_types(first: np.dtype, second: np.dtype) -> np.dtype:
    """The common dtype of two tensors of the same rank."""
    difference = category(first) - category(second)
    if difference == 0:
        return np.promote_types(first, second)
    return first if difference > 0 else second


def is_number(value: Any) -> bool:
    """Whether a value is a Python or NumPy number, not an array."""
    return isinstance(value, _NUMBERS)


def result_dtype(values: list[Any]) -> np.dtype:
    """The dtype of an operation between arrays and numbers."""
    by_rank: list[np.dtype | None] = [None, None, None]
    for value in values:
        if isinstance(value, _NUMBERS) or not hasattr(value, "ndim"):
            rank, dtype = 0, number_dtype(value)
        else:
            rank, dtype = (2 if value.ndim else 1), value.dtype
        known = by_rank[rank]
        if known is not dtype:
            by_rank[rank] = dtype if known is None else promote_types(known, dtype)
    result: np.dtype | None = None
    for candidate in (by_rank[2], by_rank[1], by_rank[0]):
        if candidate is not None and (result is None or category(candidate) > category(result)):
            result = candidate
    assert result is not None, "an operation needs an input"
    return result


def promote_inputs(op: Op, values: list[Any]) -> list[Any]:
    """Cast the arrays to their common dtype; make numbers Python's, which NumPy treats as weak."""
    promote = op.promote
    if promote == "branches":
        condition, first, second = values
        if getattr(first, "dtype", None) is getattr(second, "dtype", _NO_DTYPE) and not is_number(
            first
        ):
            return values
        dtype = result_dtype(values[1:])
        # As arrays, because two Python numbers alone would give NumPy's float64.
        asarray = backend_of(condition).asarray
        branches = [asarray(v, dtype) if is_number(v) else v for v in (first, second)]
        return [condition, *(_cast(v, dtype) for v in branches)]
    dtype = result_dtype(values)
    if promote == "signed":
        _refuse_bool(values)
    if op.bool_error is not None and dtype == BOOL:
        raise op.bool_error.with_traceback(None)
    if promote == "none":
        return values
    if promote == "float" and dtype.kind != "f":
        dtype = FLOAT32
    if promote == "compare":
        return [v if is_number(v) else _cast(v, dtype) for v in values]
    return [_cast(value, dtype) for value in values]


def _cast(value: Any, dtype: np.dtype) -> Any:
    if isinstance(value, _NUMBERS):
        if isinstance(value, np.generic):
            refuse_capture("a number of NumPy's comes from where no captured function has made it")
            value = value.item()
        return _wrap_around(value, dtype) if dtype.kind in "iu" else value
    return value if value.dtype is dtype or value.dtype == dtype else value.astype(dtype)


def _wrap_around(value: int, dtype: np.dtype) -> int:
    """Wrap a whole number around the range of a dtype, as torch does where NumPy raises."""
    low = np.iinfo(dtype).min
    return (int(value) - low) % (1 << 8 * dtype.itemsize) + low


def _refuse_bool(values: list[Any]) -> None:
    dtypes = [number_dtype(v) if is_number(v) else v.dtype for v in values]
    if all(d == BOOL for d in dtypes):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. "
            "Use the `^` or `logical_xor()` operator instead."
        )
    if BOOL in dtypes:
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying "
            "to invert a mask, use the `~` or `logical_not()` operator instead."
        )
