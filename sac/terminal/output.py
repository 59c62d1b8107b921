"""Output streams: lines for readers that may leave early, as `| head` does, and a live screen."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

CLOSED_PIPE = 141  # 128 + SIGPIPE, as shells report it


def say(text: str, stream: TextIO) -> None:
    """Print and flush a line; when the reader has left, drop it and all later ones."""
    try:
        print(text, file=stream, flush=True)
    except BrokenPipeError:
        _silence(stream)


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """End the program quietly if the reader of standard output leaves during the block."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _silence(sys.stdout)
        raise SystemExit(CLOSED_PIPE) from None


def _silence(stream: TextIO) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def is_terminal(stream: TextIO) -> bool:
    """Return whether lines on the stream can be drawn over."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


class Screen:
    """The last lines of a terminal, which are drawn over; messages scroll by above them.

    `start` hides the cursor; `stop` leaves the last picture, and shows the cursor again.
    """

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(file=stream, force_terminal=True)
        # Without the refreshing thread, which would take time from training ten times a second.
        self._live = Live(console=self._console, auto_refresh=False)
        self.start, self.stop = self._live.start, self._live.stop

    def draw(self, picture: Any) -> None:
        """Draw anything that rich can render over the last picture."""
        self._live.update(picture, refresh=True)

    def message(self, text: str) -> None:
        """Print a line above the picture."""
        self._console.print(text, markup=False, highlight=False)
