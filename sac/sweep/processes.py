"""Trains runs, each in a process of its own, and shows what they report."""

import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sac.sweep.board import Board
from sac.sweep.child import Child, Event, LocalChild
from sac.sweep.plan import Plan
from sac.terminal import reports
from sac.terminal.interrupt import SAVING, SIGNAL_STATUS, SIGNALS, InterruptGuard

POLL_SECONDS = 0.1  # between looks at reports and signals
LOST = -1  # the status of a training that nothing is heard of any more
INTERRUPTED = tuple(SIGNAL_STATUS + number for number in SIGNALS)


@dataclass
class Run:
    """A training."""

    label: str  # its name on the display
    status: int | None = None  # exit status; None: not started
    run_directory: Path | None = None  # None: not known yet
    result: reports.Result | None = None  # None: the training failed
    command: tuple[str, ...] = field(default=(), compare=False)

    @property
    def outcome(self) -> str:
        """Return in words how the process ended."""
        if self.status in INTERRUPTED:
            return "interrupted"
        return "done" if self.status == 0 else f"failed with exit status {self.status}"


class Jobs(Protocol):
    """Which trainings there are, and what becomes of what they report."""

    def next(self) -> Run | None:
        """Return a training to start now; None: there is none for the time being."""
        ...

    def reported(self, run: Run, report: reports.Report) -> None:
        """Hear what a training reports."""
        ...

    def is_over(self, run: Run) -> bool:
        """Return whether a training that goes on is to end early, with a checkpoint."""
        ...

    def ended(self, run: Run) -> str:
        """Hear that a training has ended; return in words how."""
        ...


def train_in_processes(plan: Plan) -> tuple[list[Run], int | None]:
    """Train; return the runs, and the signal that ended them early, if one did.

    The first Ctrl-C, SIGTERM or SIGHUP is passed on to every training, which ends with a
    checkpoint; a second Ctrl-C or SIGTERM ends the trainings at once. So is SIGUSR1, at which each
    saves a checkpoint. If one training fails, the others go on.
    """
    runs = [Run(label, command=tuple(command)) for label, command in plan.commands.items()]
    with local_start(plan.variables) as start:
        board = Board(list(plan.commands))
        return runs, Supervisor(_Fixed(iter(runs)), board, plan.workers, start).train()


@dataclass
class _Fixed:
    """Trainings that are known from the beginning, one after the other."""

    runs: Iterator[Run]

    def next(self) -> Run | None:
        return next(self.runs, None)

    def reported(self, run: Run, report: reports.Report) -> None: ...

    def is_over(self, run: Run) -> bool:
        return False

    def ended(self, run: Run) -> str:
        return run.outcome


Start = Callable[[Run], Child]


@contextmanager
def local_start(variables: Mapping[str, str]) -> Iterator[Start]:
    """Give, for as long as the block lasts, what starts a run on this machine."""
    with tempfile.TemporaryDirectory(prefix="sac-reports-", ignore_cleanup_errors=True) as folder:
        yield lambda run: LocalChild(run.command, variables, Path(folder) / f"{run.label}.jsonl")


class Supervisor:
    """Starts trainings, a few at a time, and shows what they report until all have ended."""

    def __init__(self, jobs: Jobs, board: Board, workers: int, start: Start) -> None:
        """`workers`: trainings at a time."""
        self._jobs, self._board = jobs, board
        self._workers, self._begin = workers, start
        self._children: list[tuple[Run, Child]] = []
        self._ending: set[str] = set()  # labels of those that are told to end: once, or they'd die

    def train(self) -> int | None:
        """Train; return the signal that ended it early, if one did."""
        has_passed_on = False
        with InterruptGuard() as interrupt, self._board:
            try:
                while True:
                    if interrupt.received is None:
                        self._start()
                    elif not has_passed_on:
                        self._signal(interrupt.received)
                        has_passed_on = True
                    if interrupt.wants_checkpoint:
                        interrupt.wants_checkpoint = False
                        self._signal(SAVING)
                    if not self._children:
                        return interrupt.received
                    self._listen()
            finally:
                for _, child in self._children:
                    child.kill()

    def _start(self) -> None:
        while len(self._children) < self._workers and (run := self._jobs.next()) is not None:
            self._children.append((run, self._begin(run)))
            self._board.state(run.label, "started")

    def _listen(self) -> None:
        """Wait a little, and take all that has come since."""
        time.sleep(POLL_SECONDS)
        for run, child in list(self._children):
            try:
                status = child.status  # first: what was told before it ended comes below
                for event in child.new():
                    self._take(run, event)
            except OSError as error:
                self._board.message(run.label, str(error))
                status = LOST
            if status is not None:
                self._finish(run, child, status)
            elif run.label not in self._ending and self._jobs.is_over(run):
                self._ending.add(run.label)
                child.send_signal(signal.SIGTERM)

    def _take(self, run: Run, event: Event) -> None:
        match event:
            case str():
                self._board.message(run.label, event)
                return
            case reports.Started(run_directory):
                run.run_directory = Path(run_directory)
            case reports.Reached():
                self._board.reached(run.label, event)
            case reports.Result(run_directory):
                run.run_directory, run.result = Path(run_directory), event
        self._jobs.reported(run, event)

    def _finish(self, run: Run, child: Child, status: int) -> None:
        self._children.remove((run, child))
        self._ending.discard(run.label)
        run.status = status
        self._board.ended(run.label, self._jobs.ended(run))

    def _signal(self, number: int) -> None:
        for run, child in self._children:
            # Before it has a run, and after its result, SIGUSR1 would kill it.
            is_training = run.run_directory is not None and run.result is None
            if number != SAVING or is_training:
                child.send_signal(number)
