"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from autograd.backend import Array, backend_of
from autograd.engine.capture import effect
from autograd.engine.grad_mode import state
from autograd.optim.optimizer import (
    Optimizer,
    check_at_least_zero,
    check_implementation,
    number,
    run_closure,
)
from autograd.optim.update_rules import sgd_update
from autograd.tensors.tensor import Tensor


class SGD(Optimizer):
    """Gradient descent, with momentum (Sutskever et al. 2013) if wanted.

    State of a parameter, with momentum only: `momentum_buffer`, at first a copy of the gradient.
    A parameter without gradient is skipped. `foreach` and `fused` choose between implementations in
    torch; here there is one.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        """Raise ValueError for a setting out of its range."""
        check_at_least_zero(
            learning__rate=lr, momentum__value=momentum, weight_decay__value=weight_decay
        )
        check_implementation(foreach, fused, False, differentiable)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
            "nesterov": nesterov, "maximize": maximize, "foreach": foreach,
            "differentiable": differentiable, "fused": fused,
        }  # fmt: skip
        super().__init__(params, defaults)

    @effect
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient; returns the closure's value."""
        loss = run_closure(closure)
        state.silently(self._step)
        return loss

    def _step(self) -> None:
        for group in self.param_groups:
            for param in group["params"]:
                if param._grad is not None:
                    self._update(param, group)

    def _update(self, param: Tensor, group: dict[str, Any]) -> None:
        array, grad = param._array, param._grad._array  # type: ignore[union-attr]
        if group["maximize"]:
            grad = -grad
        if decay := number(group["weight_decay"]):
            grad = grad + decay * array
        buffer, first_step = self._momentum_buffer(param) if group["momentum"] else (None, False)
        sgd_update(
            backend_of(array), array, grad, buffer, self._scratch_like(array),
            lr=number(group["lr"]), momentum=group["momentum"], dampening=group["dampening"],
            nesterov=group["nesterov"], first_step=first_step,
        )  # fmt: skip
        param._bump_version()

    def _momentum_buffer(self, param: Tensor) -> tuple[Array, bool]:
        """The buffer of a parameter, and whether it is new and still empty."""
        values = self.state[param]
        known = values.get("momentum_buffer")
        if known is not None:
            return known._array, False
        buffer = backend_of(param._array).empty_like(param._array)
        values["momentum_buffer"] = Tensor._wrap(buffer)
        return buffer, True
