"""Arrays that are used again: large ones cost more to get from the system than to fill.

A freed array of some hundred kilobytes goes back to the operating system, and the next one comes
page by page, each with a fault. Here it waits until a chain of operations asks for one like it.
"""

from __future__ import annotations

import sys
import threading

import numpy as np

REUSED_BYTES = 2**17  # from here on malloc asks the system for pages
KEPT_OF_A_KIND = 16
KINDS = 64
# References to an array that only waits: the list's, the loop variable's, getrefcount's argument.
WAITING = 3


class Workspace(threading.local):
    """Uninitialised arrays, taken from among those that nobody holds any more.

    Each thread has arrays of its own: two could else find the same one free at the same moment.
    """

    def __init__(self) -> None:
        self._kinds: dict[tuple[tuple[int, ...], str], list[np.ndarray]] = {}

    def empty(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """An array that owns its memory; it counts as free again once it and its views are gone."""
        kind = shape, dtype.char  # a dtype itself takes longer to hash
        kept = self._kinds.get(kind)
        if kept is None:
            array = np.empty(shape, dtype)
            if array.nbytes >= REUSED_BYTES:
                if len(self._kinds) >= KINDS:
                    del self._kinds[next(iter(self._kinds))]
                self._kinds[kind] = [array]
            return array
        for array in kept:
            if sys.getrefcount(array) == WAITING:
                return array
        array = np.empty(shape, dtype)
        if len(kept) < KEPT_OF_A_KIND:
            kept.append(array)
        return array

    def clear(self) -> None:
        """Let go of the arrays that wait: their memory goes back to the system."""
        self._kinds.clear()
