"""What is known of a recorded call while it is lowered."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.compiled.emitter import Emitter
from autograd.compiled.instructions import NotCompiledError, Root
from autograd.compiled.memory import order_of


class Known:
    """Which traced arrays stand for the arrays that were recorded."""

    def __init__(self, strip: int, tile: int) -> None:
        """`strip`, `tile`: columns and rows of the products' kernels."""
        self.emitter = Emitter(strip, tile)
        self.memory = self.emitter.memory
        self.arrays: dict[int, Any] = {}  # by the identity of the recorded ones
        self.gradients: dict[int, Any] = {}  # that were stored, by the identity of their tensors
        self.cleared: list[Any] = []  # tensors whose gradients are dropped
        self.stepped: set[int] = set()  # the identities of optimizers that have made a step

    def adopt(self, array: np.ndarray, kind: str) -> Root:
        """Return a root for a recorded array."""
        order = order_of(array) or range(array.ndim)
        self.arrays[id(array)] = self.memory.ordered(array.shape, array.dtype, order, kind)
        self.memory.roots[-1].order = tuple(order)
        return self.memory.roots[-1]

    def traced(self, value: Any) -> Any:
        """Return a recorded value with traced arrays in place of its own."""
        if isinstance(value, np.ndarray):
            try:
                return self.arrays[id(value)]
            except KeyError:
                raise NotCompiledError("an array from nowhere") from None
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*map(self.traced, value))
        if type(value) in (tuple, list):
            return type(value)(map(self.traced, value))
        return value

    def bind(self, recorded: Any, traced: Any) -> None:
        """Note which traced arrays stand for what a call had returned."""
        if isinstance(recorded, np.ndarray):
            traced = np.asarray(traced) if isinstance(traced, np.generic) else traced
            kind = getattr(traced, "shape", None), getattr(traced, "dtype", None)
            if not isinstance(traced, np.ndarray) or kind != (recorded.shape, recorded.dtype):
                raise NotCompiledError("a result of another shape or dtype")
            self.memory.place(traced)
            self.arrays[id(recorded)] = self.memory.seen(traced)
        elif isinstance(recorded, tuple | list):
            if not isinstance(traced, tuple | list) or len(traced) != len(recorded):
                raise NotCompiledError("a result of another kind")
            for pair in zip(recorded, traced, strict=True):
                self.bind(*pair)


def arrays_in(value: Any) -> list[np.ndarray]:
    """Return the arrays in a value, and in the tuples, lists and dicts that it holds."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, tuple | list):
        return [array for part in value for array in arrays_in(part)]
    return [value] if isinstance(value, np.ndarray) else []
