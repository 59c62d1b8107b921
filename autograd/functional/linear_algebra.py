"""Matrix products."""

from __future__ import annotations

from typing import Any

from autograd.engine import apply
from autograd.ops import linear_algebra as ops


def mm(input: Any, mat2: Any) -> Any:
    """The product of two matrices."""
    return apply(ops.mm, input, mat2)
