"""Reports of a training to the process that started it, each a line of JSON in a file."""

import json
import os
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

FILE_VARIABLE = "SAC_REPORT_FILE"  # set by the process that reads the reports


@dataclass(frozen=True)
class Started:
    """The run has its directory."""

    run_directory: str


@dataclass(frozen=True)
class Reached:
    """The run has reached this step; `sac.terminal.progress` explains the `numbers`."""

    step: int
    total_steps: int
    numbers: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluated:
    """The run has evaluated its policy."""

    step: int
    mean_return: float


@dataclass(frozen=True)
class Result:
    """The end of a training, with the returns of the last evaluation, and the best mean return."""

    run_directory: str
    step: int
    total_steps: int
    findings: int = 0
    mean_return: float | None = None
    std_return: float | None = None
    episodes: int = 0
    has_reached_goal: bool = False  # train.stop_at_return
    evaluated_step: int | None = None
    best_return: float | None = None


Report = Started | Reached | Evaluated | Result
KINDS: dict[str, type[Report]] = {
    kind.__name__: kind for kind in (Started, Reached, Evaluated, Result)
}


def is_read() -> bool:
    """Return whether the process that started this one reads reports."""
    return FILE_VARIABLE in os.environ


def end_with_reader() -> None:
    """End this process, as SIGTERM does, when the one that reads its reports is gone.

    That one keeps this one's standard input open, and writes nothing to it.
    """
    if is_read() and stat.S_ISFIFO(os.fstat(0).st_mode):
        threading.Thread(target=_wait_for_end, daemon=True).start()


def _wait_for_end() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def send(report: Report) -> None:
    """Report to the process that started this one, if it reads reports."""
    if not is_read():
        return
    line = json.dumps({"kind": type(report).__name__, **asdict(report)}) + "\n"
    # The training goes on even if the reader has left or the disk is full.
    with suppress(OSError), open(os.environ[FILE_VARIABLE], "ab", buffering=0) as file:
        file.write(line.encode())


class Reader:
    """Reads reports from a file that is still being written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0

    def new(self) -> Iterator[Report]:
        """Yield the reports since the last call; an unfinished line is left for the next call."""
        if not self._path.exists():
            return
        with open(self._path, "rb") as file:
            file.seek(self._position)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._position += len(line)
                if (report := _decoded(line)) is not None:
                    yield report


def _decoded(line: bytes) -> Report | None:
    """Return the report in a line; None if the line is damaged, as by a full disk."""
    try:
        document = json.loads(line)
        return KINDS[document.pop("kind")](**document)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
