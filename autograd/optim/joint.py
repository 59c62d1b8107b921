"""Adam optimizers that step at the same time: in one call, where their settings are the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.engine.capture import effect
from autograd.engine.grad_mode import state
from autograd.optim.adam import Adam, coefficients
from autograd.optim.flat import FlatAdam


class JointStep:
    """The steps of several Adam optimizers, each of which stays what it is and may step alone.

    Of networks whose parameters lie end to end the parts of a step are large enough for one call to
    take little longer than the call for a single network.
    """

    def __init__(self, optimizers: Sequence[Adam]) -> None:
        """`optimizers`: of different parameters."""
        self.optimizers = list(optimizers)
        self._flat: FlatAdam | None = None

    def __getstate__(self) -> dict[str, Any]:
        """A copy's states are in other memory."""
        return {**self.__dict__, "_flat": None}

    @effect
    def step(self) -> None:
        """Change every parameter that has a gradient."""
        state.silently(self._step)

    def _step(self) -> None:
        flat = self._flat_state()
        if flat is None:
            for optimizer in self.optimizers:
                optimizer.step()
            return
        first = self.optimizers[0]
        skip = None if first.found_inf is None else first.found_inf._array
        grads = [param._grad._array for param in flat.params]
        flat.step(grads, skip, coefficients(first.param_groups[0]))

    def _flat_state(self) -> FlatAdam | None:
        """The state of all optimizers in one piece, where their parameters can step together."""
        if len(self.optimizers) < 2:
            return None
        groups = [group for optimizer in self.optimizers for group in optimizer.param_groups]
        params = [param for group in groups for param in group["params"]]
        flag = self.optimizers[0].found_inf
        if (
            len(groups) != len(self.optimizers)
            or any([param._grad is None for param in params])
            or any([optimizer.found_inf is not flag for optimizer in self.optimizers])
            or not _are_alike(groups)
        ):
            return None
        states = [
            optimizer.state[param] or optimizer.new_state(param, amsgrad=False)
            for optimizer in self.optimizers
            for param in optimizer.param_groups[0]["params"]
        ]
        if self._flat is None or not self._flat.holds(params, states):
            self._flat = FlatAdam(params, states) if FlatAdam.suits(params, states) else None
        return self._flat


def _are_alike(groups: Sequence[dict[str, Any]]) -> bool:
    """Whether all groups have the same settings, and none that changes gradients first."""
    first, *others = [{**group, "params": None} for group in groups]
    plain = not (first["amsgrad"] or first["maximize"] or first["weight_decay"])
    return plain and all(other == first for other in others)
