"""Shows the progress of a training: a live bar where one can be drawn, else lines or reports."""

import html
import math
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple, Self, SupportsFloat, TextIO

from sac.terminal import reports
from sac.terminal.output import Screen, is_terminal, say

LEFT_SAMPLES = 200  # shows: some minutes of a live display, and mostly the whole run in lines


class Progress:
    """Shows the progress of a training for as long as the `with` block lasts.

    A resumed run begins at `start_step`. By default, progress goes to standard output, or to the
    process that started this one, if that reads reports.
    """

    def __init__(
        self,
        total_steps: int,
        start_step: int = 0,
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._display = _display_on(stream)
        self._total_steps = total_steps
        self._clock = clock
        self._numbers: Callable[[], Mapping[str, SupportsFloat]] = dict
        self._step = self._shown_step = start_step
        self._samples: deque[_Sample] = deque(maxlen=self._display.rate_samples)
        # Of steps with updates, from which the time left is told: those before take next to none.
        # Many, as evaluations fall between some of them only.
        self._learning: deque[_Sample] = deque(maxlen=LEFT_SAMPLES)
        self._due_step, self._due_time = math.inf, -math.inf  # the first update is a sample

    def __enter__(self) -> Self:
        self._display.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._step != self._shown_step:
            self._show()
        self._display.stop()

    def update(self, step: int, numbers: Callable[[], Mapping[str, SupportsFloat]] = dict) -> None:
        """Update the step; it is shown when due, which is cheap to check, with other numbers.

        `numbers` is called then: for finished `episodes`, the `mean_return` of the last ones,
        `alpha`, `updates` so far (shown as a rate), or any others.
        """
        self._step, self._numbers = step, numbers
        if step >= self._due_step or self._clock() >= self._due_time:
            self._take_sample()
            if len(self._samples) > 1:
                self._show()

    def message(self, text: str) -> None:
        """Show a line that stays, such as the result of an evaluation."""
        self._display.message(text)

    def _take_sample(self) -> None:
        now, updates = self._clock(), self._numbers().get("updates")
        sample = _Sample(now, self._step, 0.0 if updates is None else float(updates))
        if updates is None or sample.updates > 0:
            self._learning.append(sample)
        self._samples.append(sample)
        interval = max(1, self._total_steps // self._display.shows_per_run)
        self._due_step = (self._step // interval + 1) * interval
        self._due_time = now + self._display.seconds

    def _show(self) -> None:
        self._shown_step = self._step
        first, last = self._samples[0], self._samples[-1]
        seconds = max(last.seconds - first.seconds, 1e-9)
        rate = (last.step - first.step) / seconds
        numbers = {n: x if isinstance(x, int) else float(x) for n, x in self._numbers().items()}
        updates = numbers.pop("updates", None)
        numbers["steps_per_second"] = rate
        if updates is not None:
            numbers["updates_per_second"] = (last.updates - first.updates) / seconds
        if len(self._learning) > 1 and self._learning[-1].step > self._learning[0].step:
            begun, now = self._learning[0], self._learning[-1]
            step_seconds = (now.seconds - begun.seconds) / (now.step - begun.step)
            left = round((self._total_steps - self._step) * step_seconds)
            numbers["seconds_left"] = max(0, left)
        self._display.show(reports.Reached(self._step, self._total_steps, numbers))


class _Sample(NamedTuple):
    seconds: float
    step: int
    updates: float


def _display_on(stream: TextIO | None) -> "_LineDisplay | _LiveDisplay":
    if stream is None and reports.is_read():
        return _ReportDisplay(sys.stdout)
    if stream is None and _is_in_notebook():
        return _NotebookDisplay(sys.stdout)
    stream = sys.stdout if stream is None else stream
    return _LiveDisplay(stream) if is_terminal(stream) else _LineDisplay(stream)


def _is_in_notebook() -> bool:
    get_shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)
    return getattr(get_shell(), "kernel", None) is not None


class _LineDisplay:
    """Prints a line now and then, which also suits a log file."""

    seconds = 60.0  # between two shows, at most
    shows_per_run = 20  # at least
    rate_samples = 2  # shows over which rates are averaged

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def show(self, reached: reports.Reached) -> None:
        self.message(in_a_line(reached))

    def message(self, text: str) -> None:
        say(text, self._stream)


class _ReportDisplay(_LineDisplay):
    """Sends a report as often as a line would be printed; messages are printed."""

    def show(self, reached: reports.Reached) -> None:
        reports.send(reached)


class _NotebookDisplay(_LineDisplay):
    """Draws a bar and a line of numbers in a cell's output; messages are printed below it."""

    seconds = 0.5
    rate_samples = 20
    _drawn: Any = None

    def show(self, reached: reports.Reached) -> None:
        from IPython.display import display

        line = in_a_line(reached)
        bar = f'<progress value="{reached.step}" max="{max(1, reached.total_steps)}"></progress>'
        picture = {"text/html": f"{bar} <code>{html.escape(line)}</code>", "text/plain": line}
        if self._drawn is None:
            self._drawn = display(picture, raw=True, display_id=True)
        else:
            self._drawn.update(picture, raw=True)


class _LiveDisplay(Screen):
    """Draws a bar and a line of numbers."""

    seconds = 0.5  # drawing takes a few milliseconds
    shows_per_run = 20
    rate_samples = 20

    def show(self, reached: reports.Reached) -> None:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        row = Table.grid(padding=(0, 1), expand=True)
        row.add_column()
        row.add_column(ratio=1)
        row.add_column()
        row.add_row(_steps(reached), bar(reached), percent(reached))
        self.draw(Group(row, Text(described(reached.numbers))))


def in_a_line(reached: reports.Reached) -> str:
    """Return the progress as a line of text."""
    return f"{_steps(reached)} ({percent(reached)})  {described(reached.numbers)}"


def bar(reached: reports.Reached) -> Any:
    """Return the progress as a bar for rich."""
    from rich.progress_bar import ProgressBar

    return ProgressBar(total=max(1, reached.total_steps), completed=reached.step)


def percent(reached: reports.Reached) -> str:
    """Return the share of the steps made so far, as text."""
    return f"{100 * reached.step // max(1, reached.total_steps)} %"


def described(numbers: Mapping[str, float]) -> str:
    """Return the numbers of a training as text."""
    return "  ".join(_described(name, number) for name, number in numbers.items())


def _described(name: str, number: float) -> str:
    match name:
        case "mean_return":
            return f"return {_readable(number)}"
        case "steps_per_second" | "updates_per_second":
            return f"{number:,.0f} {name.removesuffix('_per_second')}/s"
        case "seconds_left":
            return f"{timedelta(seconds=number)} left"
    return f"{name} {_readable(number)}"


def _steps(reached: reports.Reached) -> str:
    return f"step {reached.step:,}/{reached.total_steps:,}"


def _readable(number: float) -> str:
    if isinstance(number, int):
        return f"{number:,}"
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"
