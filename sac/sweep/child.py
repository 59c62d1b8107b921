"""A training in a process of its own, and what it tells."""

import contextlib
import math
import os
import queue
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from sac.terminal import reports
from sac.terminal.interrupt import SIGNAL_STATUS

LINE_SECONDS = 5.0  # for the last lines of a training that has ended

Event = reports.Report | str  # a report, or a line that was printed


class Child(Protocol):
    """A training that runs somewhere."""

    def new(self) -> list[Event]:
        """Return what it told since the last call; OSError where nothing is heard of it again."""
        ...

    @property
    def status(self) -> int | None:
        """Its exit status, as shells count it; None: it goes on, or has more to tell."""
        ...

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


class LocalChild:
    """A training on this machine.

    In a session of its own, it does not get the terminal's Ctrl-C, which its parent passes on once:
    a second one would end the training without a checkpoint. If the parent is killed, the training
    saves a checkpoint and ends.
    """

    def __init__(self, command: Sequence[str], variables: Mapping[str, str], file: Path) -> None:
        """Start it; `variables` of its environment, and the file that it reports into."""
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **variables, reports.FILE_VARIABLE: str(file)},
            stdin=subprocess.PIPE,  # closed when this process ends, which the child sees
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._reader = reports.Reader(file)
        self._lines: queue.Queue[str] = queue.Queue()
        self._listener = threading.Thread(target=self._read_lines, daemon=True)
        self._listener.start()
        self._ended_at = math.inf

    def _read_lines(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(line.rstrip("\n"))

    def new(self) -> list[Event]:
        """Return the reports, then the lines that are not empty."""
        return [*self._reader.new(), *filter(None, self._printed())]

    def _printed(self) -> Iterator[str]:
        with contextlib.suppress(queue.Empty):
            while True:
                yield self._lines.get_nowait()

    @property
    def status(self) -> int | None:
        """Its exit status, once it has ended and all its lines are there.

        What it has left running may hold its output open for ever: then lines are late.
        """
        if self._process.poll() is None:
            return None
        self._ended_at = min(self._ended_at, time.monotonic())
        if self._listener.is_alive() and time.monotonic() < self._ended_at + LINE_SECONDS:
            return None
        status = self._wait()
        return status if status >= 0 else SIGNAL_STATUS - status

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once."""
        self._process.terminate()
        self._wait()

    def _wait(self) -> int:
        assert self._process.stdin is not None
        status = self._process.wait()
        self._process.stdin.close()
        return status
