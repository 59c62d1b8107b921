"""Output that never ends what prints it, and the part of a terminal that is drawn over."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any, TextIO

STANDARD_FILES = 3


class Lasting:
    """A text stream that drops what can't be written: nothing that is printed is worth a run.

    The stream may be on a full disk, a pipe without a reader, or closed (None where it was so at
    the start), and is tried again each time; `error` is its last refusal. Letters that its encoding
    lacks are written as escapes.
    """

    def __init__(self, stream: Any) -> None:
        self._stream: Any = stream._stream if isinstance(stream, Lasting) else stream
        self.error: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return self._stream is not None and self._stream.isatty()

    def write(self, text: str) -> int:
        """Write, or drop, the text."""
        with self._forgiving() as stream:
            try:
                stream.write(text)
            except UnicodeEncodeError:
                stream.write(
                    text.encode(stream.encoding, "backslashreplace").decode(stream.encoding)
                )
        return len(text)

    def flush(self) -> None:
        """Write, or drop, what the stream still holds."""
        with self._forgiving() as stream:
            stream.flush()

    @contextmanager
    def _forgiving(self) -> Iterator[Any]:
        try:
            yield io.StringIO() if self._stream is None else self._stream
        except (OSError, ValueError) as error:  # ValueError: the program itself has closed it
            self.error = error
            _empty(self._stream)


def _empty(stream: Any) -> None:
    """Drop what a stream could not write: Python would try it again, at the latest at its end."""
    with suppress(OSError, ValueError):
        file, nowhere = stream.fileno(), os.open(os.devnull, os.O_WRONLY)
        place = os.dup(file)
        try:
            os.dup2(nowhere, file)
            stream.flush()
        finally:
            os.dup2(place, file)
            os.close(place)
            os.close(nowhere)


@contextmanager
def lasting_output() -> Iterator[Lasting]:
    """Make standard output and error `Lasting` during the block, which gets the former."""
    output: Any = Lasting(sys.stdout)
    errors: Any = Lasting(sys.stderr)
    with redirect_stdout(output), redirect_stderr(errors):
        try:
            yield output
        finally:
            output.flush()
            errors.flush()


def open_standard_files() -> None:
    """Open the null device where standard input, output or error are closed.

    Their numbers would go to the next files that are opened, such as a run's, and what a library
    prints from C would damage these.
    """
    while (file := os.open(os.devnull, os.O_RDWR)) < STANDARD_FILES:
        pass
    os.close(file)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, as in `1 episode` and `2,000 episodes`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def say(text: str, stream: Any) -> None:
    """Print and flush a line, or drop it where that is impossible."""
    print(text, file=Lasting(stream), flush=True)


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether lines on the stream can be drawn over."""
    return Lasting(stream).isatty() and os.environ.get("TERM") != "dumb"


class Screen:
    """The last lines of a terminal, which are drawn over; messages scroll by above them.

    `start` hides the cursor; `stop` leaves the last picture, and shows the cursor again.
    """

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        file: Any = Lasting(stream)
        self._console = Console(file=file, force_terminal=True)
        # Without the refreshing thread, which would take time from training ten times a second.
        self._live = Live(console=self._console, auto_refresh=False)
        self.start, self.stop = self._live.start, self._live.stop

    def draw(self, picture: Any) -> None:
        """Draw anything that rich can render over the last picture."""
        self._live.update(picture, refresh=True)

    def message(self, text: str) -> None:
        """Print a line above the picture."""
        self._console.print(text, markup=False, highlight=False)
