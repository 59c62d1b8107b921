"""The arithmetic of a step for one parameter: arrays in, arrays changed in place."""

from __future__ import annotations

from typing import Any


def sgd_update(
    xp: Any,
    param: Any,
    grad: Any,
    momentum_buffer: Any,
    scratch: Any,
    *,
    lr: float,
    momentum: float,
    dampening: float,
    nesterov: bool,
    first_step: bool,
) -> None:
    """Gradient descent; `momentum_buffer`, None without momentum, is filled at the first step."""
    direction = grad
    if momentum_buffer is not None:
        if first_step:
            momentum_buffer[...] = grad  # without dampening, as in torch
        else:
            momentum_buffer *= momentum
            xp.multiply(grad, 1 - dampening, out=scratch)
            momentum_buffer += scratch
        direction = grad + momentum * momentum_buffer if nesterov else momentum_buffer
    xp.multiply(direction, lr, out=scratch)
    param -= scratch
