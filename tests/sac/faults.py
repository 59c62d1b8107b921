"""A layer of faults over `sac.disk.files`, which writes all that a run must not lose."""

import errno
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sac.disk import files

OPERATIONS = (
    "write_file",
    "write_end",
    "sync_file",
    "sync_folder",
    "sync_map",
    "reserve",
    "map_file",
    "rename",
    "remove_folder",
)
# What a full disk, an exhausted quota or a folder without permission refuse.
WRITES = ("write_file", "write_end", "reserve")


class Faults:
    """Counts the file operations while it is installed, and lets `fault` act on each of them.

    `fault(number, name, half)` comes before operation `number` (from 1); `half()` does it by half.
    """

    def __init__(self, fault: Callable[[int, str, Callable[[], None]], None]) -> None:
        self.fault = fault
        self.done: list[str] = []

    @contextmanager
    def installed(self) -> Iterator["Faults"]:
        with pytest.MonkeyPatch.context() as monkeypatch:
            for name in OPERATIONS:
                monkeypatch.setattr(files, name, self._wrapped(name, getattr(files, name)))
            yield self

    def _wrapped(self, name: str, operation: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **keys: Any) -> Any:
            self.done.append(name)
            self.fault(len(self.done), name, lambda: by_half(name, *args))
            return operation(*args, **keys)

        return run


def by_half(name: str, *args: Any) -> None:
    """What a write leaves that is cut off in its middle."""
    if name == "write_file":
        path, data = args
        path.write_bytes(data[: len(data) // 2])
    elif name == "write_end":
        file, start, data = args
        file.seek(start)
        file.write(data[: len(data) // 2])


def no_fault(number: int, name: str, half: Callable[[], None]) -> None:
    """Let everything pass."""


def failing(at: int, error: int = errno.ENOSPC) -> Faults:
    """The operation of this number fails, a write after half of it."""

    def fault(number: int, name: str, half: Callable[[], None]) -> None:
        if number == at:
            half()
            raise OSError(error, os.strerror(error))

    return Faults(fault)


def killing(at: int, *, halfway: bool = False) -> Faults:
    """The process is killed before the operation of this number, or halfway through it."""

    def fault(number: int, name: str, half: Callable[[], None]) -> None:
        if number == at:
            if halfway:
                half()
            os.kill(os.getpid(), signal.SIGKILL)

    return Faults(fault)


class Disk:
    """Refuses every write while `error` is set, the first one after half of it."""

    def __init__(self) -> None:
        self.error: int | None = None
        self.faults = Faults(self._fault)

    def _fault(self, number: int, name: str, half: Callable[[], None]) -> None:
        if self.error is not None and name in WRITES:
            raise OSError(self.error, os.strerror(self.error))


def in_a_process_of_its_own(work: Callable[[], None]) -> int:
    """Do the work in a fork of this process; return the status it ended with, -9 if killed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)  # without what pytest does at the end
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def tree(folder: Path) -> list[str]:
    """All paths below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
