"""`LRScheduler`: sets the learning rates of an optimizer, step by step."""

from __future__ import annotations

import functools
import warnings
import weakref
from typing import Any

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
        self.last_epoch = self._next_epoch(epoch)
        self._get_lr_called_within_step = True
        rates = None if epoch is None else self._get_closed_form_lr()
        rates = self.get_lr() if rates is None else rates
        self._get_lr_called_within_step = False
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            set_rate(group, rate)
        self._last_lr = rates_of(self.optimizer)

    def _next_epoch(self, epoch: int | None) -> int:
        if epoch is None:
            return self.last_epoch + 1
        warnings.warn(
            "The epoch parameter in `scheduler.step()` was not necessary and is being "
            "deprecated where possible. Please use `scheduler.step()` to step the scheduler.",
            UserWarning,
            stacklevel=3,
        )
        return epoch

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

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from what `state_dict` returned."""
        self.__dict__.update(state_dict)


def rates_of(optimizer: Optimizer) -> list[Any]:
    """The rates of all groups, as they are now."""
    return [_copy(group["lr"]) for group in optimizer.param_groups]


def set_rate(group: dict[str, Any], rate: Any) -> None:
    """Set the rate of a group; a rate that is a tensor stays the same tensor."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


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
