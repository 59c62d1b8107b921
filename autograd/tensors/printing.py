"""The text of a tensor, in torch's format."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.dtypes import dtype_of

if TYPE_CHECKING:
    from autograd.types import Tensor

PRECISION = 4  # digits after the point
THRESHOLD = 1000  # a tensor with more elements is summarised
EDGE_ITEMS = 3  # elements shown at each end of a summarised dimension
LINE_WIDTH = 80
UNNAMED_DTYPES = ("float32", "int64", "bool")


def text(tensor: Tensor) -> str:
    """`tensor([1., 2.], grad_fn=<MulBackward0>)`."""
    array = tensor._host()
    prefix = "tensor("
    return _with_suffixes(prefix + _elements(array, len(prefix)), _suffixes(tensor), len(prefix))


def _suffixes(tensor: Tensor) -> list[str]:
    array, suffixes = tensor._array, []
    if array.size == 0 and array.ndim != 1:
        suffixes.append(f"size={tuple(array.shape)}")
    if tensor.device.type != "cpu":
        suffixes.append(f"device='{tensor.device}'")
    if array.dtype.name not in (UNNAMED_DTYPES if array.size else ("float32",)):
        suffixes.append(f"dtype={dtype_of(array.dtype)}")
    if tensor.grad_fn is not None:
        suffixes.append(f"grad_fn=<{tensor.grad_fn.name()}>")
    elif tensor.requires_grad:
        suffixes.append("requires_grad=True")
    return suffixes


def _with_suffixes(body: str, suffixes: list[str], indent: int) -> str:
    parts = [body]
    length = len(body) - body.rfind("\n") + 1  # of the last line, counted as in torch
    for suffix in suffixes:
        if length + len(suffix) + 2 > LINE_WIDTH:
            parts.append(",\n" + " " * indent + suffix)
            length = indent + len(suffix)
        else:
            parts.append(", " + suffix)
            length += len(suffix) + 2
    return "".join(parts) + ")"


def _elements(array: np.ndarray, indent: int) -> str:
    if array.size == 0:
        return "[]"
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    summarize = array.size > THRESHOLD
    return _nested(array, indent, _Format(_edges(array) if summarize else array), summarize)


def _edges(array: np.ndarray) -> np.ndarray:
    """The elements that a summary shows; only these decide its format."""
    for axis in range(array.ndim):
        n = array.shape[axis]
        if n > 2 * EDGE_ITEMS:
            ends = [*range(EDGE_ITEMS), *range(n - EDGE_ITEMS, n)]
            array = array.take(ends, axis=axis)
    return array


class _Format:
    """How the elements of a tensor are written, all in one width."""

    def __init__(self, array: np.ndarray) -> None:
        self.floating = array.dtype.kind == "f"
        self.whole, self.scientific, self.width = True, False, 1
        if not self.floating:
            self.width = max(len(str(v)) for v in array.ravel().tolist())
            return
        values = array[np.isfinite(array) & (array != 0)].astype(np.float64)
        if values.size == 0:
            return
        sizes = np.abs(values)
        smallest, largest = sizes.min(), sizes.max()
        self.whole = bool((values == np.ceil(values)).all())
        self.scientific = bool(
            largest / smallest > 1000 or largest > 1e8 or (not self.whole and smallest < 1e-4)
        )
        self.width = max(self.width, *(len(self._number(v)) for v in values.tolist()))

    def _number(self, value: float) -> str:
        if self.scientific:
            return f"{value:.{PRECISION}e}"
        if self.whole:
            return f"{value:.0f}" + ("." if math.isfinite(value) else "")
        return f"{value:.{PRECISION}f}"

    def __call__(self, value: Any) -> str:
        """The text of one element."""
        text = self._number(value) if self.floating else str(value)
        return text.rjust(self.width)


def _nested(array: np.ndarray, indent: int, write: _Format, summarize: bool) -> str:
    if array.ndim == 0:
        return write(array.item())
    n = len(array)
    skip = summarize and n > 2 * EDGE_ITEMS
    if array.ndim == 1:
        return _row(array, indent, write, skip)
    shown = [*range(EDGE_ITEMS), *range(n - EDGE_ITEMS, n)] if skip else range(n)
    parts = [_nested(array[i], indent + 1, write, summarize) for i in shown]
    if skip:
        parts.insert(EDGE_ITEMS, "...")
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(parts) + "]"


def _row(array: np.ndarray, indent: int, write: _Format, skip: bool) -> str:
    per_line = max(1, (LINE_WIDTH - indent) // (write.width + 2))
    if skip:
        ends = [write(v) for v in (*array[:EDGE_ITEMS].tolist(), *array[-EDGE_ITEMS:].tolist())]
        items = [*ends[:EDGE_ITEMS], " ...", *ends[EDGE_ITEMS:]]
    else:
        items = [write(v) for v in array.tolist()]
    lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
