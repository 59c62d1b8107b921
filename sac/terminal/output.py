"""Standard output whose reader may leave early, as `| head` does."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

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
