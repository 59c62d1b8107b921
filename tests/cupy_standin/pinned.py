"""Pinned memory, and copies from it that are still under way.

The stand-in copies at once. A device copies later: so whoever writes to pinned memory before an
event or a synchronisation has told that its copy is done fails here, when it is next waited for.
"""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np

_pinned: dict[int, weakref.ref[np.ndarray]] = {}  # by address


class WrittenTooEarly(AssertionError):
    """Pinned memory has changed while a copy from it could still be under way."""


def empty_pinned(shape: Any, dtype: Any = float, order: str = "C") -> np.ndarray:
    """An uninitialised NumPy array in memory that the device can copy from by itself."""
    dtype = np.dtype(dtype)
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    raw = np.empty(max(math.prod(sizes) * dtype.itemsize, 1), np.uint8)
    address = raw.ctypes.data
    _pinned[address] = weakref.ref(raw)
    weakref.finalize(raw, _pinned.pop, address, None)
    return np.ndarray(sizes, dtype, raw, order="F" if order == "F" else "C")


def zeros_pinned(shape: Any, dtype: Any = float, order: str = "C") -> np.ndarray:
    """The same, filled with zeros."""
    array = empty_pinned(shape, dtype, order)
    array[...] = 0
    return array


def empty_like_pinned(
    a: Any, dtype: Any = None, order: str = "K", subok: Any = None, shape: Any = None
) -> np.ndarray:
    """The same, of the shape and dtype of another array."""
    return empty_pinned(a.shape if shape is None else shape, a.dtype if dtype is None else dtype)


def pinned_bytes(address: int, size: int) -> np.ndarray | None:
    """That memory as bytes if all of it is pinned, otherwise None."""
    for start, reference in list(_pinned.items()):
        raw = reference()
        if raw is not None and start <= address and address + size <= start + raw.nbytes:
            return raw[address - start : address - start + size]
    return None


@dataclass(eq=False)
class Transfer:
    """A copy from pinned memory, and what that memory held when the copy was asked for."""

    stream: Any
    source: np.ndarray
    held: np.ndarray

    def check(self) -> None:
        """WrittenTooEarly if the memory has changed since."""
        if not np.array_equal(self.source, self.held):
            raise WrittenTooEarly(
                "pinned memory was written while a copy from it could still be under way: "
                "wait for the event that was recorded after the copy"
            )


class Transfers:
    """The copies that nobody has waited for yet."""

    def __init__(self) -> None:
        self._pending: list[Transfer] = []

    def start(self, stream: Any, source: np.ndarray) -> None:
        """A copy from this memory, given as bytes, is under way."""
        self._pending.append(Transfer(stream, source, source.copy()))

    def pending(self, stream: Any) -> list[Transfer]:
        """The copies of a stream that nobody has waited for."""
        return [t for t in self._pending if t.stream == stream]

    def check(self, transfers: list[Transfer]) -> None:
        """Fail if the memory of one has changed meanwhile."""
        for transfer in transfers:
            if transfer in self._pending:
                transfer.check()

    def complete(self, transfers: list[Transfer]) -> None:
        """These have been waited for."""
        self.check(transfers)
        self._pending = [t for t in self._pending if t not in transfers]

    def finish(self, stream: Any = None) -> None:
        """All copies, or those of a stream, have been waited for."""
        self.complete(list(self._pending) if stream is None else self.pending(stream))

    def forget(self) -> None:
        """Nobody will wait any more."""
        self._pending.clear()


transfers = Transfers()
