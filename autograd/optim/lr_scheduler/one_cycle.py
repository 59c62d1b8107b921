"""`OneCycleLR`: up to a large rate, then down to a tiny one."""

from __future__ import annotations

import math
from typing import Any, Literal

from autograd.optim.lr_scheduler.scheduler import LRScheduler
from autograd.optim.optimizer import Optimizer

Each = float | list[float]  # of all groups, or of each
# Its last step, and the settings between which the rate and the momentum go.
Phase = tuple[float, tuple[str, str], tuple[str, str]]


class OneCycleLR(LRScheduler):
    """From `max_lr / div_factor` up to `max_lr`, then down; call `step` after every batch.

    The last rate is the first one over `final_div_factor`. The momentum, or Adam's first beta, goes
    the other way. Smith & Topin 2018, "Super-Convergence: Very Fast Training of Neural Networks
    Using Large Learning Rates".
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: Each,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: Each = 0.85,
        max_momentum: Each = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        """`pct_start`: the part of the steps that goes up; `three_phase` comes down as slowly."""
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        self.total_steps = _total(total_steps, epochs, steps_per_epoch)
        if not (isinstance(pct_start, float) and 0 <= pct_start <= 1):
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        self.anneal_strategy = anneal_strategy
        self.cycle_momentum = cycle_momentum
        self.use_beta1 = "betas" in optimizer.defaults
        if cycle_momentum and not (self.use_beta1 or "momentum" in optimizer.defaults):
            raise ValueError(
                "optimizer must support momentum or beta1 with `cycle_momentum` option enabled"
            )
        self._phases = _phases(pct_start * self.total_steps, self.total_steps, three_phase)
        settings = {"max_lr": _of_each_group("max_lr", optimizer, max_lr)}
        if cycle_momentum:
            settings["max_momentum"] = _of_each_group("max_momentum", optimizer, max_momentum)
            settings["base_momentum"] = _of_each_group("base_momentum", optimizer, base_momentum)
        for i, group in enumerate(optimizer.param_groups if last_epoch == -1 else ()):
            group.update({name: values[i] for name, values in settings.items()})
            group["initial_lr"] = group["max_lr"] / div_factor
            group["min_lr"] = group["initial_lr"] / final_div_factor
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """The rates at `last_epoch`; this sets the momentum, too."""
        self._warn_outside_step()
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(
                f"Tried to step {step} times. The specified number of total steps is "
                f"{self.total_steps}"
            )
        start, phases = 0.0, self._phases
        while len(phases) > 1 and step > phases[0][0]:
            start, phases = phases[0][0], phases[1:]
        end, rates, momenta = phases[0]
        part = (step - start) / (end - start) if end > start else 1.0
        groups = self.optimizer.param_groups
        if self.cycle_momentum:
            for group in groups:
                momentum = self._between(group, momenta, part)
                if self.use_beta1:
                    group["betas"] = (momentum, *group["betas"][1:])
                else:
                    group["momentum"] = momentum
        return [self._between(group, rates, part) for group in groups]

    def _between(self, group: dict[str, Any], names: tuple[str, str], part: float) -> float:
        """The value of a group that far on the way between two settings."""
        first, last = group[names[0]], group[names[1]]
        if self.anneal_strategy == "cos":
            return last + (first - last) / 2.0 * (math.cos(math.pi * part) + 1)
        return (last - first) * part + first


def _total(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    given = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
    if total_steps is not None:
        given = {"total_steps": total_steps}
    elif None in given.values():
        raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    for name, value in given.items():
        if not isinstance(value, int) or value <= 0:
            raise ValueError(f"Expected positive integer {name}, but got {value}")
    return math.prod(given.values())  # type: ignore[arg-type]


def _phases(rise: float, total: int, three_phase: bool) -> list[Phase]:
    """The phases; `rise` steps are spent on the way up."""
    up: Phase = (rise - 1, ("initial_lr", "max_lr"), ("max_momentum", "base_momentum"))
    if not three_phase:
        return [up, (total - 1, ("max_lr", "min_lr"), ("base_momentum", "max_momentum"))]
    return [
        up,
        (2 * rise - 2, ("max_lr", "initial_lr"), ("base_momentum", "max_momentum")),
        (total - 1, ("initial_lr", "min_lr"), ("max_momentum", "max_momentum")),
    ]


def _of_each_group(name: str, optimizer: Optimizer, value: Each) -> list[float]:
    groups = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [value] * groups
    if len(value) != groups:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has "
            f"{len(value)} values, param_groups has {groups}."
        )
    return list(value)
