"""Matrix products."""

from __future__ import annotations

from typing import Any

from autograd.engine import apply
from autograd.functional.checks import require_tensor
from autograd.ops import linear_algebra as ops


def mm(input: Any, mat2: Any) -> Any:
    """The product of two matrices."""
    require_tensor("mm", input)
    require_tensor("mm", mat2, "mat2", 2)
    return apply(ops.mm, input, mat2)


def matmul(input: Any, other: Any) -> Any:
    """The product of matrices, vectors, or batches of matrices: `input @ other`."""
    require_tensor("matmul", input)
    require_tensor("matmul", other, "other", 2)
    return apply(ops.matmul, input, other)
