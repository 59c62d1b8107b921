"""How far a run is: a live display in a terminal, plain lines anywhere else."""

import math
import os
import shlex
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple, Protocol, Self, SupportsFloat, TextIO

from sac.evaluation.evaluate import EvaluationResult
from sac.run.layout import FINDINGS_FILE
from sac.terminal.output import say

MODULE_COMMANDS = {name: f"python -m sac {name}" for name in ("train", "evaluate", "doctor")}
LABELS = {"mean_return": "return"}


class Progress:
    """Shows how far a training is, for as long as the `with` block lasts.

    Args:
        total_steps: Environment transitions at the end.
        start_step: Transitions made before, by a run that is resumed.
        stream: Where to show it, standard output by default.
        clock: Gives seconds, for the rates and the remaining time.
    """

    def __init__(
        self,
        total_steps: int,
        start_step: int = 0,
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        stream = sys.stdout if stream is None else stream
        self._display: _Display = (_LiveDisplay if is_terminal(stream) else _LineDisplay)(stream)
        self._total_steps = total_steps
        self._clock = clock
        self._numbers: dict[str, SupportsFloat] = {}
        self._step = self._shown_step = start_step
        self._samples: deque[_Sample] = deque(maxlen=self._display.rate_samples)
        self._due_step, self._due_time = math.inf, -math.inf  # the first update starts the rates

    def __enter__(self) -> Self:
        self._display.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._step != self._shown_step:
            self._show()
        self._display.stop()

    def update(self, step: int, **numbers: SupportsFloat) -> None:
        """Tell the step and what else is new; shown when it is due, and cheap when it is not.

        Args:
            step: Environment transitions so far.
            **numbers: `episodes` finished, `mean_return` of the last of them, `alpha`, `updates`
                made so far (shown as a rate), or any other; each stays until it is told anew.
        """
        self._step = step
        if numbers:
            self._numbers.update(numbers)
        if step >= self._due_step or self._clock() >= self._due_time:
            self._take_sample()
            if len(self._samples) > 1:
                self._show()

    def message(self, text: str) -> None:
        """Show a line that stays, such as the result of an evaluation."""
        self._display.message(text)

    def _take_sample(self) -> None:
        now = self._clock()
        self._samples.append(_Sample(now, self._step, float(self._numbers.get("updates", 0))))
        interval = max(1, self._total_steps // self._display.shows_per_run)
        self._due_step = (self._step // interval + 1) * interval
        self._due_time = now + self._display.seconds

    def _show(self) -> None:
        self._shown_step = self._step
        first, last = self._samples[0], self._samples[-1]
        seconds = max(last.seconds - first.seconds, 1e-9)
        step_rate = (last.step - first.step) / seconds
        texts = [
            f"{LABELS.get(name, name)} {_readable(number)}"
            for name, number in self._numbers.items()
            if name != "updates"
        ]
        texts.append(f"{step_rate:,.0f} steps/s")
        if "updates" in self._numbers:
            texts.append(f"{(last.updates - first.updates) / seconds:,.0f} updates/s")
        if step_rate > 0:
            remaining = round((self._total_steps - self._step) / step_rate)
            texts.append(f"{timedelta(seconds=max(0, remaining))} left")
        self._display.show(self._step, self._total_steps, "  ".join(texts))


class _Sample(NamedTuple):
    seconds: float
    step: int
    updates: float


class _Display(Protocol):
    """Where progress is shown: how often, over how many shows the rates are, and how it looks."""

    seconds: float
    shows_per_run: int
    rate_samples: int

    def start(self) -> None: ...
    def show(self, step: int, total_steps: int, numbers: str) -> None: ...
    def message(self, text: str) -> None: ...
    def stop(self) -> None: ...


class _LineDisplay:
    """A line now and then, which also reads well in a log file."""

    seconds = 60.0
    shows_per_run = 20
    rate_samples = 2

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def show(self, step: int, total_steps: int, numbers: str) -> None:
        self.message(f"step {step:,}/{total_steps:,} ({_percent(step, total_steps)})  {numbers}")

    def message(self, text: str) -> None:
        say(text, self._stream)


class _LiveDisplay:
    """A bar and a line of numbers that are drawn over; messages scroll by above them."""

    seconds = 0.5  # drawing takes a few milliseconds
    shows_per_run = 20
    rate_samples = 20

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(file=stream, force_terminal=True)
        # No refreshing thread: it would take its time from training ten times a second.
        self._live = Live(console=self._console, auto_refresh=False)

    def start(self) -> None:
        self._live.start()

    def stop(self) -> None:
        self._live.stop()

    def show(self, step: int, total_steps: int, numbers: str) -> None:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        bar = Table.grid(padding=(0, 1), expand=True)
        bar.add_column()
        bar.add_column(ratio=1)
        bar.add_column()
        bar.add_row(
            f"step {step:,}/{total_steps:,}",
            ProgressBar(total=max(1, total_steps), completed=step),
            _percent(step, total_steps),
        )
        self._live.update(Group(bar, Text(numbers)), refresh=True)

    def message(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False)


def is_terminal(stream: TextIO) -> bool:
    """Whether what is drawn on the stream can be drawn over."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _percent(step: int, total_steps: int) -> str:
    return f"{100 * step // max(1, total_steps)} %"


def _readable(number: SupportsFloat) -> str:
    if isinstance(number, int):
        return f"{number:,}"
    value = float(number)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def print_summary(
    run_directory: Path,
    *,
    step: int,
    total_steps: int,
    evaluation: EvaluationResult | None = None,
    findings: int = 0,
    commands: Mapping[str, str] = MODULE_COMMANDS,
) -> None:
    """Say where a run lies, how it stands, and by which commands to look at it and to go on.

    Args:
        run_directory: The run's folder.
        step: Environment transitions made.
        total_steps: Those asked for; a run that made them all goes on by asking for more.
        evaluation: The last one.
        findings: How many illnesses the training was warned of.
        commands: How the user starts train, evaluate and doctor, as typed in a shell.
    """
    run, root = (shlex.quote(shown_path(path)) for path in (run_directory, run_directory.parent))
    more_steps = "" if step < total_steps else f" --train.total_steps {2 * max(step, total_steps)}"
    lines = [f"Run directory: {run}", f"Steps: {step:,} of {total_steps:,}"]
    if evaluation is not None:
        lines.append(
            f"Mean return: {evaluation.mean_return:.2f} +- {evaluation.std_return:.2f} "
            f"over {evaluation.episodes} episodes"
        )
    if findings:
        lines.append(f"Findings: {findings}, in {FINDINGS_FILE}")
    lines += [
        "Next:",
        *([f"  {commands['doctor']} {run}"] if findings else []),
        f"  tensorboard --logdir {root}",
        f"  {commands['evaluate']} {run}",
        f"  {commands['train']} --resume {run}{more_steps}",
    ]
    say("\n".join(["", *lines]), sys.stdout)


def shown_path(path: Path) -> str:
    """The path as a user would type it: relative where it lies below the working directory."""
    absolute, here = path.resolve(), Path.cwd()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)
