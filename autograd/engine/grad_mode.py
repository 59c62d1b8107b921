"""The modes that decide what is recorded: `no_grad`, `enable_grad`, `inference_mode` and so on.

The state belongs to a thread, as in torch: a new thread starts with grad mode on, and an `async`
function that awaits inside `with no_grad()` changes the mode of the other tasks of its thread.
"""

from __future__ import annotations

import contextvars
import functools
import inspect
import threading
from collections.abc import Callable, Generator
from typing import Any, Self

import numpy as np


def _call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


class State(threading.local):
    """The modes of a thread, and the context in which its array code runs without warnings.

    log(0) and overflow are silent in torch. `numpy.errstate` around every operation would
    cost more than a small operation itself; running in a separate context costs a tenth of that.
    """

    # One attribute holds all, because each lookup costs as much as the rest of a check:
    # (run_silently, recording, inference, grad_enabled).
    now: tuple[Callable[..., Any], bool, bool, bool]
    recorder: Any = None  # writes down what a captured function does, see `recorder`

    def __init__(self) -> None:
        """Start a thread with grad mode on."""
        context = contextvars.copy_context()
        context.run(np.seterr, all="ignore")
        self.now = context.run, True, False, True

    @property
    def run_silently(self) -> Callable[..., Any]:
        """Call a function of arrays without NumPy's warnings."""
        return self.now[0]

    @property
    def recording(self) -> bool:
        """Whether operations are recorded: grad mode is on, and inference mode off."""
        return self.now[1]

    @property
    def inference(self) -> bool:
        """Whether inference mode is on."""
        return self.now[2]

    @property
    def grad_enabled(self) -> bool:
        """Whether grad mode is on."""
        return self.now[3]

    def set_mode(self, grad_enabled: bool, inference: bool) -> None:
        """Switch this thread's modes."""
        self.now = self.now[0], grad_enabled and not inference, inference, grad_enabled

    def silently(self, function: Callable[[], Any]) -> Any:
        """Run many operations silently at once, outside the graph."""
        before = run, _, inference, _ = self.now
        # The operations already run in the silent context, which cannot be entered twice.
        self.now = _call, False, inference, False
        try:
            return run(function)
        finally:
            self.now = before


def refuse_capture(reason: str) -> None:
    """Make a capture in progress fail: a program could not repeat what the caller does."""
    if state.recorder is not None:
        state.recorder.fail(reason)


class AnomalyMode:
    """Anomaly detection, which is on or off for the whole process, as in torch."""

    trace: Callable[[], str] | None = None  # returns a call's stack; None: the mode is off
    watch: Callable[..., Any] | None = None  # runs a node and checks its gradients
    check_nan = True


state = State()
anomaly = AnomalyMode()


def is_grad_enabled() -> bool:
    """Whether operations of this thread are recorded for backward."""
    return state.grad_enabled


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside `inference_mode`."""
    return state.inference


class _Mode:
    """A grad mode as a context manager and as a decorator of functions and generators."""

    def _enter(self) -> None:
        raise NotImplementedError

    def _copy(self) -> _Mode:
        """A fresh instance for one call of a decorated function."""
        return type(self)()

    def __enter__(self) -> None:
        self._previous = state.grad_enabled, state.inference
        self._enter()

    def __exit__(self, *exception: object) -> None:
        state.set_mode(*self._previous)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function` with every call inside this mode."""
        if inspect.isgeneratorfunction(function):
            return self._decorate_generator(function)

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self._copy():
                return function(*args, **kwargs)

        return wrapper

    def _decorate_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Set the mode while the generator's body runs; its consumer keeps its own mode."""

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            generator = function(*args, **kwargs)
            try:
                with self._copy():
                    response = generator.send(None)
                while True:
                    try:
                        request = yield response
                    except GeneratorExit:
                        with self._copy():
                            generator.close()
                        raise
                    except BaseException as error:
                        with self._copy():
                            response = generator.throw(error)
                    else:
                        with self._copy():
                            response = generator.send(request)
            except StopIteration as stop:
                return stop.value

        return wrapper


class _PlainMode(_Mode):
    """A mode without arguments: a decorator with or without parentheses."""

    def __new__(cls, function: Callable[..., Any] | None = None) -> Self:
        """An instance, or, as a bare decorator, the decorated function."""
        self = super().__new__(cls)
        return self if function is None else self(function)  # type: ignore[return-value]


class no_grad(_PlainMode):
    """Record nothing: results need no gradient and save nothing for backward."""

    def _enter(self) -> None:
        state.set_mode(False, state.inference)


class enable_grad(_PlainMode):
    """Record again, inside `no_grad`."""

    def _enter(self) -> None:
        state.set_mode(True, state.inference)


class set_grad_enabled(_Mode):
    """Switch recording on or off from here on; as a context manager, until its end."""

    def __init__(self, mode: bool) -> None:
        """Switch at once; `__exit__` restores what was before."""
        self.mode = mode
        self._before = state.grad_enabled, state.inference
        state.set_mode(mode, state.inference)

    def _enter(self) -> None:
        self._previous = self._before
        state.set_mode(self.mode, state.inference)

    def _copy(self) -> set_grad_enabled:
        return set_grad_enabled(self.mode)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate a function: undo the constructor's switch, and switch in each call instead."""
        state.set_mode(*self._before)
        return super().__call__(function)


class inference_mode(_Mode):
    """Record nothing, not even versions or views: results cannot be used in a backward."""

    def __new__(cls, mode: Any = True) -> Self:
        """An instance, or, as a bare decorator, the decorated function."""
        if not isinstance(mode, bool):
            return cls(True)(mode)  # type: ignore[return-value]
        return super().__new__(cls)

    def __init__(self, mode: bool = True) -> None:
        """`mode=False` leaves inference mode, with recording on."""
        self.mode = mode

    def _enter(self) -> None:
        state.set_mode(not self.mode, self.mode)

    def _copy(self) -> inference_mode:
        return inference_mode(self.mode)
