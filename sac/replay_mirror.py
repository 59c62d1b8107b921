"""The replay's transitions a second time, on a GPU, so that no batch has to be sent there.

The replay in host memory or on the disk stays what is saved and resumed, and draws: a batch holds
the same transitions as without the mirror. Rows that change are sent with the next draw.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import DTypeLike

import autograd as torch
from autograd import Tensor

CHUNK = 65_536  # rows that are sent at once, when many have changed
Read = Callable[[np.ndarray], Sequence[np.ndarray]]  # rows -> observation, action, reward, ended


class ReplayMirror:
    """Rows of a replay on a device. MemoryError where the device has not as much memory."""

    def __init__(
        self,
        rows: int,
        observation: tuple[tuple[int, ...], DTypeLike],
        action: tuple[tuple[int, ...], DTypeLike],
        device: torch.device,
    ) -> None:
        """`observation` and `action` are shape and dtype of one."""
        number = (), np.float32
        self._records = torch.cuda.Records(rows, [observation, action, number, number], device)
        self._changed: list[np.ndarray] = []

    @property
    def nbytes(self) -> int:
        """Bytes of the device's memory."""
        return self._records.nbytes

    def note_change(self, rows: np.ndarray) -> None:
        """Rows have been written, and are to be sent before the next draw."""
        self._changed.append(rows)

    def draw(
        self, rows: np.ndarray, nexts: np.ndarray, aside: np.ndarray, read: Read
    ) -> list[Tensor]:
        """Return observation, action, reward, terminated and next observation of `rows`.

        `nexts` are the rows of the next observations; from the number of rows on they number the
        observations `aside`. `read` gives the content of rows that have changed.
        """
        changed = np.unique(np.concatenate(self._changed)) if self._changed else rows[:0]
        self._changed.clear()
        while len(changed) > CHUNK:
            self._records.write(changed[:CHUNK], read(changed[:CHUNK]))
            changed = changed[CHUNK:]
        return self._records.draw(rows, nexts, aside, changed, read(changed))
