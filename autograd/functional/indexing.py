"""Reading elements by index."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.engine import apply
from autograd.ops import indexing as ops


def array_index(tensor: Any, index: Any) -> Any:
    """An index as the array library takes it: tensors become arrays."""
    if isinstance(index, tuple):
        return tuple(getattr(i, "_array", i) for i in index)
    return getattr(index, "_array", index)


def getitem(input: Any, index: Any) -> Any:
    """`input[index]`: a view for slices and whole numbers, a copy for tensors of indices."""
    index = array_index(input, index)
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(i, np.ndarray | list) for i in parts):
        return apply(ops.take, input, index=index)
    return apply(ops.getitem, input, index=index)
