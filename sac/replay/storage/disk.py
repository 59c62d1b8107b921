"""A replay's rows in files that checkpoints share.

A table is divided into segments of a power of two of rows, and each segment lies in one slot of the
files. A slot that a kept checkpoint refers to is never written again: the first write into its
segment after the checkpoint moves the segment into a free slot. So a checkpoint is the list of
slots, and costs no more than the segments that were written since the one before.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sac.errors import CheckpointError
from sac.replay.storage.interface import Columns, Rows
from sac.replay.storage.segments import (
    Segment,
    TableDocument,
    describe_table,
    read_shift,
    read_table,
)
from sac.replay.storage.slots import SlotFiles

SEGMENT_BYTES = 2**18  # small beside what a checkpoint's other files take
MAX_SEGMENTS = 4096  # of which a checkpoint lists all
CLOSED = -(2**62)


class PagedTable:
    """A `Table` in the slots of files; see the module."""

    def __init__(
        self, name: str, columns: Columns, rows: int, max_rows: int, *, is_writable: bool = True
    ) -> None:
        self._shift = _shift(sum(column.row_bytes for column in columns.values()), max_rows)
        self._is_writable = is_writable
        self._slots = SlotFiles(name, columns, 1 << self._shift, is_writable=is_writable)
        self._name = name
        self._segments: list[Segment | None] = []  # closed ones, as the next checkpoint lists them
        self._slot_of = np.zeros(0, np.int64)  # by segment; -1: never written
        self._read_shift = np.zeros(0, np.int64)  # what to add to a row's number, by segment
        self._write_shift = np.zeros(0, np.int64)  # the same, or CLOSED
        self.holds: dict[int, NDArray[Any]] = {}  # the slots of each kept checkpoint
        self._is_held = np.zeros(0, np.bool_)
        self._free: list[int] = []  # the lowest last
        self._is_synced = True
        self._rows = rows
        self.clear()

    def __len__(self) -> int:
        return self._rows

    @property
    def columns(self) -> Mapping[str, NDArray[Any]]:
        return self._slots.arrays

    def has(self, rows: Rows) -> bool:
        are_rows = bool(((rows >= 0) & (rows < self._rows)).all())
        return are_rows and bool((self._slot_of[rows >> self._shift] >= 0).all())

    def locate(self, rows: Rows) -> Rows:
        return rows + self._read_shift.take(rows >> self._shift)

    def claim(self, row: int) -> int:
        segment = row >> self._shift
        if self._write_shift[segment] == CLOSED:
            self._open(segment)
        return row + int(self._write_shift[segment])

    def extend(self, rows: int) -> None:
        new = -(-rows >> self._shift) - len(self._segments)
        self._segments += [None] * new
        self._slot_of = np.append(self._slot_of, np.full(new, -1))
        self._read_shift = np.append(self._read_shift, np.zeros(new, np.int64))
        self._write_shift = np.append(self._write_shift, np.full(new, CLOSED))
        self._rows = rows

    def open(self, folder: Path) -> None:
        """Use the files of a folder, as an empty table until `load`."""
        self._folder = folder
        self._slots.open(folder)
        self.holds = {}
        self.clear()

    def clear(self) -> None:
        """Forget all rows; slots that are held stay as they are."""
        self.load(TableDocument(self._rows, [None] * -(-self._rows >> self._shift)))

    def commit(self) -> dict[str, Any]:
        """Force all rows to the disk and return what finds them again; OSError if that fails."""
        for segment in np.flatnonzero(self._write_shift != CLOSED).tolist():
            slot = int(self._slot_of[segment])
            self._segments[segment] = Segment(slot, self._slots.sha256(slot))
        self._write_shift[:] = CLOSED
        if not self._is_synced:
            self._slots.sync()
            self._is_synced = True
        return describe_table(self._slots.columns, self._shift, self._rows, self._segments)

    def load(self, document: TableDocument) -> None:
        """Take over the rows of a checkpoint of this table."""
        self._segments, self._rows = list(document.segments), document.rows
        self._slot_of = np.array([-1 if s is None else s.slot for s in self._segments], np.int64)
        shifts = (self._slot_of - np.arange(len(self._slot_of))) << self._shift
        self._read_shift = np.where(self._slot_of < 0, 0, shifts)
        self._write_shift = np.full(len(self._segments), CLOSED)
        self._find_free()

    def read(self, document: Any) -> TableDocument:
        """Check that a checkpoint's document is of such a table; CheckpointError if not."""
        shift = read_shift(document)
        if shift != self._shift and not self.holds and (self._slot_of < 0).all():
            self._shift = shift  # another version of this library may have chosen another
            self._slots = SlotFiles(
                self._name, self._slots.columns, 1 << shift, is_writable=self._is_writable
            )
            self.open(self._folder)
        return read_table(document, self._slots.columns, self._shift, self._slots.count)

    def hold(self, step: int, document: TableDocument) -> None:
        """Never write to the slots of this step's checkpoint until it is released."""
        slots = np.array([s.slot for s in document.segments if s is not None], np.int64)
        # The checkpoint of a step may be about to be replaced: then both must stay whole.
        self.holds[step] = np.append(self.holds.get(step, slots[:0]), slots)
        self._find_free()

    def release(self, steps: Iterable[int]) -> None:
        """Free the slots of checkpoints that are gone."""
        for step in steps:
            self.holds.pop(step, None)
        self._find_free()

    def _open(self, segment: int) -> None:
        slot = int(self._slot_of[segment])
        if slot < 0:
            slot = self._take_slot()
            self._slots.clear(slot)
        elif self._is_held[slot]:
            copied, slot = slot, self._take_slot()
            self._slots.copy(copied, slot)
        self._slot_of[segment] = slot
        self._segments[segment] = None
        self._read_shift[segment] = self._write_shift[segment] = (slot - segment) << self._shift
        self._is_synced = False

    def _take_slot(self) -> int:
        if not self._free:
            count = self._slots.count
            self._slots.grow(count + 1 + count // 8)
            self._is_held = np.append(self._is_held, np.zeros(self._slots.count - count, np.bool_))
            self._free = list(range(self._slots.count - 1, count - 1, -1))
        return self._free.pop()

    def _find_free(self) -> None:
        self._is_held = np.zeros(self._slots.count, np.bool_)
        for slots in self.holds.values():
            self._is_held[slots] = True
        is_used = self._is_held.copy()
        is_used[self._slot_of[self._slot_of >= 0]] = True
        self._free = np.flatnonzero(~is_used)[::-1].tolist()


def _shift(row_bytes: int, max_rows: int) -> int:
    """Return the binary logarithm of the rows of a segment."""
    wanted = max(SEGMENT_BYTES, row_bytes * max_rows // MAX_SEGMENTS)
    return min(max(0, (wanted // row_bytes).bit_length() - 1), (max_rows - 1).bit_length())


class DiskStorage:
    """A `Storage` in the files of one folder; call `open` before use."""

    def __init__(self, *, is_writable: bool = True) -> None:
        """One that is not writable serves to look at the rows of a checkpoint."""
        self._is_writable = is_writable
        self._tables: dict[str, PagedTable] = {}

    def table(self, name: str, columns: Columns, rows: int, max_rows: int) -> PagedTable:
        self._tables[name] = PagedTable(
            name, columns, rows, max_rows, is_writable=self._is_writable
        )
        return self._tables[name]

    def open(self, folder: Path) -> None:
        if self._is_writable:
            folder.mkdir(exist_ok=True)
        for table in self._tables.values():
            table.open(folder)

    def commit(self) -> dict[str, Any]:
        return {name: table.commit() for name, table in self._tables.items()}

    def load(self, document: Mapping[str, Any]) -> None:
        """Take over rows; `check_segments` has compared the slots with their checksums."""
        for table, saved in self._read(document):
            table.load(saved)

    def hold(self, step: int, document: Mapping[str, Any]) -> None:
        for table, saved in self._read(document):
            table.hold(step, saved)

    def release(self, steps: Iterable[int]) -> None:
        for table in self._tables.values():
            table.release(steps)

    def held(self) -> set[int]:
        return {step for table in self._tables.values() for step in table.holds}

    def _read(self, document: Mapping[str, Any]) -> list[tuple[PagedTable, TableDocument]]:
        if not isinstance(document, Mapping):
            raise CheckpointError(f"replay.json is damaged: no tables, but {document!r:.100}")
        return [(table, table.read(document.get(name))) for name, table in self._tables.items()]
