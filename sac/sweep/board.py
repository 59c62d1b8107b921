"""How far several trainings are that run side by side: a bar for each in a terminal, else lines."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, TextIO

from sac.terminal.output import say
from sac.terminal.progress import is_terminal

# What a training prints where its output is no terminal, as `sac.terminal.progress` words it.
STEP_LINE = re.compile(r"step ([\d,]+)/([\d,]+) \(\d+ %\)  (.*)")


@dataclass
class _Row:
    label: str
    step: int = 0
    total_steps: int = 1
    numbers: str = "waiting"


class SharedProgress:
    """Shows the lines that trainings print, for as long as the `with` block lasts.

    Args:
        labels: A name for each training.
        stream: Where to show it, standard output by default.
    """

    def __init__(self, labels: Sequence[str], stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._rows = {label: _Row(label) for label in labels}
        self._live: Any = None
        if is_terminal(self._stream):
            from rich.console import Console
            from rich.live import Live

            console = Console(file=self._stream, force_terminal=True)
            self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
            self._draw()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._live is not None:
            self._live.stop()

    def line(self, label: str, text: str) -> None:
        """Show a line that a training printed."""
        found = STEP_LINE.fullmatch(text)
        if found is None or self._live is None:
            self.message(f"{label}: {text}")
            return
        step, total_steps = (int(number.replace(",", "")) for number in found.groups()[:2])
        self._rows[label] = _Row(label, step, max(1, total_steps), found[3])
        self._draw()

    def state(self, label: str, text: str) -> None:
        """Say where a training stands, such as that it has ended."""
        self._rows[label].numbers = text
        if self._live is None:
            self.message(f"{label}: {text}")
        else:
            self._draw()

    def message(self, text: str) -> None:
        """Show a line that stays."""
        if self._live is None:
            say(text, self._stream)
        else:
            self._live.console.print(text, markup=False, highlight=False)

    def _draw(self) -> None:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column()
        table.add_column(ratio=1, min_width=10)
        table.add_column()
        table.add_column(ratio=3, no_wrap=True, overflow="ellipsis")
        for row in self._rows.values():
            bar = ProgressBar(total=row.total_steps, completed=row.step)
            share = f"{100 * row.step // row.total_steps} %"
            table.add_row(row.label, bar, share, Text(row.numbers))
        self._live.update(table, refresh=True)
