"""Adam's moments of many parameters in one piece, so that a step is a dozen passes in all.

A network's parameters are few large and many small arrays; one by one, the small ones cost as many
calls as the large. The parameters themselves stay where they are: others may hold views of them.
"""

from __future__ import annotations

from typing import Any

from autograd.backend import Array, backend_of

# Elements that are worked on at a time: five arrays of them fit in a core's second-level cache.
BLOCK = 32_768


class FlatMoments:
    """Moments, gradients and scratch of a list of parameters, laid end to end."""

    def __init__(self, params: list[Any], states: list[dict[str, Any]]) -> None:
        """Move the moments of `states` into one array each; `states` keep views of it."""
        array = params[0]._array
        self.xp = xp = backend_of(array)
        sizes = [p._array.size for p in params]
        total = sum(sizes)
        self.params = params
        self.grad = xp.empty(total, array.dtype)
        self.scratch = xp.empty(total, array.dtype)
        self.exp_avg = xp.empty(total, array.dtype)
        self.exp_avg_sq = xp.empty(total, array.dtype)
        starts = [sum(sizes[:i]) for i in range(len(sizes))]
        self.slices = [slice(a, a + n) for a, n in zip(starts, sizes, strict=True)]
        self.grad_views = self._views(self.grad)
        self.scratch_views = self._views(self.scratch)
        self.blocks = [slice(a, a + BLOCK) for a in range(0, total, BLOCK)]
        self.moments: list[tuple[Array, Array]] = []
        for i, state in enumerate(states):
            for name, flat in (("exp_avg", self.exp_avg), ("exp_avg_sq", self.exp_avg_sq)):
                view = flat[self.slices[i]].reshape(params[i]._array.shape)
                view[...] = state[name]._array
                state[name]._array = view
            self.moments.append((state["exp_avg"]._array, state["exp_avg_sq"]._array))

    def _views(self, flat: Array) -> list[Array]:
        return [
            flat[part].reshape(p._array.shape)
            for part, p in zip(self.slices, self.params, strict=True)
        ]

    def holds(self, params: list[Any], states: list[dict[str, Any]]) -> bool:
        """Whether these are still the parameters, and their moments still the ones in here."""
        if len(params) != len(self.params):
            return False
        for p, known, state, (exp_avg, exp_avg_sq) in zip(
            params, self.params, states, self.moments, strict=True
        ):
            if (
                p is not known
                or state["exp_avg"]._array is not exp_avg
                or state["exp_avg_sq"]._array is not exp_avg_sq
                or p._array.shape != exp_avg.shape
                or p._array.dtype != exp_avg.dtype
            ):
                return False
        return True


def can_be_flat(params: list[Any], states: list[dict[str, Any]], group: dict[str, Any]) -> bool:
    """Whether one call of Adam's arithmetic fits all: same dtype, device and step, each once."""
    if group["amsgrad"]:
        return False
    dtype, xp = params[0]._array.dtype, backend_of(params[0]._array)
    step = states[0]["step"]._array
    return len(set(map(id, params))) == len(params) and all(
        p._array.dtype is dtype and backend_of(p._array) is xp and s["step"]._array == step
        for p, s in zip(params, states, strict=True)
    )
