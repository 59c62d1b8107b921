"""Trackers such as wandb and mlflow, to which a run's numbers go beside its own files.

Each works in a thread of its own, as it may be slow, hang or fail: a run goes on without it.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from queue import Full, Queue
from typing import Any, Protocol, Self

from sac.config import Config
from sac.disk.files import replace_file
from sac.errors import ConfigError, install_command, told
from sac.metrics.pages import hparams

MODULES = {"wandb": "sac.metrics.wandb_run", "mlflow": "sac.metrics.mlflow_run"}
WAITING = 10_000  # rows of numbers that one may be behind by
AT_ONCE = 50  # rows; each call of MLflow takes ten milliseconds or more, however few there are
CLOSE_SECONDS = 60.0  # that a run waits for one at its end
QUIET_SECONDS = 2.0  # of these, before the user is told

Row = tuple[int, Mapping[str, float]]  # a step, and numbers by TensorBoard's tags


class TrackedRun(Protocol):
    """A run in a tracker; `MODULES` open one by (parameters, name, identity or None)."""

    identity: str  # by which a resumed run goes on with it
    place: str  # where the user finds it

    def log(self, rows: Sequence[Row]) -> None:
        """Show numbers over their steps, which may be earlier ones again."""

    def close(self, *, is_failed: bool) -> None:
        """Send what is left, and mark the run as ended."""


def check_installed(names: Sequence[str]) -> None:
    """Raise ConfigError for a tracker that is not installed."""
    for name in names:
        spec = find_spec(name)
        if spec is None or spec.origin is None:  # a folder, such as wandb leaves one
            raise ConfigError(
                f"logging.also: {name} is not installed: {install_command(name)}, or leave it out"
            )


class Trackers:
    """The trackers of `logging.also`, for as long as the `with` block lasts.

    `tell` shows a line to the user: where a run is found, and, once for each, what failed.
    """

    def __init__(self, config: Config, run_directory: Path, tell: Callable[[str], None]) -> None:
        names = dict.fromkeys(config.logging.also)
        self._trackers = [_Tracker(name, config, run_directory, tell) for name in names]

    def log(self, step: int, numbers: Mapping[str, float]) -> None:
        """Hand on numbers by tag; this takes no time, and never fails."""
        for tracker in self._trackers:
            tracker.log(step, numbers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        is_failed = kind is not None and kind is not GeneratorExit
        for tracker in self._trackers:
            tracker.end(is_failed=is_failed)
        for tracker in self._trackers:
            tracker.wait()


class _Tracker:
    def __init__(
        self, name: str, config: Config, run_directory: Path, tell: Callable[[str], None]
    ) -> None:
        self._name, self._tell = name, tell
        self._run_name = run_directory.resolve().name
        self._parameters = hparams(config)
        self._identity_file = run_directory / f"{name}.id"
        self._waiting: Queue[Row | None] = Queue(WAITING)
        self._is_failed = self._has_left = False
        # What the thread has to tell, by the others' thread, which may be drawing.
        self._place: str | None = None
        self._fault: str | None = None
        self._thread = threading.Thread(target=self._work, daemon=True, name=f"sac-{name}")
        self._thread.start()

    def log(self, step: int, numbers: Mapping[str, float]) -> None:
        self._tell_news()
        if not self._has_left:
            try:
                self._waiting.put_nowait((step, numbers))
            except Full:
                self._leave(f"it is {WAITING:,} rows behind")

    def end(self, *, is_failed: bool) -> None:
        self._is_failed = is_failed
        with suppress(Full):
            self._waiting.put_nowait(None)

    def wait(self) -> None:
        if not self._has_left:
            self._thread.join(QUIET_SECONDS)
            if self._thread.is_alive():
                self._tell(f"{self._name}: waiting up to {CLOSE_SECONDS:g} s for its last numbers")
                self._thread.join(CLOSE_SECONDS - QUIET_SECONDS)
            if self._thread.is_alive():
                self._leave("it has not taken the last numbers")
        self._tell_news()

    def _leave(self, reason: str) -> None:
        """Give it no more; its thread may hang, and ends with the process."""
        self._has_left = True
        self._tell(f"{self._name}: {reason}; nothing in this run depends on it (logging.also)")

    def _tell_news(self) -> None:
        if self._place is not None:
            self._tell(f"{self._name}: {self._place}")
            self._place = None
        if self._fault is not None and not self._has_left:
            self._leave(self._fault)

    def _work(self) -> None:
        try:
            run = self._opened()
            for rows in self._rows():
                run.log(rows)
            run.close(is_failed=self._is_failed)
        except BaseException as error:  # of others, and in their thread nobody else would see it
            self._fault = told(error)

    def _rows(self) -> Iterator[list[Row]]:
        """Yield what is waiting, as it comes, until the end."""
        is_open = True
        while is_open:
            taken = [self._waiting.get()]
            while len(taken) < AT_ONCE and not self._waiting.empty():
                taken.append(self._waiting.get())
            is_open = taken[-1] is not None
            yield [row for row in taken if row is not None]

    def _opened(self) -> TrackedRun:
        identity: str | None = None
        with suppress(FileNotFoundError):
            identity = self._identity_file.read_text(encoding="utf-8").strip() or None
        run: Any = import_module(MODULES[self._name]).Run(
            self._parameters, self._run_name, identity
        )
        replace_file(self._identity_file, f"{run.identity}\n".encode())
        self._place = run.place
        return run
