"""Trains the runs of a plan, each in a process of its own, and collects their results."""

import os
import queue
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sac.sweep.board import Board
from sac.sweep.plan import Plan
from sac.terminal import reports
from sac.terminal.interrupt import SAVING, SIGNAL_STATUS, SIGNALS, InterruptGuard

POLL_SECONDS = 0.2  # between looks at reports and signals
INTERRUPTED = tuple(SIGNAL_STATUS + number for number in SIGNALS)


@dataclass
class Run:
    """A training of a plan."""

    label: str  # its name on the display
    status: int | None = None  # exit status; None: not started
    run_directory: Path | None = None  # None: not known yet
    result: reports.Result | None = None  # None: the training failed

    @property
    def outcome(self) -> str:
        """Return in words how the process ended."""
        if self.status in INTERRUPTED:
            return "interrupted"
        return "done" if self.status == 0 else f"failed with exit status {self.status}"


def train_in_processes(plan: Plan) -> tuple[list[Run], int | None]:
    """Train; return the runs, and the signal that ended them early, if one did.

    The first Ctrl-C, SIGTERM or SIGHUP is passed on to every training, which ends with a
    checkpoint; a second Ctrl-C or SIGTERM ends the trainings at once. So is SIGUSR1, at which each
    saves a checkpoint. If one training fails, the others go on.
    """
    runs = [Run(label) for label in plan.commands]
    with tempfile.TemporaryDirectory(prefix="sac-reports-", ignore_cleanup_errors=True) as folder:
        supervisor = _Supervisor(plan, Board(list(plan.commands)), Path(folder))
        return runs, supervisor.train(runs)


@dataclass
class _Child:
    run: Run
    process: "subprocess.Popen[str]"
    reader: reports.Reader


class _Supervisor:
    """Starts the trainings, a few at a time, and shows what they report until all have ended."""

    def __init__(self, plan: Plan, board: Board, folder: Path) -> None:
        self._plan = plan
        self._board = board
        self._folder = folder  # of the report files
        self._children: list[_Child] = []
        # Lines that children print; None: the child prints no more.
        self._lines: queue.Queue[tuple[_Child, str | None]] = queue.Queue()

    def train(self, runs: Sequence[Run]) -> int | None:
        """Train; return the signal that ended it early, if one did."""
        waiting = list(runs)
        passed_on = False
        with InterruptGuard() as interrupt, self._board:
            try:
                while True:
                    if interrupt.received is None:
                        while waiting and len(self._children) < self._plan.workers:
                            self._start(waiting.pop(0))
                    elif not passed_on:
                        self._signal(interrupt.received)
                        passed_on = True
                    if interrupt.wants_checkpoint:
                        interrupt.wants_checkpoint = False
                        self._signal(SAVING)
                    if not self._children:
                        return interrupt.received
                    self._listen()
            finally:
                for child in self._children:
                    child.process.terminate()
                    child.process.wait()

    def _start(self, run: Run) -> None:
        file = self._folder / f"{run.label}.jsonl"
        # In a session of its own, the child does not get the terminal's Ctrl-C, which this process
        # passes on once: a second one would end the training without a checkpoint.
        process = subprocess.Popen(
            self._plan.commands[run.label],
            env={**os.environ, **self._plan.variables, reports.FILE_VARIABLE: str(file)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        child = _Child(run, process, reports.Reader(file))
        self._children.append(child)
        threading.Thread(target=self._read_lines, args=(child,), daemon=True).start()
        self._board.state(run.label, "started")

    def _read_lines(self, child: _Child) -> None:
        assert child.process.stdout is not None
        with child.process.stdout as lines:
            for line in lines:
                self._lines.put((child, line.rstrip("\n")))
        self._lines.put((child, None))

    def _listen(self) -> None:
        """Show the next printed line, if one comes soon, and all reports before it."""
        try:
            child, line = self._lines.get(timeout=POLL_SECONDS)
        except queue.Empty:
            self._read_reports()
            return
        self._read_reports()
        if line is None:
            self._finish(child)
        elif line:
            self._board.message(child.run.label, line)

    def _read_reports(self) -> None:
        for child in self._children:
            for report in child.reader.new():
                self._take(child.run, report)

    def _take(self, run: Run, report: reports.Report) -> None:
        match report:
            case reports.Started(run_directory):
                run.run_directory = Path(run_directory)
            case reports.Reached():
                self._board.reached(run.label, report)
            case reports.Result(run_directory):
                run.run_directory, run.result = Path(run_directory), report

    def _finish(self, child: _Child) -> None:
        status = child.process.wait()
        self._children.remove(child)
        child.run.status = status if status >= 0 else SIGNAL_STATUS - status
        self._board.state(child.run.label, child.run.outcome)

    def _signal(self, number: int) -> None:
        for child in self._children:
            # Before it has a run, and after its result, SIGUSR1 would kill it.
            is_training = child.run.run_directory is not None and child.run.result is None
            if number != SAVING or is_training:
                child.process.send_signal(number)
