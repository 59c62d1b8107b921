"""The replay's transitions a second time, on a GPU, so that no batch has to be sent there.

The replay in host memory or on the disk stays what is saved and resumed, and draws: a batch holds
the same transitions as without the mirror. Rows that change are sent with the next draw.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

import autograd as torch
from autograd.gpu import Records

if TYPE_CHECKING:
    from sac.replay.buffer import ReplayBuffer

CHUNK = 65_536  # rows that are sent at once, when many have changed
AUTO_SHARE = 0.5  # of the device's free memory, which `auto` takes at most


class ReplayMirror:
    """The rows of a replay on a device. MemoryError where the device has not as much memory."""

    def __init__(self, buffer: "ReplayBuffer", device: torch.device) -> None:
        """Reserve memory for all rows of the buffer; they are sent at the first draw."""
        self._buffer = buffer
        self._records = Records(buffer.rows, _fields(buffer), device)
        self._changed: list[np.ndarray] | None = None  # None: all of them

    @staticmethod
    def fits(buffer: "ReplayBuffer", device: torch.device) -> bool:
        """Return whether it leaves a good part of the device's free memory to others."""
        row = sum(
            int(np.prod(shape)) * np.dtype(dtype).itemsize for shape, dtype in _fields(buffer)
        )
        free, _ = torch.cuda.mem_get_info(device)
        return buffer.rows * row <= AUTO_SHARE * free

    @property
    def nbytes(self) -> int:
        """Bytes of the device's memory."""
        return self._records.nbytes

    def note_change(self, rows: np.ndarray | None) -> None:
        """Send these rows, or all for None, before the next draw."""
        if rows is None:
            self._changed = None
        elif self._changed is not None:
            self._changed.append(rows)

    def draw(self, rows: np.ndarray) -> dict[str, Any]:
        """Return the transitions of `rows` as a batch's tensors by name."""
        buffer = self._buffer
        changed = self._take_changed()
        while len(changed) > CHUNK:
            self._records.write(changed[:CHUNK], _contents(buffer, changed[:CHUNK]))
            changed = changed[CHUNK:]
        nexts, aside = buffer.next_rows(rows)
        observation, action, reward, terminated, next_observation = self._records.draw(
            rows, nexts, aside, changed, _contents(buffer, changed)
        )
        return {
            "observation": observation,
            "action": action.reshape(len(rows), 1) if action.ndim == 1 else action,
            "reward": reward.reshape(-1, 1),
            "terminated": terminated.reshape(-1, 1),
            "next_observation": next_observation,
        }

    def _take_changed(self) -> np.ndarray:
        changed, self._changed = self._changed, []
        if changed is None:
            return self._buffer.used_rows()
        return np.unique(np.concatenate(changed)) if changed else np.zeros(0, np.int64)


def _fields(buffer: "ReplayBuffer") -> list[tuple[tuple[int, ...], Any]]:
    number = (), np.float32
    columns = buffer.columns
    arrays = columns["observation"], columns["action"]
    return [*((array.shape[1:], array.dtype) for array in arrays), number, number]


def _contents(buffer: "ReplayBuffer", rows: np.ndarray) -> list[np.ndarray]:
    places, columns = buffer.locate(rows), buffer.columns
    names = ("observation", "action", "reward", "terminated")
    return [columns[name].take(places, axis=0) for name in names]
