"""Schedules of learning rates: call `step()` after the optimizer's, for example once an epoch."""

from __future__ import annotations

import functools
import math
import types
import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from autograd.errors import missing_names
from autograd.optim.optimizer import Optimizer
from autograd.tensors.tensor import Tensor


class LRScheduler:
    """The base of all schedules: `get_lr` computes the rates of all groups at `last_epoch`."""

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        """Set the first rates; a `last_epoch` other than -1 resumes after that epoch."""
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", _copy(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming "
                    "scheduler with last_epoch >= 0. Load the optimizer's state first, or leave "
                    "last_epoch at -1 for a fresh training."
                )
        self.base_lrs = [_copy(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        _note_steps(optimizer)
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    def step(self, epoch: int | None = None) -> None:
        """Set the rates of the next epoch, or of `epoch`, which torch deprecates."""
        if self._step_count == 1 and not getattr(self.optimizer, "_opt_called", False):
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. You should call "
                "them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`. "
                "Failure to do this will result in skipping the first value of the learning rate "
                "schedule.",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        if epoch is not None:
            warnings.warn(
                "The epoch parameter in `scheduler.step()` was not necessary and is being "
                "deprecated where possible. Please use `scheduler.step()` to step the scheduler.",
                UserWarning,
                stacklevel=2,
            )
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self._get_lr_called_within_step = True
        rates = None if epoch is None else self._get_closed_form_lr()
        rates = self.get_lr() if rates is None else rates
        self._get_lr_called_within_step = False
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate
        self._last_lr = [_copy(group["lr"]) for group in self.optimizer.param_groups]

    def get_last_lr(self) -> list[Any]:
        """The rates that are set now."""
        return self._last_lr

    def get_lr(self) -> list[Any]:
        """The rates at `last_epoch`, as `step` asks for them; users want `get_last_lr`."""
        raise NotImplementedError

    def _get_closed_form_lr(self) -> list[Any] | None:
        """The rates at `last_epoch` in closed form; None if there is no such form."""
        return None

    def _warn_outside_step(self) -> None:
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use "
                "`get_last_lr()`.",
                UserWarning,
                stacklevel=3,
            )

    def _rates_now(self) -> list[Any]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from what `state_dict` returned."""
        self.__dict__.update(state_dict)


class LambdaLR(LRScheduler):
    """The initial rate times `lr_lambda(epoch)`; a list of functions has one for each group."""

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        count = len(optimizer.param_groups)
        self.lr_lambdas: list[Any] = (
            list(lr_lambda) if isinstance(lr_lambda, list | tuple) else [lr_lambda] * count
        )
        if len(self.lr_lambdas) != count:
            raise ValueError(f"Expected {count} lr_lambdas, but got {len(self.lr_lambdas)}")
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """The rates at `last_epoch`."""
        self._warn_outside_step()
        return [
            rate * factor(self.last_epoch)
            for rate, factor in zip(self.base_lrs, self.lr_lambdas, strict=True)
        ]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer; of `lr_lambdas`, the state of objects but no functions."""
        state = super().state_dict()
        state["lr_lambdas"] = [
            None if isinstance(factor, types.FunctionType) else factor.__dict__.copy()
            for factor in self.lr_lambdas
        ]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from what `state_dict` returned, with this schedule's own functions."""
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "lr_lambdas"})
        for factor, state in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if state is not None:
                factor.__dict__.update(state)


class LinearLR(LRScheduler):
    """The initial rate times a factor that goes from one to another in `total_iters` epochs."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        """Raise ValueError for a factor that is not in (0, 1] (start) or [0, 1] (end)."""
        if start_factor > 1.0 or start_factor <= 0:
            raise ValueError(
                "Starting multiplicative factor expected to be greater than 0 and less or equal "
                "to 1."
            )
        if end_factor > 1.0 or end_factor < 0:
            raise ValueError("Ending multiplicative factor expected to be between 0 and 1.")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """The rates at `last_epoch`, from those of the epoch before."""
        self._warn_outside_step()
        if self.last_epoch == 0:
            return [rate * self.start_factor for rate in self._rates_now()]
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._rates_now()
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return [rate * (1.0 + rise / before) for rate in self._rates_now()]

    def _get_closed_form_lr(self) -> list[Any]:
        part = min(self.total_iters, self.last_epoch) / self.total_iters
        factor = self.start_factor + (self.end_factor - self.start_factor) * part
        return [rate * factor for rate in self.base_lrs]


class CosineAnnealingLR(LRScheduler):
    """Half a cosine from the initial rate to `eta_min` in `T_max` epochs, then back, and so on.

    Loshchilov & Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts", equation 5.
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """The rates at `last_epoch`, from those of the epoch before."""
        self._warn_outside_step()
        if self._is_initial:
            return self._rates_now()
        if self._step_count == 1 and self.last_epoch > 0:
            return self._get_closed_form_lr()
        epoch, half_period = self.last_epoch, self.T_max
        if (epoch - 1 - half_period) % (2 * half_period) == 0:
            rise = (1 - math.cos(math.pi / half_period)) / 2
            return [
                rate + (base - self.eta_min) * rise
                for rate, base in zip(self._rates_now(), self.base_lrs, strict=True)
            ]
        now, before = (1 + math.cos(math.pi * e / half_period) for e in (epoch, epoch - 1))
        return [now / before * (rate - self.eta_min) + self.eta_min for rate in self._rates_now()]

    def _get_closed_form_lr(self) -> list[Any]:
        part = (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / 2
        return [self.eta_min + (base - self.eta_min) * part for base in self.base_lrs]


def _copy(rate: Any) -> Any:
    return rate.clone() if isinstance(rate, Tensor) else rate


def _note_steps(optimizer: Any) -> None:
    """Make an optimizer of any class note its steps: a schedule warns if there were none."""
    if hasattr(optimizer.step, "_notes_steps"):
        return
    function = optimizer.step.__func__
    reference: Any = weakref.ref(optimizer)  # no cycle: an optimizer goes as soon as it is dropped

    @functools.wraps(function)
    def step(*args: Any, **kwargs: Any) -> Any:
        optimizer = reference()
        optimizer._opt_called = True
        return function(optimizer, *args, **kwargs)

    step._notes_steps = True  # type: ignore[attr-defined]
    optimizer.step = step


__getattr__ = missing_names(__name__)
