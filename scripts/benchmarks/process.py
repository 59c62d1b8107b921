"""Processes under measurement: workers that answer requests, and programs that run to their end."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WORKERS = Path(__file__).resolve().parent  # holds `workers`, the package that a peer's Python runs
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
OURS = "ours"


class BenchmarkError(Exception):
    """A measurement that can't be made; the message is for the user."""


@dataclass(frozen=True)
class Place:
    """Where a side runs: its Python, what that finds first, and the threads it may use.

    No number of threads leaves the choice to the side, within the processors of this process.
    """

    python: str
    path: Path
    threads: int | None
    device: str
    variables: Mapping[str, str] = field(default_factory=dict)  # of its environment, besides

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of its processes."""
        names = () if self.threads is None else THREAD_VARIABLES
        threads = dict.fromkeys(names, str(self.threads))
        jax = {"JAX_PLATFORMS": "cpu"} if self.device == "cpu" else {}
        # Bytecode is kept, as where a library is installed: else every import would compile it.
        dropped = ("PYTHONDONTWRITEBYTECODE", *THREAD_VARIABLES)
        rest = {name: value for name, value in os.environ.items() if name not in dropped}
        return rest | threads | jax | {"PYTHONPATH": str(self.path), **self.variables}


@dataclass(frozen=True)
class Finished:
    """What a program took from its start to its end."""

    seconds: float
    # Resident memory, its children's apart; at least this process's own, which it is forked from.
    peak_bytes: int
    output: str


def can_keep_to_processors() -> bool:
    """Whether this system can keep a process to some of its processors."""
    return hasattr(os, "sched_setaffinity")


def keep_to_processors(threads: int) -> None:
    """Let this process and its children run on `threads` processors: JAX has no other limit."""
    if can_keep_to_processors():
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


@contextmanager
def kept_to_processors(threads: int) -> Iterator[None]:
    """The same for as long as the context lasts."""
    before = os.sched_getaffinity(0) if can_keep_to_processors() else set()
    keep_to_processors(threads)
    try:
        yield
    finally:
        if before:
            os.sched_setaffinity(0, before)


def python_path(text: str) -> str:
    """Return the path of a Python as it is from any folder; a bare name is to be searched for."""
    # Not resolved: an environment's Python is a link to another.
    return os.path.abspath(text) if os.path.dirname(text) else text


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_program(place: Place, arguments: Sequence[str], folder: Path) -> Finished:
    """Run Python with `arguments` in `folder`; BenchmarkError with its last words if it fails."""
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        start = time.perf_counter()
        child = _start(
            place, arguments, folder, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
        )
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:  # interrupted: nothing goes on in the background
            child.kill()
            child.wait()
            raise
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        stdout.seek(0)
        stderr.seek(0)
        if child.returncode != 0:
            raise BenchmarkError(f"{place.python} {' '.join(arguments)}: {_end_of(stderr.read())}")
        unit = 1 if sys.platform == "darwin" else 1024
        return Finished(seconds, usage.ru_maxrss * unit, stdout.read())


class Worker:
    """A process that keeps a side's works prepared and measures them on request."""

    def __init__(self, name: str, place: Place, arguments: Sequence[str], folder: Path) -> None:
        """Start it in `folder`; `arguments` are those of its Python."""
        self.name = name
        pipe = subprocess.PIPE
        self._process = _start(place, arguments, folder, stdin=pipe, stdout=pipe)

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def prepare(self, key: str, work: str, arguments: Mapping[str, Any]) -> None:
        """Build a work under a key."""
        self._ask(do="prepare", key=key, work=work, arguments=dict(arguments))

    def measure(self, key: str, calls: int) -> float:
        """Return the seconds that `calls` calls take together."""
        return float(self._ask(do="measure", key=key, calls=calls)["seconds"])

    def measure_each(self, key: str, calls: int) -> list[float]:
        """Return the seconds of each of `calls` calls, one after the other."""
        seconds: list[float] = self._ask(do="measure each", key=key, calls=calls)["seconds"]
        return seconds

    def examine(self, key: str) -> dict[str, Any]:
        """Return what else the work tells of itself."""
        return self._ask(do="examine", key=key)

    def forget(self, key: str) -> None:
        """Free a work."""
        self._ask(do="forget", key=key)

    def versions(self) -> dict[str, str]:
        """Return the versions of the libraries that matter."""
        versions: dict[str, str] = self._ask(do="describe")["versions"]
        return versions

    def _ask(self, **request: Any) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            reply: dict[str, Any] = json.loads(self._process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError):
            raise BenchmarkError(
                f"the process of {self.name} ended: its message stands above. Is the library "
                "installed in the environment that was given? --help tells how to make one."
            ) from None
        if "error" in reply:
            raise BenchmarkError(f"{self.name}: {reply['error']}")
        return reply


def _start(
    place: Place, arguments: Sequence[str], folder: Path, **streams: Any
) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            [place.python, *arguments], cwd=folder, env=place.environment, text=True, **streams
        )
    except OSError as error:
        raise BenchmarkError(
            f"{place.python} is no Python that can be run ({error.strerror}): expected the path of "
            "one in an environment of its own; --help tells how to make it"
        ) from None


def _end_of(text: str) -> str:
    return " | ".join(text.strip().splitlines()[-3:]) or "it failed without a message"
