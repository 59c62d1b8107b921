"""Reductions over all or some dimensions."""

from __future__ import annotations

from typing import Any

from autograd.engine import apply
from autograd.ops import reduction as ops


def sum(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The sum over all dimensions, or over `dim`."""
    return apply(ops.sum, input, dim=dim, keepdim=keepdim)
