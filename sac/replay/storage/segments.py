"""A checkpoint's description of the replay's rows in files beside it.

`replay.json` holds, for each table, its columns (little-endian arrays) and for each segment of
`segment_rows` rows the slot that it lies in and the SHA-256 of it, or null if it was never written.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from sac.disk.encoding import file_size, unreadable
from sac.errors import CheckpointError
from sac.replay.storage.interface import Column, Columns
from sac.replay.storage.slots import column_path

BLOCK = 2**20
MAX_SHIFT = 40
DTYPE = re.compile(r"[<|][biuf][1248]")
NAME = re.compile(r"[a-z_]{1,40}")


class Segment(NamedTuple):
    """Where a segment lies, and what it holds."""

    slot: int
    sha256: str


class TableDocument(NamedTuple):
    """A table of a checkpoint."""

    rows: int
    segments: Sequence[Segment | None]


def describe_table(
    columns: Columns, shift: int, rows: int, segments: Sequence[Segment | None]
) -> dict[str, Any]:
    """Return the JSON document of a table."""
    return {
        "rows": rows,
        "segment_rows": 1 << shift,
        "columns": _describe_columns(columns),
        "segments": [segment and list(segment) for segment in segments],
    }


def read_table(document: Any, columns: Columns, shift: int, slots: int) -> TableDocument:
    """Read the document of a table in files of so many slots; CheckpointError for a wrong one."""
    with _damage_reported():
        found = document["columns"], document["segment_rows"]
        expected = _describe_columns(columns), 1 << shift
        if found != expected:
            raise CheckpointError(f"the replay does not fit: expected {expected}, got {found}")
        return _segments(document, shift, slots)


@contextmanager
def _damage_reported() -> Iterator[None]:
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise CheckpointError(f"replay.json is damaged: {error!r}") from error


def check_segments(folder: Path, tables: Any) -> None:
    """Compare all segments of a checkpoint with their checksums; CheckpointError for damage."""
    if not isinstance(tables, dict):
        raise CheckpointError(f"replay.json is damaged: expected tables, got {tables!r:.100}")
    for name, document in tables.items():
        with _damage_reported():
            columns, shift = _read_columns(document), read_shift(document)
            if not NAME.fullmatch(name) or not all(NAME.fullmatch(column) for column in columns):
                raise ValueError("a name that no file of the replay has")
            segments = _segments(document, shift, slots=2**62).segments
        used = [segment for segment in segments if segment is not None]
        if used:
            _check_table(folder, name, {n: c.row_bytes << shift for n, c in columns.items()}, used)


def _check_table(
    folder: Path, table: str, slot_bytes: Mapping[str, int], segments: Sequence[Segment]
) -> None:
    paths = {column: column_path(folder, table, column) for column in slot_bytes}
    needed = 1 + max(segment.slot for segment in segments)
    for column, path in paths.items():  # of all, before anything is read
        size, expected = file_size(path), needed * slot_bytes[column]
        if size < expected:
            raise CheckpointError(f"'{path}' is damaged: expected {expected} bytes, found {size}.")
    try:
        with ExitStack() as stack:
            files = {name: stack.enter_context(open(path, "rb")) for name, path in paths.items()}
            for segment in segments:
                digest = hashlib.sha256()
                for column, file in files.items():
                    _hash(digest, file, segment.slot * slot_bytes[column], slot_bytes[column])
                if digest.hexdigest() != segment.sha256:
                    raise CheckpointError(
                        f"'{folder}' is damaged: slot {segment.slot} of the files {table}-*.bin "
                        "does not match its checksum in replay.json."
                    )
    except OSError as error:
        raise unreadable(folder, error) from error


def _hash(digest: Any, file: BinaryIO, start: int, size: int) -> None:
    file.seek(start)
    for at in range(0, size, BLOCK):
        digest.update(file.read(min(BLOCK, size - at)))


def _segments(document: Any, shift: int, slots: int) -> TableDocument:
    rows, listed = _whole(document["rows"]), document["segments"]
    if not isinstance(listed, list) or len(listed) != -(-rows >> shift):
        raise ValueError(f"{rows} rows need another number of segments")
    segments = [None if entry is None else _segment(entry) for entry in listed]
    used = [segment.slot for segment in segments if segment is not None]
    if len(set(used)) != len(used) or any(slot >= slots for slot in used):
        raise ValueError("a slot that two segments share, or that no file has")
    return TableDocument(rows, segments)


def _segment(entry: Any) -> Segment:
    slot, sha256 = entry
    return Segment(_whole(slot), str(sha256))


def _describe_columns(columns: Columns) -> dict[str, Any]:
    return {
        name: {"dtype": column.dtype.str, "shape": list(column.shape)}
        for name, column in columns.items()
    }


def _read_columns(document: Any) -> dict[str, Column]:
    columns = {}
    for name, entry in document["columns"].items():
        if not DTYPE.fullmatch(entry["dtype"]):
            raise ValueError(f"expected a number's dtype, got {entry['dtype']!r}")
        shape = tuple(_whole(size) for size in entry["shape"])
        columns[name] = Column(shape, np.dtype(entry["dtype"]))
    return columns


def read_shift(document: Any) -> int:
    """Return the binary logarithm of the rows of a segment; CheckpointError for a wrong one."""
    with _damage_reported():
        segment_rows = _whole(document["segment_rows"])
        shift = segment_rows.bit_length() - 1
        if segment_rows != 1 << max(shift, 0) or shift > MAX_SHIFT:
            raise ValueError(f"expected a power of two as segment_rows, got {segment_rows}")
        return shift


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**62:
        raise ValueError(f"expected a whole number, got {value!r}")
    return value
