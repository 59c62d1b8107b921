"""The arithmetic of a step for one parameter: arrays in, arrays changed in place."""

from __future__ import annotations

import math
from typing import Any


def adam_change(
    xp: Any,
    grad: Any,
    exp_avg: Any,
    exp_avg_sq: Any,
    max_exp_avg_sq: Any,
    scratch: Any,
    *,
    step: float,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
) -> None:
    """Put into `scratch` what Adam subtracts from the parameters, and move the moments on.

    Kingma & Ba 2015, algorithm 1, in the reordered form of section 2. `max_exp_avg_sq` is None, or
    AMSGrad's running maximum (Reddi et al. 2018).
    """
    xp.subtract(grad, exp_avg, out=scratch)
    scratch *= 1 - beta1
    exp_avg += scratch
    exp_avg_sq *= beta2
    xp.multiply(grad, grad, out=scratch)
    scratch *= 1 - beta2
    exp_avg_sq += scratch
    if max_exp_avg_sq is not None:
        xp.maximum(max_exp_avg_sq, exp_avg_sq, out=max_exp_avg_sq)
        exp_avg_sq = max_exp_avg_sq
    root_correction2 = math.sqrt(1 - beta2**step)
    xp.sqrt(exp_avg_sq, out=scratch)
    scratch += eps * root_correction2
    xp.divide(exp_avg, scratch, out=scratch)
    scratch *= lr * root_correction2 / (1 - beta1**step)


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
