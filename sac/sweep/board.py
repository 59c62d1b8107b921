"""Shows the progress of several trainings: a bar for each in a terminal, lines elsewhere."""

import sys
from collections.abc import Sequence
from typing import Self, TextIO

from sac.terminal import reports
from sac.terminal.output import Screen, is_terminal, say
from sac.terminal.progress import bar, described, in_a_line, percent


class Board:
    """Shows what trainings, named by labels, report for as long as the `with` block lasts."""

    def __init__(
        self, labels: Sequence[str] = (), stream: TextIO | None = None, *, keeps_ended: bool = True
    ) -> None:
        """`labels` of those that wait.

        `keeps_ended`: there are few, so that bars of ended ones stay, and lines tell of steps.
        """
        self._keeps_ended = keeps_ended
        self._stream = sys.stdout if stream is None else stream
        self._reached = dict.fromkeys(labels, reports.Reached(0, 1))
        self._states = dict.fromkeys(labels, "waiting")
        self._screen = Screen(self._stream) if is_terminal(self._stream) else None

    def __enter__(self) -> Self:
        if self._screen is not None:
            self._screen.start()
            self._draw()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._screen is not None:
            self._screen.stop()

    def reached(self, label: str, reached: reports.Reached) -> None:
        """Show how far a training is."""
        if self._screen is None:
            if self._keeps_ended:
                self.message(label, in_a_line(reached))
        else:
            self._reached[label] = reached
            self.state(label, described(reached.numbers))

    def state(self, label: str, text: str) -> None:
        """Show the state of a training, such as that it has ended."""
        self._states[label] = text
        self._reached.setdefault(label, reports.Reached(0, 1))
        if self._screen is None:
            self.message(label, text)
        else:
            self._draw()

    def ended(self, label: str, text: str) -> None:
        """Show how a training has ended."""
        if self._keeps_ended or self._screen is None:
            self.state(label, text)
            return
        del self._states[label], self._reached[label]
        self.message(label, text)
        self._draw()

    def message(self, label: str, text: str) -> None:
        """Show a line from a training, which stays."""
        line = f"{label}: {text}"
        if self._screen is None:
            say(line, self._stream)
        else:
            self._screen.message(line)

    def _draw(self) -> None:
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column()
        table.add_column(ratio=1, min_width=10)
        table.add_column()
        table.add_column(ratio=3, no_wrap=True, overflow="ellipsis")
        for label, reached in self._reached.items():
            table.add_row(label, bar(reached), percent(reached), Text(self._states[label]))
        assert self._screen is not None
        self._screen.draw(table)
