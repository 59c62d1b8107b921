"""What a capture asks: to make a program faster, and to take back what the watched call did."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd.compiled.effects import RULES, SNAPSHOTS
from autograd.compiled.instructions import NotCompiledError
from autograd.compiled.library import Library
from autograd.compiled.lowering import Lowering
from autograd.compiled.writer import Writer
from autograd.engine.recorder import Recorder
from autograd.generator import Generator
from autograd.random import DRAWS


class Compiler:
    """Compiles captured programs for one number of threads.

    The watched call computes with NumPy. So that every call has the bits of the compiled program,
    the first one too, whatever the watched call changed is taken back, and the program runs.
    """

    def __init__(self, library: Library, threads: int = 1) -> None:
        self.library, self.threads = library, threads
        self.left: list[str] = []  # of the latest program: what NumPy does, and why

    def watch(self, recorder: Recorder) -> Undo:
        """Return what will take back the changes of the call that is recorded."""
        return Undo(recorder)

    def compiled(
        self, recorder: Recorder, plain: Callable[..., Any], undo: Undo
    ) -> Callable[..., Any]:
        """Return a faster function that does what the program `plain` does, or `plain`."""
        self.left = []
        if not undo.is_complete:
            return plain
        try:
            _check_memory(recorder)
            lowering = Lowering(recorder, self.library.strip, self.library.tile)
            lowering.lower()
            self.left = lowering.left
            if not any(lowering.segments):
                return plain
            return Writer(lowering, plain, self.library, self.threads).function()
        except NotCompiledError as reason:
            self.left = [str(reason)]
            return plain


def _check_memory(recorder: Recorder) -> None:
    """Refuse tensors in one memory: instructions are put in order by the arrays that they name."""
    tensors = [tensor._array for tensor in recorder.tensors]
    others = [tensor._array for tensor in recorder.inputs]
    for i, array in enumerate(tensors):
        if any(np.may_share_memory(array, other) for other in (*tensors[:i], *others)):
            raise NotCompiledError("two tensors that share memory")


class Undo:
    """Remembers what a call changes, before it does."""

    def __init__(self, recorder: Recorder) -> None:
        self.is_complete = True  # False after an effect that can't be taken back
        self._back: list[Callable[[], None]] = []
        for tensor in recorder.tensors:
            self._back.append(_restored(tensor))
        self._generators: set[int] = set()

    def before(
        self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        """Look at an effect, or a draw, that is about to happen."""
        if function in DRAWS:
            generator: Generator = args[0]
            if id(generator) not in self._generators:
                self._generators.add(id(generator))
                self._back.append(_drawn_again(generator._source.bit_generator))
        elif function in SNAPSHOTS:
            self._back.append(SNAPSHOTS[function](*args, **kwargs))
        elif function not in RULES and not getattr(function, "is_check", False):
            self.is_complete = False

    def __call__(self) -> None:
        """Take everything back."""
        for back in reversed(self._back):  # what was remembered first is the oldest
            back()


def _restored(tensor: Any) -> Callable[[], None]:
    array, gradient = tensor._array, tensor._grad
    saved = array.copy()

    def back() -> None:
        array[...] = saved
        tensor._grad = gradient

    return back


def _drawn_again(generator: Any) -> Callable[[], None]:
    state = generator.state

    def back() -> None:
        generator.state = state

    return back
