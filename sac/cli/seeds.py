"""Training of several seeds side by side, each in a process of its own."""

import os
import queue
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sac.cli.parser import CommandParser, value_type
from sac.config import Config
from sac.config.fields import count
from sac.config.schema import SEED_LIMIT
from sac.errors import ConfigError, SACError

FOLDER_LINE = "Run directory: "  # the first line of `sac.terminal.progress.print_summary`
FIGURE_FILE = "seeds.png"
NEXT_LINE = "Next:"  # the one before the commands that go on
POLL_SECONDS = 0.2  # until a signal is passed on
SIGNAL_STATUS = 128  # what shells add to the number of the signal that ended a program
BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
OPTIONS = ("--seeds", "--workers")


def add_seeds_options(parser: CommandParser) -> None:
    """Add the options by which one command trains several seeds."""
    parser.add_argument(
        "--seeds",
        type=_seeds,
        metavar="N,N,...",
        help="Train each of these seeds in a process of its own, and draw the figure of them all.",
    )
    parser.add_argument(
        "--workers",
        type=value_type("--workers", int, count("Trainings at a time.", at_most=1000)),
        metavar="N",
        help="With --seeds, how many train at a time. (default: as many as there are processors)",
    )


def _seeds(text: str) -> list[int]:
    one = value_type("--seeds", int, count("Seed.", at_least=0, at_most=SEED_LIMIT))
    seeds = [one(part) for part in text.split(",")]
    if repeated := {seed for seed in seeds if seeds.count(seed) > 1}:
        raise ConfigError(f"--seeds: {min(repeated)} is there more than once")
    return seeds


@dataclass
class _Run:
    """The training of one seed, and what it said."""

    seed: int
    process: "subprocess.Popen[str] | None" = None
    status: int | None = None  # of its exit
    summary: list[str] = field(default_factory=list)  # the lines at its end

    @property
    def label(self) -> str:
        return f"seed {self.seed}"

    @property
    def folder(self) -> Path | None:
        """Where the run lies, once that is known."""
        if not self.summary:
            return None
        (path,) = shlex.split(self.summary[0].removeprefix(FOLDER_LINE))
        return Path(path)

    def report(self) -> str:
        """Return how it ended, and how to go on where it was cut short."""
        if self.status is None:
            return f"{self.label}: not started"
        if not self.summary:
            return f"{self.label}: failed with exit status {self.status}"
        own = self.summary[: self.summary.index(NEXT_LINE)]
        text = f"{self.label}: {'; '.join(own)}"
        return text if self.status == 0 else f"{text}\n  {self.summary[-1].strip()}"


def train_seeds(
    config: Config, seeds: Sequence[int], workers: int | None, argv: Sequence[str], prog: str
) -> int:
    """Train `config` once for each seed and return the exit status.

    The first Ctrl-C or SIGTERM is passed on to every training, which ends with a checkpoint. A
    training that fails leaves the others alone; the status is that of the first one that did.

    Args:
        config: Checked here, read again by each process.
        seeds: At least one.
        workers: Processes at a time; None: one for each processor.
        argv: What the train command was given.
        prog: The name that it was called by.
    """
    for seed in seeds:
        config.merged({"seed": seed})
    processors = _processors()
    workers = min(len(seeds), processors if workers is None else workers)
    runs = [_Run(seed) for seed in seeds]
    command = [*_this_program(prog), *_without_seeds(argv)]
    environment = dict(os.environ)
    for name in BLAS_THREADS:  # or the threads of the processes wait for one another
        environment.setdefault(name, str(max(1, processors // workers)))
    interrupted_by = _Supervisor(runs, command, environment, workers).run()
    print(*(run.report() for run in runs), sep="\n")
    if interrupted_by is not None:
        return SIGNAL_STATUS + interrupted_by
    _draw([run for run in runs if run.folder is not None])
    return next((run.status for run in runs if run.status), 0)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _this_program(prog: str) -> list[str]:
    own = [sys.argv[0]] if prog.endswith(".py") else ["-m", "sac", "train"]
    return [sys.executable, *own]


def _without_seeds(argv: Sequence[str]) -> list[str]:
    kept: list[str] = []
    tokens = iter(argv)
    for token in tokens:
        if token in OPTIONS:
            next(tokens, None)
        elif not token.startswith(tuple(f"{name}=" for name in OPTIONS)):
            kept.append(token)
    return kept


class _Supervisor:
    """Starts the trainings, a few at a time, and shows what they say until all have ended."""

    def __init__(
        self,
        runs: Sequence[_Run],
        command: Sequence[str],
        environment: Mapping[str, str],
        workers: int,
    ) -> None:
        self._runs = runs
        self._command = command
        self._environment = environment
        self._workers = workers
        self._lines: queue.Queue[tuple[_Run, str | None]] = queue.Queue()

    def run(self) -> int | None:
        """Train; return the signal that ended it early, if one did."""
        from sac.sweep.board import SharedProgress  # here, so that --help stays quick
        from sac.terminal.interrupt import InterruptGuard

        passed_on = False
        waiting = list(self._runs)
        self._progress = SharedProgress([run.label for run in self._runs])
        with InterruptGuard() as interrupt, self._hanging_up(), self._progress:
            try:
                while True:
                    if interrupt.received is None:
                        while waiting and len(self._running()) < self._workers:
                            self._start(waiting.pop(0))
                    elif not passed_on:
                        self._signal(interrupt.received)
                        passed_on = True
                    if not self._running():
                        return interrupt.received
                    self._show()
            finally:  # a second Ctrl-C ends the trainings at once, too
                self._end()

    def _running(self) -> list[_Run]:
        return [run for run in self._runs if run.process is not None and run.status is None]

    def _start(self, run: _Run) -> None:
        # A session of its own: Ctrl-C in the terminal reaches this process alone, which passes it
        # on once; twice would end the training without a checkpoint.
        run.process = subprocess.Popen(
            [*self._command, "--seed", str(run.seed)],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        threading.Thread(target=self._listen, args=(run, run.process), daemon=True).start()
        self._progress.state(run.label, "started")

    def _listen(self, run: _Run, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self._lines.put((run, line.rstrip("\n")))
        self._lines.put((run, None))

    def _show(self) -> None:
        """Show the next line, if one comes soon."""
        try:
            run, line = self._lines.get(timeout=POLL_SECONDS)
        except queue.Empty:
            return
        if line is None:
            assert run.process is not None
            status = run.process.wait()
            run.status = status if status >= 0 else SIGNAL_STATUS - status
            done = "done" if status == 0 else f"ended with exit status {run.status}"
            self._progress.state(run.label, done)
        elif run.summary or line.startswith(FOLDER_LINE):
            run.summary.append(line)
        elif line:
            self._progress.line(run.label, line)

    def _signal(self, number: int) -> None:
        for run in self._running():
            assert run.process is not None
            run.process.send_signal(number)

    @contextmanager
    def _hanging_up(self) -> Iterator[None]:
        """When the terminal closes, let the trainings end with a checkpoint; nohup still counts."""
        number = getattr(signal, "SIGHUP", None)
        if number is None or signal.getsignal(number) is not signal.SIG_DFL:
            yield
            return

        def pass_on(*_: object) -> None:
            self._signal(signal.SIGTERM)
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)  # there is nothing left to write to

        signal.signal(number, pass_on)
        try:
            yield
        finally:
            signal.signal(number, signal.SIG_DFL)

    def _end(self) -> None:
        for run in self._running():
            assert run.process is not None
            run.process.terminate()
            run.process.wait()


def _draw(runs: Sequence[_Run]) -> None:
    """Draw the learning curves of all runs, or say why that can't be done."""
    folders = [run.folder for run in runs if run.folder is not None]
    if not folders:
        return
    from sac.plots import PlotSettings, plot

    output = folders[0] / FIGURE_FILE  # not beside it: what lies there are runs, as in `runs/*`
    try:
        for warning in plot(folders, output, PlotSettings()):
            print(f"warning: {warning}", file=sys.stderr)
    except SACError as error:
        print(f"No figure: {error}", file=sys.stderr)
    else:
        print(f"Figure: {output}")
