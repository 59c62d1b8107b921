"""Losses as functions."""

from __future__ import annotations

import warnings
from typing import Any

from autograd.engine import apply
from autograd.ops import loss as ops

REDUCTIONS = ("none", "mean", "sum")


def check_reduction(reduction: str) -> str:
    """`reduction` itself; raise ValueError for one that there is not."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def warn_of_sizes(input: Any, target: Any) -> None:
    """torch's warning where input and target differ in shape, and so would broadcast."""
    if input._array.shape != target._array.shape:
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}). This will likely lead to incorrect results due to broadcasting. "
            "Please ensure they have the same size.",
            UserWarning,
            stacklevel=3,
        )


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """The squared difference."""
    warn_of_sizes(input, target)
    return apply(ops.mse, input, target, reduction=check_reduction(reduction))
