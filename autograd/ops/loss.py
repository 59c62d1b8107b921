"""Losses of a prediction against a target; the same node reduces them to a mean or sum."""

from __future__ import annotations

from collections.abc import Sequence

from autograd.backend import Array, Backend, DType, Shape
from autograd.ops.op import Op

Pair = tuple[Array, Array]  # gradients of input and target
Needs = tuple[bool, ...]


def reduce_loss(xp: Backend, loss: Array, reduction: str) -> Array:
    """The mean or sum of a loss, or the loss itself for "none"."""
    if reduction == "none":
        return loss
    total = xp.add.reduce(loss, axis=None)
    return total / loss.size if reduction == "mean" else total


def loss_gradients(g: Array, needs: Needs, slope: Array, reduction: str) -> Pair:
    """The gradients of input and target; `slope`: that of the loss in their difference."""
    gradient = slope * (g / slope.size if reduction == "mean" else g)
    return gradient, -gradient if needs[1] else None


def _mse(xp: Backend, input: Array, target: Array, *, reduction: str) -> Array:
    difference = input - target
    return reduce_loss(xp, difference * difference, reduction)


mse = Op("MseLoss", _mse, promote="number")


@mse.joint_gradient()
def _(xp: Backend, g: Array, needs: Needs, input: Array, target: Array, reduction: str) -> Pair:
    return loss_gradients(g, needs, 2 * (input - target), reduction)


def _huber(xp: Backend, input: Array, target: Array, *, reduction: str, delta: float) -> Array:
    distance = xp.abs(input - target)
    far = delta * (distance - 0.5 * delta)
    loss = xp.where(distance <= delta, 0.5 * distance * distance, far)
    return reduce_loss(xp, loss, reduction)


huber = Op("HuberLoss", _huber, promote="number")


@huber.joint_gradient()
def _(
    xp: Backend, g: Array, needs: Needs, input: Array, target: Array, reduction: str, delta: float
) -> Pair:
    return loss_gradients(g, needs, xp.clip(input - target, -delta, delta), reduction)


def _smooth_l1(xp: Backend, input: Array, target: Array, *, reduction: str, beta: float) -> Array:
    distance = xp.abs(input - target)
    near = 0.5 * distance * distance / beta
    return reduce_loss(xp, xp.where(distance < beta, near, distance - 0.5 * beta), reduction)


smooth_l1 = Op("SmoothL1Loss", _smooth_l1, promote="number")


@smooth_l1.joint_gradient()
def _(
    xp: Backend, g: Array, needs: Needs, input: Array, target: Array, reduction: str, beta: float
) -> Pair:
    return loss_gradients(g, needs, xp.clip((input - target) / beta, -1, 1), reduction)


def _class_weights(
    xp: Backend, target: Array, weight: Array, ignore_index: int, dtype: DType
) -> Array:
    """The weight of each target's class; 0 for ignored targets."""
    kept = target != ignore_index
    if weight is None:
        return kept.astype(dtype)
    return xp.where(kept, weight[xp.where(kept, target, 0)], 0)


def _class_index(xp: Backend, target: Array, ignore_index: int) -> Array:
    """The classes as an index along dimension 1; any valid class for ignored targets."""
    return xp.expand_dims(xp.where(target == ignore_index, 0, target), 1)


def _nll(
    xp: Backend, input: Array, target: Array, weight: Array, *, reduction: str, ignore_index: int
) -> Array:
    index = _class_index(xp, target, ignore_index)
    weights = _class_weights(xp, target, weight, ignore_index, input.dtype)
    # `where` instead of a product, because an ignored entry may be infinite.
    log_prob = xp.take_along_axis(input, index, axis=1)[:, 0]
    loss = xp.where(target == ignore_index, 0, -log_prob * weights)
    if reduction == "mean":
        return xp.add.reduce(loss, axis=None) / xp.add.reduce(weights, axis=None)
    return reduce_loss(xp, loss, reduction)


nll = Op("NllLoss", _nll)  # (N, C, ...), (N, ...), (C,) or None


@nll.gradient("input")
def _(
    xp: Backend,
    g: Array,
    shapes: Sequence[Shape],
    target: Array,
    weight: Array,
    reduction: str,
    ignore_index: int,
) -> Array:
    weights = _class_weights(xp, target, weight, ignore_index, g.dtype)
    if reduction == "mean":
        g = g / xp.add.reduce(weights, axis=None)
    result = xp.zeros(shapes[0], g.dtype)
    # Where all are ignored, g is infinite.
    values = xp.expand_dims(xp.where(target == ignore_index, 0, -g * weights), 1)
    xp.put_along_axis(result, _class_index(xp, target, ignore_index), values, 1)
    return result


def _softplus(xp: Backend, input: Array) -> Array:
    return xp.maximum(input, 0) + xp.log1p(xp.exp(-xp.abs(input)))


def _binary_cross_entropy(
    xp: Backend, input: Array, target: Array, pos_weight: Array, *, reduction: str
) -> Array:
    loss_of_0, loss_of_1 = _softplus(xp, input), _softplus(xp, -input)
    loss = target * pos_weight * loss_of_1 + (1 - target) * loss_of_0
    return reduce_loss(xp, loss, reduction)


binary_cross_entropy = Op("BinaryCrossEntropyWithLogits", _binary_cross_entropy, promote="number")


@binary_cross_entropy.joint_gradient()
def _(
    xp: Backend,
    g: Array,
    needs: Needs,
    input: Array,
    target: Array,
    pos_weight: Array,
    reduction: str,
) -> tuple[Array, ...]:
    g = g / input.size if reduction == "mean" else g
    loss_of_0, loss_of_1 = _softplus(xp, input), _softplus(xp, -input)
    slope = (1 - target) / (1 + xp.exp(-input)) - target * pos_weight / (1 + xp.exp(input))
    return (
        g * slope,
        g * (pos_weight * loss_of_1 - loss_of_0) if needs[1] else None,
        None,  # the function refuses a `pos_weight` that needs one
    )
