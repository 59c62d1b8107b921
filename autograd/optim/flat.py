"""Adam's state of many parameters in one piece, so that a step is one call for all of them.

A network's parameters are few large and many small arrays; one by one, the small ones cost as many
calls as the large.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from operator import is_
from typing import Any

import numpy as np

from autograd.backend import Array, backend_of


class EndToEnd:
    """The elements of some arrays as one flat array.

    Where the arrays lie end to end in memory it is that memory itself; else it is a copy.
    """

    def __init__(self) -> None:
        """Know no arrays yet."""
        self._known: list[weakref.ref[Array]] = []  # weak: this must not keep gradients alive
        self._start: int | None = None  # in the array that they are parts of, if they lie so
        self._size = 0
        self._views: list[Array] = []  # parts of the copy, in the shapes of the arrays

    def load(self, arrays: Sequence[Array]) -> Array:
        """The flat array with the elements that they have now."""
        if len(arrays) != len(self._known) or not all(
            known() is array for known, array in zip(self._known, arrays, strict=True)
        ):
            self._look_at(arrays)
        if self._start is not None:
            base = arrays[0].base
            return base if base.size == self._size else base[self._start :][: self._size]
        for view, array in zip(self._views, arrays, strict=True):
            view[...] = array
        return self._views[0].base

    def store(self, arrays: Sequence[Array]) -> None:
        """Copy the elements of the flat array back, where it is a copy."""
        if self._start is None:
            for array, view in zip(arrays, self._views, strict=True):
                array[...] = view

    def _look_at(self, arrays: Sequence[Array]) -> None:
        self._known = [weakref.ref(array) for array in arrays]
        self._size = sum(array.size for array in arrays)
        self._start = _start(arrays)
        if self._start is not None:
            self._views = []
        elif [v.shape for v in self._views] != [a.shape for a in arrays]:
            first = arrays[0]
            flat = backend_of(first).empty(self._size, first.dtype)
            self._views = views_of(flat, [array.shape for array in arrays])


def views_of(flat: Array, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    """Parts of a flat array, one after another, in these shapes."""
    views, start = [], 0
    for shape in shapes:
        size = int(np.prod(shape))
        views.append(flat[start : start + size].reshape(shape))
        start += size
    return views


def _start(arrays: Sequence[Array]) -> int | None:
    """The element of their common base where the first begins; None unless all lie end to end."""
    base, xp = arrays[0].base, backend_of(arrays[0])
    if base is None or base.ndim != 1 or not xp.is_contiguous(base):
        return None
    first = address = xp.address(arrays[0])
    for array in arrays:
        if (
            array.base is not base
            or array.dtype != base.dtype
            or not xp.is_contiguous(array)
            or xp.address(array) != address
        ):
            return None
        address += array.nbytes
    return (first - xp.address(base)) // base.itemsize


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
        arrays = [p._array for p in self.params]
        self.xp.adam_(
            self.param.load(arrays), self.grad.load(grads), self.exp_avg, self.exp_avg_sq, None,
            step=self.steps, skip=skip, **coefficients,
        )  # fmt: skip
        self.param.store(arrays)
        for param in self.params:
            param._bump_version()


def _arrays_of(params: list[Any], states: list[dict[str, Any]]) -> list[Array]:
    names = ("exp_avg", "exp_avg_sq", "step")
    return [p._array for p in params] + [s[n]._array for s in states for n in names]
