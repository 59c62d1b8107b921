"""Losses of a prediction and a target of the same shape."""

from __future__ import annotations

import warnings

from autograd.engine.apply import apply
from autograd.errors import not_implemented
from autograd.functional import elementwise
from autograd.functional.arithmetic import sub
from autograd.functional.checks import type_name
from autograd.functional.reduction import sum as sum_
from autograd.nn.functional.reduction import reduced, reduction_of
from autograd.ops import loss as ops
from autograd.tensors.tensor import Tensor


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The squared difference."""
    reduction = _prepare(input, target, size_average, reduce, reduction)
    input, target = _of_equal_rank(input, target)
    _require_float("mse_cpu", input, target)
    if weight is not None:
        return _weighted(apply(ops.mse, input, target, reduction="none"), weight, reduction)
    return apply(ops.mse, input, target, reduction=reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The absolute difference."""
    reduction = _prepare(input, target, size_average, reduce, reduction)
    input, target = _of_equal_rank(input, target)
    loss = elementwise.abs(sub(input, target))
    return reduced(loss, reduction) if weight is None else _weighted(loss, weight, reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """The absolute difference, but quadratic where it is below `beta`."""
    reduction = _prepare(input, target, size_average, reduce, reduction)
    input, target = _of_equal_rank(input, target)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    if beta == 0:
        return reduced(elementwise.abs(sub(input, target)), reduction)
    _require_float("smooth_l1_cpu", input, target)
    return apply(ops.smooth_l1, input, target, reduction=reduction, beta=beta)


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """Half the squared difference, but linear above `delta`, with slope `delta`."""
    reduction = _prepare(input, target, None, None, reduction)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    _require_float("huber_cpu", input, target)
    if weight is not None:
        loss = apply(ops.huber, input, target, reduction="none", delta=delta)
        return reduced(loss * _checked_weight(loss, weight), reduction)
    loss = apply(ops.huber, input, target, reduction=reduction, delta=delta)
    # torch gives this loss, and no other, in the dtype of the input.
    return loss.to(input.dtype) if input.dtype.is_floating_point else loss


def _prepare(
    input: Tensor, target: Tensor, size_average: bool | None, reduce: bool | None, reduction: str
) -> str:
    """Return the reduction; warn, as torch does, if the shapes differ and would broadcast."""
    if input.size() != target.size():
        warnings.warn(
            f"Using a target size ({target.size()}) that is different to the input size "
            f"({input.size()}). This will likely lead to incorrect results due to broadcasting. "
            "Please ensure they have the same size.",
            UserWarning,
            stacklevel=3,
        )
    return reduction_of(size_average, reduce, reduction)


def _of_equal_rank(input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Expand a 0-d tensor first, as torch does: its dtype then counts as the other's."""
    if not input.dim():
        return input.expand(target.shape), target
    return input, target if target.dim() else target.expand(input.shape)


def _require_float(kernel: str, input: Tensor, target: Tensor) -> None:
    if input._array.dtype.kind != "f" and target._array.dtype.kind != "f":
        raise not_implemented(kernel, type_name(input._array))


def _checked_weight(loss: Tensor, weight: Tensor) -> Tensor:
    if weight.size() != loss.size():
        raise ValueError("Weights and input must have the same size.")
    return weight


def _weighted(loss: Tensor, weight: Tensor, reduction: str) -> Tensor:
    """Weight a loss by element, and reduce it; the mean is weighted, too."""
    weighted = loss * _checked_weight(loss, weight)
    return sum_(weighted) / sum_(weight) if reduction == "mean" else reduced(weighted, reduction)
