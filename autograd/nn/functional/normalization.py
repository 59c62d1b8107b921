"""Normalisations as functions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from autograd.engine.apply import apply
from autograd.engine.grad_mode import no_grad
from autograd.functional.checks import require_float, require_tensor, type_name
from autograd.ops import normalization as ops
from autograd.tensors.tensor import Tensor


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int] | int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Mean 0 and variance 1 over the last dimensions, `normalized_shape`, then scale and shift."""
    require_tensor("layer_norm", input)
    if not isinstance(normalized_shape, Iterable):
        raise TypeError(
            "layer_norm(): argument 'normalized_shape' (position 2) must be tuple of ints, not int"
        )
    wanted = list(normalized_shape)
    _check_layer(input, wanted, weight, bias)
    axes = tuple(range(input.ndim - len(wanted), input.ndim))
    return apply(ops.layer_norm, input, weight, bias, axes=axes, eps=eps)[0]


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Mean 0 and variance 1 of each channel (dimension 1), then scale and shift.

    In training the statistics are those of the batch, and the running ones move towards them in
    place; otherwise they are the running ones.
    """
    require_tensor("batch_norm", input)
    if not input.numel():  # of any shape: there are no statistics
        out = input.clone() if weight is None else input * weight[0]
        return out if bias is None else out + bias[0]
    _check_batch(input, running_mean, running_var, weight, bias, training)
    shape = (-1, *(1 for _ in range(input.ndim - 2)))
    scale, shift = (None if v is None else v.reshape(*shape) for v in (weight, bias))
    if not training:
        assert running_mean is not None and running_var is not None, "as _check_batch has seen"
        inverse_std = (running_var + eps).rsqrt().reshape(*shape)
        out = (input - running_mean.reshape(*shape)) * inverse_std
        out = out if scale is None else out * scale
        return out if shift is None else out + shift
    axes = (0, *range(2, input.ndim))
    if running_mean is not None and running_var is not None:
        _follow(input, running_mean, running_var, axes, momentum)
    return apply(ops.batch_norm, input, scale, shift, axes=axes, eps=eps)[0]


def _follow(
    input: Tensor, running_mean: Tensor, running_var: Tensor, axes: tuple[int, ...], momentum: float
) -> None:
    """Move the running statistics towards the batch's; the variance is unbiased."""
    with no_grad():
        running_mean.mul_(1 - momentum).add_(input.mean(axes) * momentum)
        running_var.mul_(1 - momentum).add_(input.var(axes) * momentum)


def _check_layer(
    input: Tensor, wanted: list[int], weight: Tensor | None, bias: Tensor | None
) -> None:
    if not wanted:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one "
            "element, but got normalized_shape = []"
        )
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and list(value.shape) != wanted:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(value.shape)} and normalized_shape = {wanted}"
            )
    if list(input.shape[-len(wanted) :]) != wanted:
        raise RuntimeError(
            f"Given normalized_shape={wanted}, expected input with shape "
            f"[*, {', '.join(map(str, wanted))}], but got input of size{list(input.shape)}"
        )
    require_float("LayerNormKernelImpl", input)
    for value in (weight, bias):
        if value is not None and value._array.dtype != input._array.dtype:
            raise RuntimeError(
                "mixed dtype (CPU): expect parameter to have scalar type of "
                f"{type_name(input._array)}"
            )


def _check_batch(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    training: bool,
) -> None:
    channels = input.shape[1] if input.ndim > 1 else 0
    if training and input.shape[0] * math.prod(input.shape[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {input.shape}"
        )
    named = {
        "running_mean": running_mean,
        "running_var": running_var,
        "weight": weight,
        "bias": bias,
    }
    for name, value in named.items():
        if value is None and not training and name.startswith("running"):
            raise RuntimeError(f"{name} must be defined in evaluation mode")
        if value is not None and value.numel() != channels:
            raise RuntimeError(f"{name} should contain {channels} elements not {value.numel()}")
    require_float("batch_norm", input)
    if any(v is not None and v._array.dtype != input._array.dtype for v in named.values()):
        raise RuntimeError("mixed dtype (CPU): all inputs must share same datatype.")
