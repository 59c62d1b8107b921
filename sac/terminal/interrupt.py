"""Signals: the first that ends a training stops it at a safe place, and SIGUSR1 saves it."""

import contextlib
import os
import signal
import sys
import threading
from types import FrameType
from typing import Any, Self

# A terminal that closes sends SIGHUP, perhaps twice: once itself, once by its shell.
KILLING, HANGING_UP = (signal.SIGINT, signal.SIGTERM), getattr(signal, "SIGHUP", 0)
SAVING: int = getattr(signal, "SIGUSR1", 0)
SIGNALS = [number for number in (*KILLING, HANGING_UP, SAVING) if number]  # 0: not on Windows
HANDLED = b"\0"
SIGNAL_STATUS = 128  # what shells add to the number of the signal that ended a program
STANDARD_ERROR = 2
NOTICE = b"\nstopping: a checkpoint will be saved (once more to stop at once)\n"


class InterruptGuard:
    """Catches signals during its `with` block.

    `received` is the first one that asks for an end: SIGINT (Ctrl-C), SIGTERM or SIGHUP. After it,
    the first two act as ever, and kill. `wants_checkpoint` is set by SIGUSR1, for others to unset.

    Only Python's main thread can catch signals; in other threads this does nothing. A signal that
    is ignored, as SIGHUP is under nohup, stays ignored.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self.wants_checkpoint = False
        self._previous: dict[int, Any] = {}
        self._listener: _Listener | None = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            handlers = {number: signal.getsignal(number) for number in SIGNALS}
            # None: a handler that is not Python's and could not be restored.
            kept = (None, signal.SIG_IGN)
            self._previous = {n: handler for n, handler in handlers.items() if handler not in kept}
            self._listener = _Listener()
            for number in self._previous:
                signal.signal(number, self._note)
        return self

    def __exit__(self, *exception: object) -> None:
        self._restore(*self._previous)
        if self._listener is not None:
            self._listener.close()

    def _note(self, signum: int, frame: FrameType | None) -> None:
        if signum == SAVING:
            self.wants_checkpoint = True
            return
        self.received = signum if self.received is None else self.received
        self._restore(*KILLING)  # the next of these ends the program, as it did before
        if self._listener is not None:
            self._listener.handled()

    def _restore(self, *numbers: int) -> None:
        for number in numbers:
            if number in self._previous:
                signal.signal(number, self._previous[number])


class _Listener:
    """Hears of signals at once, while Python's own handlers wait for a call into C to return.

    It acknowledges the first that asks for an end. A second one that comes before the first is
    `handled` would be taken for the same: it is sent again.
    """

    def __init__(self) -> None:
        self._received, self._sent = os.pipe()
        os.set_blocking(self._sent, False)
        self._previous = signal.set_wakeup_fd(self._sent, warn_on_full_buffer=False)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def handled(self) -> None:
        os.write(self._sent, HANDLED)

    def _listen(self) -> None:
        numbers: list[int] = []
        for byte in iter(lambda: os.read(self._received, 1), b""):
            if byte == HANDLED:
                if len(numbers) > 1 and numbers[-1] in KILLING:
                    os.kill(os.getpid(), numbers[-1])
                break
            if byte[0] != SAVING:
                if not numbers:
                    _acknowledge()
                numbers.append(byte[0])

    def close(self) -> None:
        signal.set_wakeup_fd(self._previous)
        os.close(self._sent)
        self._thread.join()
        os.close(self._received)


def _acknowledge() -> None:
    # Not by print, which the main thread may be in. Where standard error was closed, its number may
    # be another file's.
    if sys.__stderr__ is not None:
        with contextlib.suppress(OSError):
            os.write(STANDARD_ERROR, NOTICE)
