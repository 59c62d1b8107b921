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
