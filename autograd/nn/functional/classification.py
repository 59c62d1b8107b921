"""Losses of scores and classes."""

from __future__ import annotations

from autograd.engine.apply import apply
from autograd.engine.grad_mode import state
from autograd.functional.activation import log_softmax
from autograd.functional.checks import require_both, require_float, type_name
from autograd.functional.reduction import sum as sum_
from autograd.nn.functional.reduction import reduced, reduction_of
from autograd.ops import loss as ops
from autograd.tensors.inplace_rules import check_expands
from autograd.tensors.tensor import Tensor


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The negative log-probabilities, `input` (N, C, ...), at the classes `target` (N, ...).

    `weight` (C,) weights the classes. The mean is weighted, and leaves out targets that equal
    `ignore_index`.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    require_both("nll_loss_nd", input, target, "target")
    _check_shapes(input, target)
    require_float("nll_loss_out_frame", input)
    _refuse_gradient("nll_loss_forward", "weight", weight)
    _check_weight(input, weight)
    _check_classes(target, input.shape[min(1, input.ndim - 1)], ignore_index)
    settings = {"reduction": reduction, "ignore_index": ignore_index}
    if input.ndim > 1:
        return apply(ops.nll, input, target, weight, **settings)
    loss = apply(ops.nll, input.unsqueeze(0), target.reshape(1), weight, **settings)
    return loss.squeeze(0) if reduction == "none" and target.ndim == 0 else loss


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """`nll_loss` of `log_softmax(input)`; a `target` of its shape holds probabilities."""
    reduction = reduction_of(size_average, reduce, reduction)
    require_both("cross_entropy_loss", input, target, "target")
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")
    class_dim = 0 if input.ndim <= 1 else 1
    if input.shape == target.shape:
        _check_probabilities(target, ignore_index)
        _check_weight(input, weight)
        log_prob = log_softmax(input, class_dim)
        return _soft_target(log_prob, target, weight, reduction, label_smoothing, class_dim)
    log_prob = log_softmax(input, class_dim)
    if label_smoothing == 0:
        return nll_loss(log_prob, target, weight, ignore_index=ignore_index, reduction=reduction)
    return _smoothed(log_prob, target, weight, ignore_index, reduction, label_smoothing)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """The cross-entropy of probabilities `target` with `sigmoid(input)`, both of one shape.

    `weight` scales the elements and `pos_weight` the part of the targets; both broadcast.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    require_both("binary_cross_entropy_with_logits", input, target, "target")
    if target.size() != input.size():
        raise ValueError(
            f"Target size ({target.size()}) must be the same as input size ({input.size()})"
        )
    require_float("log_sigmoid_cpu", input)
    if target._array.dtype.kind != "f":
        raise RuntimeError(
            f"result type {type_name(input._array)} can't be cast to the desired output type "
            f"{type_name(target._array)}"
        )
    for name, factor in (("weight", weight), ("pos_weight", pos_weight)):
        if factor is not None:
            _refuse_gradient("binary_cross_entropy_with_logits", name, factor)
            check_expands(factor._array.shape, input._array.shape)
    first = reduction if weight is None else "none"
    positive = 1 if pos_weight is None else pos_weight
    loss = apply(ops.binary_cross_entropy, input, target, positive, reduction=first)
    loss = loss.to(target.dtype)  # as in torch
    return loss if weight is None else reduced(loss * weight, reduction)


def _soft_target(
    log_prob: Tensor,
    target: Tensor,
    weight: Tensor | None,
    reduction: str,
    smoothing: float,
    class_dim: int,
) -> Tensor:
    if smoothing:
        target = target * (1 - smoothing) + smoothing / log_prob.shape[class_dim]
    terms = -log_prob * target
    if weight is not None:
        terms = terms * _along(weight, class_dim, terms.ndim)
    if reduction == "none":
        return sum_(terms, class_dim)
    total = sum_(terms)
    return total / (terms.numel() / terms.shape[class_dim]) if reduction == "mean" else total


def _smoothed(
    log_prob: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    smoothing: float,
) -> Tensor:
    """The loss of smoothed labels: each spreads `smoothing` of its probability over all classes.

    Szegedy et al. 2016, "Rethinking the Inception Architecture for Computer Vision", section 7.
    """
    loss = nll_loss(log_prob, target, weight, ignore_index=ignore_index, reduction="none")
    class_dim = 0 if log_prob.ndim == 1 else 1
    classes = log_prob.shape[class_dim]
    weighted = log_prob
    if weight is not None:
        weighted = log_prob * _along(weight, class_dim, log_prob.ndim)
    kept = target != ignore_index
    uniform = -sum_(weighted, class_dim).masked_fill(~kept, 0.0)
    loss = (1 - smoothing) * loss + smoothing / classes * uniform
    if reduction == "none":
        return loss
    if reduction == "sum":
        return sum_(loss)
    if weight is None:
        return sum_(loss) / sum_(kept)
    return sum_(loss) / sum_(weight[target.masked_fill(~kept, 0)] * kept)


def _along(weight: Tensor, dim: int, ndim: int) -> Tensor:
    """Reshape a vector so that it broadcasts along `dim`."""
    return weight.reshape(*(-1 if i == dim else 1 for i in range(ndim)))


def _check_shapes(input: Tensor, target: Tensor) -> None:
    shape, wanted = tuple(input.shape), tuple(target.shape)
    if not shape:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    if len(shape) == 1:
        if len(wanted) == 1 and wanted[0] != 1:
            raise ValueError(
                f"For 1D input, 1D target must have size 1, but got target size: {wanted[0]}"
            )
    elif not wanted or shape[0] != wanted[0]:
        raise ValueError(
            f"Expected input batch_size ({shape[0]}) to match target batch_size "
            f"({wanted[0] if wanted else 0})."
        )
    if 1 < len(wanted) and len(shape) <= 2:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if target._array.dtype.name not in ("int64", "uint8"):
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {type_name(target._array)}"
        )
    expected = shape[:1] + shape[2:]
    if len(shape) > 2 and wanted != expected:
        raise RuntimeError(f"Expected target size {list(expected)}, got {list(wanted)}")


def _check_weight(input: Tensor, weight: Tensor | None) -> None:
    if weight is None:
        return
    classes = input.shape[min(1, input.ndim - 1)]
    if weight.ndim != 1 or weight.shape[0] != classes:
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but "
            f"got weight tensor of shape: {list(weight.shape)}"
        )
    if weight._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"expected scalar type {type_name(input._array)} but found {type_name(weight._array)}"
        )


def _refuse_gradient(function: str, argument: str, tensor: Tensor | None) -> None:
    if tensor is not None and state.recording and tensor.requires_grad:
        raise RuntimeError(
            f"The function '{function}' is not differentiable with respect to argument "
            f"'{argument}'. This input cannot have requires_grad True."
        )


def _check_classes(target: Tensor, classes: int, ignore_index: int) -> None:
    array = target._array
    outside = (array != ignore_index) & ((array < 0) | (array >= classes))
    if outside.any():
        raise IndexError(f"Target {array[outside][0].item()} is out of bounds.")


def _check_probabilities(target: Tensor, ignore_index: int) -> None:
    if target._array.dtype.kind != "f":
        raise RuntimeError(
            "Expected floating point type for target with class probabilities, "
            f"got {type_name(target._array)}"
        )
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
