"""Output streams: a reader who may leave early, as `| head` does, and a terminal to draw on."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

CLOSED_PIPE = 141  # 128 + SIGPIPE, as shells report it


def say(text: str, stream: TextIO) -> None:
    """Print a line at once; when nobody reads any more, lines go nowhere."""
    try:
        print(text, file=stream, flush=True)
    except BrokenPipeError:
        _silence(stream)


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """End the program quietly where the block, or Python's own last flush, would find no reader."""
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
    """Return whether what is drawn on the stream can be drawn over."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


class Screen:
    """The last lines of a terminal, which are drawn over; messages scroll by above them."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(file=stream, force_terminal=True)
        # No refreshing thread: it would take its time from training ten times a second.
        self._live = Live(console=self._console, auto_refresh=False)

    def start(self) -> None:
        """Begin to draw, without the cursor."""
        self._live.start()

    def stop(self) -> None:
        """Leave what was drawn last, and give the cursor back."""
        self._live.stop()

    def draw(self, picture: Any) -> None:
        """Draw whatever rich can render, in place of what was drawn before."""
        self._live.update(picture, refresh=True)

    def message(self, text: str) -> None:
        """Show a line that stays."""
        self._console.print(text, markup=False, highlight=False)
