"""Adam's state of many parameters in one piece, so that a step is one call for all of them."""

from __future__ import annotations

from operator import is_
from typing import Any

import numpy as np

from autograd.backend import Array, backend_of
from autograd.backend.layout import EndToEnd, views_of


class FlatAdam:
    """Moments and steps of a list of parameters, laid end to end; `states` hold views of them."""

    def __init__(self, params: list[Any], states: list[dict[str, Any]]) -> None:
        """Move the moments and steps of `states` into one array each."""
        array = params[0]._array
        self.xp = backend_of(array)
        self.params = params
        self.param, self.grad = EndToEnd(), EndToEnd()
        total = sum(p._array.size for p in params)
        self.exp_avg, self.exp_avg_sq = (self.xp.empty(total, array.dtype) for _ in range(2))
        self.steps = self.xp.empty(len(params), np.float32)
        shapes = [p._array.shape for p in params]
        for name, views in (
            ("exp_avg", views_of(self.exp_avg, shapes)),
            ("exp_avg_sq", views_of(self.exp_avg_sq, shapes)),
            ("step", views_of(self.steps, [()] * len(params))),
        ):
            for state, view in zip(states, views, strict=True):
                view[...] = state[name]._array
                state[name]._array = view
        self.known = _arrays_of(params, states)

    @staticmethod
    def suits(params: list[Any], states: list[dict[str, Any]]) -> bool:
        """Whether one call fits all: the same dtype, device and step, and each parameter once."""
        first, step = params[0]._array, states[0]["step"]._array
        xp = backend_of(first)
        return len(set(map(id, params))) == len(params) and all(
            p._array.dtype == first.dtype
            and backend_of(p._array) is xp
            and xp.device_index(p._array) == xp.device_index(first)
            and s["step"]._array == step
            for p, s in zip(params, states, strict=True)
        )

    def holds(self, params: list[Any], states: list[dict[str, Any]]) -> bool:
        """Whether these are still its parameters, their state still the one in here, in step."""
        if not (len(params) == len(self.params) and all(map(is_, params, self.params))):
            return False
        return all(map(is_, _arrays_of(params, states), self.known)) and self.xp.in_step(self.steps)

    def step(self, grads: list[Array], skip: Array | None, coefficients: dict[str, float]) -> None:
        """Take one step, unless `skip` holds another number than 0."""
        self.xp.count_step_(self.steps, skip)
        arrays = self.known[: len(self.params)]
        self.xp.adam_(
            self.param.load(arrays), self.grad.load(grads), self.exp_avg, self.exp_avg_sq, None,
            step=self.steps, skip=skip, **coefficients,
        )  # fmt: skip
        self.param.store(arrays)
        for param in self.params:
            param._bump_version()


def _arrays_of(params: list[Any], states: list[dict[str, Any]]) -> list[Array]:
    arrays = [p._array for p in params]
    for state in states:
        arrays += (state["exp_avg"]._array, state["exp_avg_sq"]._array, state["step"]._array)
    return arrays
