"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Unpack

from autograd.backend import Array, backend_of
from autograd.engine.capture import effect
from autograd.engine.grad_mode import state
from autograd.optim.optimizer import (
    Implementation,
    Optimizer,
    check_at_least_zero,
    checked_implementation,
    number,
    run_closure,
)
from autograd.tensors.tensor import Tensor


class SGD(Optimizer):
    """Gradient descent, with momentum (Sutskever et al. 2013) if wanted.

    State of a parameter, with momentum only: `momentum_buffer`, at first a copy of the gradient.
    A parameter without gradient is skipped.
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
        **implementation: Unpack[Implementation],
    ) -> None:
        """Raise ValueError for a setting out of its range."""
        check_at_least_zero(
            learning__rate=lr, momentum__value=momentum, weight_decay__value=weight_decay
        )
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
            "nesterov": nesterov, "maximize": maximize, **checked_implementation(**implementation),
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
            self._update(param, group)

    def _update(self, param: Tensor, group: dict[str, Any]) -> None:
        array, grad = param._array, param._grad._array  # type: ignore[union-attr]
        if group["maximize"]:
            grad = -grad
        if decay := number(group["weight_decay"]):
            grad = grad + decay * array
        if group["momentum"]:
            grad = self._direction(param, grad, group)
        array -= grad * number(group["lr"])
        param._bump_version()

    def _direction(self, param: Tensor, grad: Array, group: dict[str, Any]) -> Array:
        """Return the direction with momentum; its buffer starts as a copy of the gradient."""
        values, momentum = self.state[param], group["momentum"]
        known = values.get("momentum_buffer")
        if known is None:
            # Without dampening, as in torch.
            buffer = backend_of(param._array).array_of(grad.copy())
            values["momentum_buffer"] = Tensor._wrap(buffer)
        else:
            buffer = known._array
            buffer *= momentum
            buffer += grad * (1 - group["dampening"])
        return grad + momentum * buffer if group["nesterov"] else buffer
