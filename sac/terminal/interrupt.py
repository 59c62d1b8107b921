"""Ctrl-C and SIGTERM: the first stops a training at a safe place, the second kills it."""

import contextlib
import os
import signal
import threading
from types import FrameType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)
SIGNAL_STATUS = 128  # what shells add to the number of the signal that ended a program
STANDARD_ERROR = 2
NOTICE = b"\nstopping: a checkpoint will be saved (once more to stop at once)\n"


class InterruptGuard:
    """Catches the first signal during its `with` block, and keeps its number in `received`.

    Only Python's main thread can catch signals; in other threads this does nothing. A signal that
    is ignored, as under nohup, stays ignored.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            handlers = {number: signal.getsignal(number) for number in SIGNALS}
            # None: a handler that is not Python's and could not be restored.
            kept = (None, signal.SIG_IGN)
            self._previous = {n: handler for n, handler in handlers.items() if handler not in kept}
            for number in self._previous:
                signal.signal(number, self._note)
        return self

    def __exit__(self, *exception: object) -> None:
        self._restore()

    def _note(self, signum: int, frame: FrameType | None) -> None:
        self.received = signum
        self._restore()  # the next signal ends the program, as it did before
        # Not print: the signal may interrupt another print, which is not reentrant.
        with contextlib.suppress(OSError):
            os.write(STANDARD_ERROR, NOTICE)

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}
