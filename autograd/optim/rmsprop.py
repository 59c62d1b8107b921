"""RMSprop: gradients scaled by a running mean of their squares."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd.backend import backend_of
from autograd.engine.capture import effect
from autograd.engine.grad_mode import state
from autograd.errors import NotOfferedError
from autograd.optim.optimizer import (
    Optimizer,
    check_at_least_zero,
    checked_implementation,
    number,
    run_closure,
)
from autograd.tensors.tensor import Tensor


class RMSprop(Optimizer):
    """RMSprop: Tieleman & Hinton 2012, lecture 6.5; `centered` as in Graves 2013, eq. 38-45.

    State of a parameter: `step` (0-d float32), `square_avg`, with momentum also `momentum_buffer`,
    with `centered` also `grad_avg`. A parameter without gradient is skipped and gets no state.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        """Raise ValueError for a setting out of its range."""
        check_at_least_zero(
            learning__rate=lr, epsilon__value=eps, momentum__value=momentum,
            weight_decay__value=weight_decay, alpha__value=alpha,
        )  # fmt: skip
        if capturable:
            raise NotOfferedError("capturable=True: autograd does not offer the capture of a step")
        implementation = checked_implementation(foreach, differentiable=differentiable)
        del implementation["fused"]  # which torch's RMSprop does not have
        defaults = {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "capturable": capturable, "maximize": maximize,
            **implementation,
        }  # fmt: skip
        super().__init__(params, defaults)

    @effect
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient; return the closure's value."""
        loss = run_closure(closure)
        state.silently(self._step)
        return loss

    def _step(self) -> None:
        for param, group in self._with_gradients():
            self._update(param, self.state[param] or self._new_state(param, group), group)

    def _update(self, param: Tensor, values: dict[str, Any], group: dict[str, Any]) -> None:
        array, grad = param._array, param._grad._array  # type: ignore[union-attr]
        xp, alpha = backend_of(array), group["alpha"]
        grad = -grad if group["maximize"] else grad
        if decay := number(group["weight_decay"]):
            grad = grad + decay * array
        xp.count_step_(values["step"]._array, None)
        square_avg = values["square_avg"]._array
        square_avg *= alpha
        square_avg += (1 - alpha) * grad * grad
        variance = square_avg
        if group["centered"]:
            mean = values["grad_avg"]._array
            xp.lerp_(mean, grad, 1 - alpha)
            variance = square_avg - mean * mean
        step = grad / (xp.sqrt(variance) + group["eps"])
        if group["momentum"]:
            buffer = values["momentum_buffer"]._array
            buffer *= group["momentum"]
            buffer += step
            step = buffer
        array -= number(group["lr"]) * step
        param._bump_version()

    def _new_state(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        """The state of a parameter before its first step."""
        xp, values = backend_of(param._array), self.state[param]
        values["step"] = Tensor._wrap(xp.zeros((), np.float32))
        names = {"square_avg": True, "momentum_buffer": group["momentum"]}
        for name, is_kept in (names | {"grad_avg": group["centered"]}).items():
            if is_kept:
                values[name] = Tensor._wrap(xp.zeros_like(param._array))
        return values
