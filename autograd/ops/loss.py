"""Losses between a prediction and a target, reduced to their mean or sum in the same node."""

from __future__ import annotations

from typing import Any

from autograd.ops.op import Op


def reduce_loss(xp: Any, loss: Any, reduction: str) -> Any:
    """The mean or sum of a loss, or the loss itself for "none"."""
    if reduction == "none":
        return loss
    total = xp.add.reduce(loss, axis=None)
    return total / loss.size if reduction == "mean" else total


def loss_gradient(g: Any, slope: Any, reduction: str) -> Any:
    """`g` through the reduction, times the slope of the loss, which is of the loss's shape."""
    return slope * (g / slope.size if reduction == "mean" else g)


def _mse(xp: Any, input: Any, target: Any, *, reduction: str) -> Any:
    difference = input - target
    return reduce_loss(xp, difference * difference, reduction)


mse = Op("MseLoss", _mse, promote="number")


@mse.gradient("input")
def _(xp: Any, g: Any, input: Any, target: Any, reduction: str) -> Any:
    return loss_gradient(g, 2 * (input - target), reduction)


@mse.gradient("target")
def _(xp: Any, g: Any, input: Any, target: Any, reduction: str) -> Any:
    return loss_gradient(g, 2 * (target - input), reduction)


def _huber(xp: Any, input: Any, target: Any, *, reduction: str, delta: float) -> Any:
    distance = xp.abs(input - target)
    far = delta * (distance - 0.5 * delta)
    loss = xp.where(distance <= delta, 0.5 * distance * distance, far)
    return reduce_loss(xp, loss, reduction)


huber = Op("HuberLoss", _huber, promote="number")


@huber.gradient("input")
def _(xp: Any, g: Any, input: Any, target: Any, reduction: str, delta: float) -> Any:
    return loss_gradient(g, xp.clip(input - target, -delta, delta), reduction)


@huber.gradient("target")
def _(xp: Any, g: Any, input: Any, target: Any, reduction: str, delta: float) -> Any:
    return loss_gradient(g, xp.clip(target - input, -delta, delta), reduction)


def _smooth_l1(xp: Any, input: Any, target: Any, *, reduction: str, beta: float) -> Any:
    distance = xp.abs(input - target)
    near = 0.5 * distance * distance / beta
    return reduce_loss(xp, xp.where(distance < beta, near, distance - 0.5 * beta), reduction)


smooth_l1 = Op("SmoothL1Loss", _smooth_l1, promote="number")


@smooth_l1.gradient("input")
def _(xp: Any, g: Any, input: Any, target: Any, reduction: str, beta: float) -> Any:
    return loss_gradient(g, xp.clip((input - target) / beta, -1, 1), reduction)


@smooth_l1.gradient("target")
def _(xp: Any, g: Any, input: Any, target: Any, reduction: str, beta: float) -> Any:
    return loss_gradient(g, xp.clip((target - input) / beta, -1, 1), reduction)


def _class_weights(xp: Any, target: Any, weight: Any, ignore_index: int, dtype: Any) -> Any:
    """The weight of each target's class; 0 where the target is to be ignored."""
    kept = target != ignore_index
    if weight is None:
        return kept.astype(dtype)
    return xp.where(kept, weight[xp.where(kept, target, 0)], 0)


def _class_index(xp: Any, target: Any, ignore_index: int) -> Any:
    """The classes as an index along dimension 1, some class where the target is to be ignored."""
    return xp.expand_dims(xp.where(target == ignore_index, 0, target), 1)


def _nll(
    xp: Any, input: Any, target: Any, weight: Any, *, reduction: str, ignore_index: int
) -> Any:
    index = _class_index(xp, target, ignore_index)
    weights = _class_weights(xp, target, weight, ignore_index, input.dtype)
    # Chosen, not multiplied: an ignored entry may be infinite.
    log_prob = xp.take_along_axis(input, index, axis=1)[:, 0]
    loss = xp.where(target == ignore_index, 0, -log_prob * weights)
    if reduction == "mean":
        return xp.add.reduce(loss, axis=None) / xp.add.reduce(weights, axis=None)
    return reduce_loss(xp, loss, reduction)


nll = Op("NllLoss", _nll)  # (N, C, ...), (N, ...), (C,) or None


@nll.gradient("input")
def _(
    xp: Any, g: Any, shapes: Any, target: Any, weight: Any, reduction: str, ignore_index: int
) -> Any:
    weights = _class_weights(xp, target, weight, ignore_index, g.dtype)
    if reduction == "mean":
        g = g / xp.add.reduce(weights, axis=None)
    result = xp.zeros(shapes[0], g.dtype)
    values = xp.expand_dims(-g * weights, 1)
    xp.put_along_axis(result, _class_index(xp, target, ignore_index), values, 1)
    return result
