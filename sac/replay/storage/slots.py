"""The replay's files: one for each column, made of slots of equal size, mapped into memory.

A file is a pool of slots. Only a checkpoint's `replay.json` says which slot holds what.
"""

import hashlib
import mmap
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sac.disk import files
from sac.errors import SACError
from sac.replay.storage.interface import Columns


def column_path(folder: Path, table: str, column: str) -> Path:
    """Return the file of a column of a table."""
    return folder / f"{table}-{column}.bin"


class SlotFiles:
    """The slots of one table; `arrays` holds its columns, slot after slot.

    When the disk is full or the files are gone, the slots move into memory. The next `sync` that
    finds room moves them back.
    """

    def __init__(
        self, table: str, columns: Columns, slot_rows: int, *, is_writable: bool = True
    ) -> None:
        """`is_writable`: what is written reaches the files; else it stays in memory."""
        self.columns = columns
        self.slot_rows = slot_rows
        self.count = 0
        self.arrays: dict[str, NDArray[Any]] = {
            name: np.zeros((0, *column.shape), column.dtype) for name, column in columns.items()
        }
        self._table = table
        self._is_writable = is_writable
        self._folder: Path | None = None
        self._maps: dict[str, mmap.mmap] = {}
        self._identities: dict[str, tuple[int, int]] = {}

    def open(self, folder: Path) -> None:
        """Use the files of a folder; all slots in them are free."""
        self._folder = folder
        sizes = [
            path.stat().st_size // self._slot_bytes(name) if path.is_file() else 0
            for name, path in self._paths().items()
        ]
        self._map(min(sizes))

    def grow(self, count: int) -> None:
        """Make room for this many slots, in memory where the disk is full."""
        if self.is_on_disk:
            try:
                self._reserve(count)
                self._map(count)
                return
            except OSError:
                pass  # `sync` will tell, when a checkpoint is to be saved
        self._move_into_memory(count)

    @property
    def is_on_disk(self) -> bool:
        """Return whether the slots lie in the files, and not in memory."""
        return not self.count or bool(self._maps)

    def sync(self) -> None:
        """Force every slot to the disk; OSError if that fails."""
        if self._maps and not self._are_in_place():
            self._move_into_memory(self.count)
        if not self.is_on_disk:
            self._move_onto_disk()
        for name, path in self._paths().items():
            if name in self._maps:
                files.sync_map(path, self._maps[name])

    def copy(self, source: int, target: int) -> None:
        """Copy a slot."""
        for array in self.arrays.values():
            array[self._rows(target)] = array[self._rows(source)]

    def clear(self, slot: int) -> None:
        """Fill a slot with zeros."""
        for array in self.arrays.values():
            array[self._rows(slot)] = 0

    def sha256(self, slot: int) -> str:
        """Return the SHA-256 of a slot: of its part of each column, one after the other."""
        digest = hashlib.sha256()
        for array in self.arrays.values():
            digest.update(array[self._rows(slot)].data.cast("B"))
        return digest.hexdigest()

    def _rows(self, slot: int) -> slice:
        return slice(slot * self.slot_rows, (slot + 1) * self.slot_rows)

    def _slot_bytes(self, name: str) -> int:
        return self.slot_rows * self.columns[name].row_bytes

    def _paths(self) -> dict[str, Path]:
        assert self._folder is not None, "the storage was not opened"
        return {name: column_path(self._folder, self._table, name) for name in self.columns}

    def _reserve(self, count: int) -> None:
        for name, path in self._paths().items():
            files.reserve(path, count * self._slot_bytes(name))

    def _map(self, count: int) -> None:
        maps, arrays = {}, {}
        for name, path in self._paths().items():
            column = self.columns[name]
            shape = (count * self.slot_rows, *column.shape)
            if count:
                size = count * self._slot_bytes(name)
                maps[name] = files.map_file(path, size, is_writable=self._is_writable)
                arrays[name] = np.frombuffer(maps[name], column.dtype).reshape(shape)
            else:
                arrays[name] = np.zeros(shape, column.dtype)
        self._identities = {name: _identity(path) for name, path in self._paths().items() if count}
        self._maps, self.arrays, self.count = maps, arrays, count

    def _are_in_place(self) -> bool:
        """Return whether the mapped files are still those in the folder."""
        try:
            return self._identities == {n: _identity(path) for n, path in self._paths().items()}
        except OSError:
            return False

    def _move_into_memory(self, count: int) -> None:
        try:
            moved = {
                name: np.zeros((count * self.slot_rows, *column.shape), column.dtype)
                for name, column in self.columns.items()
            }
        except MemoryError as error:
            raise SACError(
                f"The replay can grow neither on the disk nor in memory ({error}). Make room on "
                f"the disk of '{self._folder}' and resume the run."
            ) from error
        for name, array in self.arrays.items():
            moved[name][: len(array)] = array
        self._maps, self.arrays, self.count = {}, moved, count

    def _move_onto_disk(self) -> None:
        moved = self.arrays
        self._reserve(self.count)
        self._map(self.count)
        for name, array in moved.items():
            self.arrays[name][:] = array


def _identity(path: Path) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino
