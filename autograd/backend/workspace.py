"""Memory that is reused: a large array costs more to get from the system than to fill.

The memory of a freed array of some hundred kilobytes goes back to the operating system, and the
next array gets pages one by one, with a fault for each. Here, memory waits until an array of the
same size is asked for.
"""

from __future__ import annotations

import math
import weakref

import numpy as np

REUSED_BYTES = 2**17  # from this size on, malloc asks the system for pages
KEPT_OF_A_SIZE = 16
SIZES = 64


class _Loan(weakref.ref):
    """A weak reference to an array, with its memory; it calls back when the array is gone."""

    __slots__ = ("memory",)

    memory: bytearray


class Workspace:
    """Uninitialised arrays, each on memory that no other array has.

    Memory comes back when its array is gone, and not before. A view keeps its array alive, as
    everywhere in NumPy: the base of an array on a bytearray is not an array, so every view, direct
    or not, has the array itself as its base. Nothing counts references, so this holds on every
    interpreter. Threads may share a workspace: taking memory from a list, and putting it back, are
    single steps.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, list[bytearray]] = {}  # by size
        self._loans: dict[int, _Loan] = {}  # by identity; a dead weak reference would not call back

    def empty(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """An uninitialised array; nobody else uses its memory while it or a view of it lives."""
        size = math.prod(shape) * dtype.itemsize
        if size < REUSED_BYTES:
            return np.empty(shape, dtype)
        try:
            memory = self._waiting[size].pop()
        except (KeyError, IndexError):
            memory = bytearray(size)
        array: np.ndarray = np.ndarray(shape, dtype, memory)
        loan = _Loan(array, self._take_back)
        loan.memory = memory
        self._loans[id(loan)] = loan
        return array

    def _take_back(self, loan: _Loan) -> None:
        memory = self._loans.pop(id(loan)).memory
        waiting = self._waiting.get(len(memory))
        if waiting is None:
            if len(self._waiting) >= SIZES:
                self._waiting.pop(next(iter(self._waiting)), None)
            waiting = self._waiting.setdefault(len(memory), [])
        if len(waiting) < KEPT_OF_A_SIZE:
            waiting.append(memory)

    def clear(self) -> None:
        """Give the waiting memory back to the system."""
        self._waiting.clear()
