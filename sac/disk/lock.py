"""A lock: one process at a time writes to a run's folder."""

import json
import os
import socket
from pathlib import Path
from typing import IO, Self

from sac.disk import files
from sac.disk.encoding import encode_document
from sac.errors import SACError

try:
    import fcntl
except ImportError:  # Windows: the file only says who writes
    fcntl = None  # type: ignore[assignment]

LOCK_FILE = "run.lock"


class RunLock:
    """Locks a run's folder, or a sweep's, for as long as the `with` block lasts.

    The operating system releases the lock when the process ends, however it ends, so a killed run
    can be resumed at once. The file says which host and process hold it. SACError if another
    process holds the lock, or the folder can't be written to.
    """

    def __init__(self, directory: Path, writer: str = "training") -> None:
        self._path, self._writer = directory / LOCK_FILE, writer
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            file = open(self._path, "ab+", opener=files.open_no_link)
        except OSError as error:
            raise SACError(f"Can't write into '{self._path.parent}': {error.strerror}.") from error
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = _read(file)
            file.close()
            raise SACError(
                f"'{self._path.parent}' is in use: a {self._writer} writes into it {holder}. "
                f"Stop that {self._writer} first, or wait until it ends."
            ) from error
        owner = encode_document({"host": socket.gethostname(), "pid": os.getpid()})
        file.truncate(0)
        file.write(owner)
        file.flush()
        self._file = file
        return self

    def __exit__(self, *exception: object) -> None:
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    try:
        owner = json.loads(file.read(1000))
        return f"on host {owner['host']!s:.100} as process {owner['pid']!s:.20}"
    except (ValueError, KeyError, TypeError):
        return "(it does not say where)"
