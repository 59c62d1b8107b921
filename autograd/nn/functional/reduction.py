"""How a loss is reduced."""

from __future__ import annotations

import warnings

from autograd.functional.reduction import mean
from autograd.functional.reduction import sum as sum_
from autograd.tensors.tensor import Tensor

REDUCTIONS = ("none", "mean", "sum")


def reduction_of(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """Return `reduction`, or what the deprecated arguments mean; ValueError for any other text."""
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def legacy_reduction(size_average: bool | None, reduce: bool | None) -> str:
    """Return what torch's deprecated arguments mean, and warn of them; None means True."""
    if reduce is False:
        reduction = "none"
    else:
        reduction = "sum" if size_average is False else "mean"
    warnings.warn(
        "size_average and reduce args will be deprecated, "
        f"please use reduction='{reduction}' instead.",
        UserWarning,
        stacklevel=4,
    )
    return reduction


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """The mean or sum of a loss, or the loss itself for "none"."""
    return {"none": lambda x: x, "mean": mean, "sum": sum_}[reduction](loss)
