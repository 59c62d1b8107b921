"""Random numbers drawn on a GPU, with the method names of NumPy's generators.

The state of CuPy's own generators cannot be saved. The state of this one is two whole numbers, so a
resumed run continues with the same bits, and one seed gives the same numbers on every GPU: element
i of a draw is a function of key, counter and i (see `cuda_source.PHILOX`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

NAME = "Philox4x32-10"


class Philox:
    """A stream of random numbers on one GPU."""

    def __init__(self, backend: Any, index: int, key: int, counter: int = 0) -> None:
        """`key` chooses one of 2^64 streams; `counter` is how much of it has been used."""
        self.backend = backend
        self.index = index
        self.key = key
        self.counter = counter

    def _draw(self, name: str, shape: Any, dtype: Any, *parameters: Any) -> Any:
        self.backend.use(self.index)
        out = self.backend.empty(shape, dtype)
        key, counter = np.uint64(self.key), np.uint64(self.counter)
        self.backend.kernel(name)(key, counter, *parameters, out)
        self.counter = (self.counter + math.ceil(out.size / 2)) % 2**64
        return out

    def random(self, shape: Any, dtype: Any = np.float64) -> Any:
        """Uniform numbers from [0, 1)."""
        return self._draw("uniform", shape, dtype)

    def standard_normal(self, shape: Any, dtype: Any = np.float64) -> Any:
        """Numbers of the standard normal distribution."""
        return self._draw("normal", shape, dtype)

    def integers(self, low: int, high: int, shape: Any) -> Any:
        """Whole numbers, int64, from `low` to before `high`."""
        return self._draw("integers", shape, np.int64, low, np.uint64(high - low))

    def permutation(self, n: int) -> Any:
        """The numbers 0 to n - 1 in a random order: the order of n random numbers."""
        return self.backend.argsort(self._draw("bits", n, np.uint64))

    @property
    def state(self) -> dict[str, Any]:
        """The state from which the stream continues, in a form that JSON can hold."""
        return {"bit_generator": NAME, "key": self.key, "counter": self.counter}


def checked_state(state: dict[str, Any]) -> tuple[int, int]:
    """Return key and counter of a `Philox.state`; KeyError or ValueError for anything else."""
    key, counter = state["key"], state["counter"]
    if not all(type(n) is int and 0 <= n < 2**64 for n in (key, counter)):
        raise ValueError(f"key and counter must be whole numbers of 64 bits: {state}")
    return key, counter
