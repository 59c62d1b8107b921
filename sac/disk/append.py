"""A file that grows by whole pieces, and retries those that a full disk refused."""

import os
from pathlib import Path

from sac.disk import files


class AppendedFile:
    """Appends pieces to a file, which never ends in the middle of one.

    A piece that cannot be written raises OSError, and is written before the next one. The mode is
    "xb" for a new file, or "r+b" for an old one, whose last piece has `last_size` bytes.
    """

    def __init__(self, path: Path, mode: str = "xb", *, last_size: int = 0) -> None:
        self._path = path
        self._file = open(path, mode, buffering=0)
        self._size = os.fstat(self._file.fileno()).st_size
        self._last_size = last_size
        self._unwritten: list[bytes] = []

    def append(self, piece: bytes) -> None:
        """Write a piece at the end."""
        self._unwritten.append(piece)
        self._write()

    def replace_last(self, piece: bytes) -> None:
        """Write a piece over the last one."""
        if self._unwritten:
            self._unwritten[-1] = piece
        else:
            self._size -= self._last_size
            self._unwritten.append(piece)
        self._write()

    def flush(self) -> None:
        """Force all pieces to the disk."""
        self._write()
        files.sync_file(self._path)

    def close(self) -> None:
        """Write what is left and close the file; a second time does nothing."""
        if self._file.closed:
            return
        with self._file:
            self._write()

    def _write(self) -> None:
        data = b"".join(self._unwritten)
        files.write_end(self._file, self._size, data)
        if self._unwritten:
            self._size += len(data)
            self._last_size = len(self._unwritten[-1])
            self._unwritten.clear()
