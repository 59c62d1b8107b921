"""Adam, and AdamW, whose weight decay is not part of the gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Unpack

import numpy as np

from autograd.backend import backend_of
from autograd.backend.kernels.contract import AdamSettings
from autograd.creation import tensor
from autograd.engine.capture import effect
from autograd.engine.grad_mode import state
from autograd.errors import NotOfferedError
from autograd.optim.optimizer import (
    Implementation,
    Optimizer,
    check_at_least_zero,
    checked_implementation,
    number,
    run_closure,
)
from autograd.tensors.tensor import Tensor


class Adam(Optimizer):
    """Adam: Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization".

    State of a parameter: `step` (0-d float32), `exp_avg`, `exp_avg_sq`, with `amsgrad` also
    `max_exp_avg_sq`. A parameter without gradient is skipped and gets no state.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        capturable: bool = False,
        decoupled_weight_decay: bool = False,
        **implementation: Unpack[Implementation],
    ) -> None:
        """`decoupled_weight_decay` makes it AdamW; ValueError for a setting out of its range."""
        check_at_least_zero(learning__rate=lr, epsilon__value=eps)
        if len({isinstance(beta, Tensor) for beta in betas[:2]}) > 1:
            raise ValueError("betas must be either both floats or both Tensors")
        for index in (0, 1):
            if not 0.0 <= betas[index] < 1.0:
                raise ValueError(f"Invalid beta parameter at index {index}: {betas[index]}")
        check_at_least_zero(weight_decay__value=weight_decay)
        if capturable:
            raise NotOfferedError("capturable=True: autograd does not offer the capture of a step")
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize, "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            **checked_implementation(**implementation),
        }  # fmt: skip
        super().__init__(params, defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for param, values in self.state.items():
            if "step" in values and not isinstance(values["step"], Tensor):
                values["step"] = tensor(float(values["step"]), device=param.device)

    @effect
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient; return the closure's value."""
        loss = run_closure(closure)
        flag = self.found_inf
        if flag is None or not backend_of(flag._array).is_known_set(flag._array):
            state.silently(self._step)
        return loss

    def _step(self) -> None:
        skip = None if self.found_inf is None else self.found_inf._array
        for param, group in self._with_gradients():
            known = self.state[param] or self._new_state(param, amsgrad=group["amsgrad"])
            self._update(param, known, group, skip)

    def _update(
        self, param: Tensor, values: dict[str, Any], group: dict[str, Any], skip: Any
    ) -> None:
        array, step = param._array, values["step"]._array
        xp = backend_of(array)
        xp.count_step_(step, skip)
        moments = [values[name]._array for name in _moments(group["amsgrad"])]
        beta1, beta2 = map(number, group["betas"])
        settings = AdamSettings(number(group["lr"]), beta1, beta2, group["eps"])
        xp.adam_([array, _gradient(param, group, skip), *moments], step, skip, settings)
        param._bump_version()

    def _new_state(self, param: Tensor, *, amsgrad: bool) -> dict[str, Any]:
        """The state of a parameter before its first step."""
        xp, values = backend_of(param._array), self.state[param]
        values["step"] = Tensor._wrap(xp.zeros((), np.float32))
        for name in _moments(amsgrad):
            values[name] = Tensor._wrap(xp.zeros_like(param._array))
        return values


def _gradient(param: Tensor, group: dict[str, Any], skip: Any) -> Any:
    """Return the gradient to descend, with coupled weight decay; do decoupled decay at once."""
    array, grad = param._array, param._grad._array  # type: ignore[union-attr]
    decay = number(group["weight_decay"])
    if group["maximize"]:
        grad = -grad
    if decay and group["decoupled_weight_decay"]:
        rate = number(group["lr"]) * decay
        array *= 1 - rate if skip is None else 1 - rate * (skip == 0)
    elif decay:
        grad = grad + decay * array
    return backend_of(array).array_of(grad)


def _moments(amsgrad: bool) -> tuple[str, ...]:
    """The names under which a parameter's state holds its moments."""
    return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")[: 2 + amsgrad]


class AdamWOptions(Implementation, total=False):
    """The settings that AdamW hands on to Adam."""

    maximize: bool
    capturable: bool


class AdamW(Adam):
    """Adam with decoupled weight decay: Loshchilov & Hutter 2019."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        **options: Unpack[AdamWOptions],
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, decoupled_weight_decay=True, **options
        )
