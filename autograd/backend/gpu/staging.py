"""Copies from the host to a GPU that run beside its work, through pinned memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

ALIGNMENT = 16  # bytes; the largest alignment of any dtype
SLOTS = 2  # one is filled while the other is being copied


class Staging:
    """Brings arrays to a GPU in one copy: neither it nor the host waits for the GPU's work.

    The copy runs on a stream of its own. Earlier work may still be running; later work begins when
    the copy has arrived.
    """

    def __init__(self, backend: Any, index: int) -> None:
        """`index`: the number of the GPU."""
        self._backend = backend
        self._index = index
        backend.use(index)
        self._cuda = backend.cupy.cuda
        self._stream = self._cuda.Stream(non_blocking=True)
        self._pinned: list[Any] = [None] * SLOTS
        self._copied: list[Any] = [None] * SLOTS  # events
        self._calls = 0
        self._before: Any = None  # the event of the previous call, in the stream of the work
        # Freed memory goes to the stream of copies at once, although the work of the last call may
        # still read it: so the memory of the last calls is kept.
        self._kept: deque[Any] = deque(maxlen=SLOTS)

    def __call__(self, arrays: Sequence[np.ndarray]) -> list[Any]:
        """Return the arrays on the GPU."""
        self._backend.use(self._index)
        ends = np.cumsum([-(-array.nbytes // ALIGNMENT) * ALIGNMENT for array in arrays]).tolist()
        starts = [0, *ends[:-1]]
        pinned = self._free_pinned(ends[-1])
        for array, start in zip(arrays, starts, strict=True):
            _part(pinned, start, array)[...] = array
        memory = self._copy(pinned)
        return [_part(memory, start, array) for array, start in zip(arrays, starts, strict=True)]

    def _free_pinned(self, size: int) -> Any:
        slot = self._calls % SLOTS
        event = self._copied[slot]
        if event is not None and not event.done:
            event.synchronize()  # of a copy, not of the work
        if self._pinned[slot] is None or self._pinned[slot].size < size:
            self._pinned[slot] = self._backend.cupyx.empty_pinned(size, np.uint8)
        return self._pinned[slot][:size]

    def _copy(self, pinned: Any) -> Any:
        work = self._cuda.get_current_stream()
        before, self._before = self._before, work.record()
        with self._stream:
            if before is not None:  # then nothing reads memory that was freed before that call
                self._stream.wait_event(before)
            memory = self._backend.empty(pinned.size, np.uint8)
            memory.set(pinned, stream=self._stream)
            copied = self._stream.record()
        work.wait_event(copied)
        self._copied[self._calls % SLOTS] = copied
        self._calls += 1
        self._kept.append(memory)
        return memory


def _part(memory: Any, start: int, like: np.ndarray) -> Any:
    """View the bytes from `start` on as an array like another."""
    return memory[start : start + like.nbytes].view(like.dtype).reshape(like.shape)
