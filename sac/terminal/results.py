"""Standard output that is kept for results, whatever else a program prints meanwhile."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

STANDARD_OUTPUT, STANDARD_ERROR = 1, 2  # file descriptors


@contextmanager
def kept_for_results() -> Iterator[None]:
    """Send to standard error what the block prints, be it Python, C or another process."""
    output = sys.stdout
    with redirect_stdout(sys.stderr):
        if not _writes_to(output, STANDARD_OUTPUT):  # closed, or a notebook's or a test's own
            yield
            return
        output.flush()
        kept = os.dup(STANDARD_OUTPUT)
        try:
            _send_elsewhere(STANDARD_OUTPUT)
            yield
        finally:
            _flush_c()
            os.dup2(kept, STANDARD_OUTPUT)
            os.close(kept)


def _send_elsewhere(descriptor: int) -> None:
    """Send what is written to a descriptor to standard error, or nowhere if that is closed."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    has_errors = _writes_to(sys.stderr, STANDARD_ERROR)
    os.dup2(STANDARD_ERROR if has_errors else nowhere, descriptor)
    os.close(nowhere)


def _flush_c() -> None:
    """Print what programs in C, which keep it until their end, have printed so far."""
    if os.name == "posix":
        import ctypes  # here, to keep `--help` quick

        ctypes.CDLL(None).fflush(None)


def _writes_to(stream: Any, descriptor: int) -> bool:
    try:
        return bool(stream.fileno() == descriptor)
    except (AttributeError, OSError, ValueError):  # None, one without a descriptor, or a closed one
        return False
