"""The replay's transitions a second time, on a GPU, so that no batch has to be sent there.

The rings in host memory or on the disk stay what is saved and resumed, and what draws: a batch
holds the same transitions as without the mirror. Rows that change are sent with the next read.
"""

import numpy as np

import autograd as torch
from autograd.gpu import Records
from sac.replay.frames import joined, stacked
from sac.replay.rings import Rings, Stored

CHUNK = 65_536  # rows that are sent at once, when many have changed
AUTO_SHARE = 0.5  # of the device's free memory, which `auto` takes at most
FIELDS = ("observation", "action", "reward", "terminated")


class ReplayMirror:
    """The rows of rings on a device. MemoryError where the device has not as much memory."""

    def __init__(self, rings: Rings, device: torch.device) -> None:
        """Reserve memory for all rows; they are sent at the first read."""
        self._rings = rings
        self._records = Records(rings.rows, _fields(rings), device)

    @staticmethod
    def fits(rings: Rings, device: torch.device) -> bool:
        """Return whether it leaves a good part of the device's free memory to others."""
        row = sum(int(np.prod(shape)) * dtype.itemsize for shape, dtype in _fields(rings))
        free, _ = torch.cuda.mem_get_info(device)
        return rings.rows * row <= AUTO_SHARE * free

    def read(self, rows: np.ndarray, ends: np.ndarray | None = None) -> Stored:
        """Return what `Rings.read` does, as tensors."""
        changed = self._take_changed()
        while len(changed) > CHUNK:
            self._records.write(changed[:CHUNK], self._contents(changed[:CHUNK]))
            changed = changed[CHUNK:]
        ends = rows if ends is None else ends
        nexts, aside = self._rings.next_rows(ends)
        if self._rings.frames is not None:
            return self._read_stacks(rows, ends, nexts, aside, changed)
        observation, action, reward, terminated, next_observation = self._records.draw(
            rows, nexts, aside, changed, self._contents(changed)
        )
        return Stored(
            observation=self._unpacked(observation),
            action=action.reshape(len(rows), 1) if action.ndim == 1 else action,
            reward=reward.reshape(-1, 1),
            terminated=terminated.reshape(-1, 1),
            next_observation=self._unpacked(next_observation),
        )

    def _unpacked(self, observation: torch.Tensor) -> torch.Tensor:
        packing = self._rings.packing
        if packing is None:
            return observation
        rows = torch.empty(len(observation), packing.features, device=observation.device)
        packing.unpack_into(rows, observation, torch.float32)
        return rows

    def _read_stacks(
        self,
        rows: np.ndarray,
        ends: np.ndarray,
        nexts: np.ndarray,
        aside: np.ndarray,
        changed: np.ndarray,
    ) -> Stored:
        """Draw each frame as if it were a transition of its own."""
        frame_rows = self._rings.frame_rows(rows)
        next_rows = joined(self._rings.frame_rows(ends), nexts)
        observation, action, reward, terminated, next_observation = self._records.draw(
            np.maximum(frame_rows, 0).reshape(-1),
            np.maximum(next_rows, 0).reshape(-1),
            aside,
            changed,
            self._contents(changed),
        )
        count, newest = len(rows), slice(frame_rows.shape[1] - 1, None, frame_rows.shape[1])
        return Stored(
            observation=stacked(observation, frame_rows),
            action=action[newest].reshape(count, *(action.shape[1:] or (1,))),
            reward=reward[newest].reshape(-1, 1),
            terminated=terminated[newest].reshape(-1, 1),
            next_observation=stacked(next_observation, next_rows),
        )

    def _take_changed(self) -> np.ndarray:
        changes, self._rings.changes = self._rings.changes, []
        if changes is None:
            return self._rings.used_rows()
        return np.unique(np.array(changes, np.int64))

    def _contents(self, rows: np.ndarray) -> list[np.ndarray]:
        places, columns = self._rings.table.locate(rows), self._rings.table.columns
        return [columns[name].take(places, axis=0) for name in FIELDS]


def _fields(rings: Rings) -> list[tuple[tuple[int, ...], np.dtype]]:
    """Return shape and dtype of each field; `terminated` is read as a number."""
    arrays = [rings.table.columns[name] for name in FIELDS]
    dtypes = [*(array.dtype for array in arrays[:-1]), np.dtype(np.float32)]
    return [(array.shape[1:], dtype) for array, dtype in zip(arrays, dtypes, strict=True)]
