"""From what a capture has written down to a compiled program.

Operations are traced into instructions, which run without Python in between. An operation that has
no kernel stays a statement of Python, on the same arrays: the stages before it end first. An effect
without a rule keeps the whole program in NumPy. Draws of random numbers come first of all, since
nothing in the program can change them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.backend import NUMPY
from autograd.compiled.effects import RULES, Binding, FirstGradient
from autograd.compiled.instructions import Instruction, NotCompiledError, Place, Root
from autograd.compiled.known import Known, arrays_in
from autograd.engine.array_functions import accumulate
from autograd.engine.recorder import Line, Recorder
from autograd.random import DRAWS


class Lowering:
    """Makes one program."""

    def __init__(self, recorder: Recorder, strip: int, tile: int) -> None:
        """`strip`, `tile`: columns and rows of the products' kernels."""
        self.recorder = recorder
        self.known = Known(strip, tile)
        self.emitter, self.memory = self.known.emitter, self.known.memory
        self.products = self.emitter.products
        self.bindings: list[Binding] = []
        self.segments: list[list[Instruction]] = [[]]
        self.statements: list[list[Line]] = [[]]  # that come before each segment
        self.checks: list[list[tuple[Line, Place]]] = [[]]  # of each segment
        self.foreign: dict[str, list[tuple[str, Root]]] = {}  # by the name that a statement defines
        self.inputs = [self.known.adopt(t._array, "input") for t in recorder.inputs]
        self.tensors = [self.known.adopt(t._array, "tensor") for t in recorder.tensors]
        self.stores: dict[int, Line] = {}  # statements that store a gradient, by tensor's identity
        self.first: set[str] = set()  # the names that the statements of the beginning define
        self.has_late_draws = False
        self.left: list[str] = []  # the lines that stay statements, and why

    # -- tracing --------------------------------------------------------------------------

    def lower(self) -> None:
        """Trace every line."""
        for line in self.recorder.lines:
            before = list(self.emitter.instructions), dict(self.products.packed)
            try:
                self._lower(line)
            except NotCompiledError as reason:
                if line.call.is_effect:  # it may look at what only the instructions know
                    raise
                self.emitter.instructions, self.products.packed = before
                self.left.append(f"{line.text}: {reason}")
                self._leave(line)
        self.segments[-1] = self.emitter.instructions

    def _lower(self, line: Line) -> None:
        call = line.call
        if call.function is accumulate:
            leaf, gradient = call.args
            if all(leaf is not tensor for tensor in self.known.cleared):
                self.bindings.append(FirstGradient(leaf))
            self.known.gradients[id(leaf)] = self.known.traced(gradient)
            self.stores[id(leaf)] = line
        elif getattr(call.function, "is_check", False):
            self._check(line)
        elif call.is_effect:
            rule = RULES.get(call.function)
            if rule is None:
                raise NotCompiledError("an effect")
            self.bindings += rule(self.known, *call.args, **call.kwargs)
        elif call.function in DRAWS:
            self._draw(line)
        else:
            args = [self.emitter if a is NUMPY else self.known.traced(a) for a in call.args]
            kwargs = {name: self.known.traced(value) for name, value in call.kwargs.items()}
            try:
                out = call.function(*args, **kwargs)
            except (AttributeError, IndexError, TypeError, ValueError) as error:
                # Of an array that only stands for another, it wants what there is not.
                raise NotCompiledError(f"{error}") from error
            self.known.bind(call.out, out)

    def _check(self, line: Line) -> None:
        """Let the program stop where the tensor of a check is not finite."""
        array = self.known.traced(line.call.args[-1]._array)
        if array.size != 1 or line.call.kwargs:
            raise NotCompiledError("a check of several numbers")
        self.memory.new((1,), kind="kept")
        flag = Place(self.memory.roots[-1], "FLOAT", 0, (0, 0, 0, 0))
        root, offset = self.memory.place(array)
        value = Place(root, "FLOAT", offset, (0, 0, 0, 0))
        self.emitter.write(Instruction("CHECK", "", (1, 1, 1, 1), [value, flag], 1))
        self.checks[-1].append((line, flag))

    def _draw(self, line: Line) -> None:
        if line.uses or self.has_late_draws:
            self.has_late_draws = True
            raise NotCompiledError("a draw that depends on what was computed")
        self._put_first(line)

    def _put_first(self, line: Line) -> None:
        """Make a line a statement before all instructions."""
        self.statements[0].append(line)
        self.first |= line.defines
        self._bind_foreign(line)

    def _leave(self, line: Line) -> None:
        """Keep a line as a statement: first, or after all instructions so far."""
        given, made = arrays_in([line.call.args, line.call.kwargs]), arrays_in(line.call.out)
        if any(np.may_share_memory(a, b) for a in given for b in made if a is not b):
            raise NotCompiledError(f"{line.text}: a view of what the next run overwrites")
        if self._can_be_first(line):
            self._put_first(line)
            return
        self.segments[-1] = self.emitter.instructions
        self.emitter.instructions, self.products.packed = [], {}
        self.segments.append([])
        self.statements.append([line])
        self.checks.append([])
        self._bind_foreign(line)

    def _can_be_first(self, line: Line) -> bool:
        """Whether a line uses only what is known before all instructions."""
        written = [t for t in self.tensors if t.version]
        is_late = line.call.function in DRAWS or len(self.segments) > 1
        return not (is_late or written or line.uses - self.first)

    def _bind_foreign(self, line: Line) -> None:
        for name in sorted(line.defines):
            self.foreign[name] = []
            self._foreign(self.recorder.values[name], name, self.foreign[name])

    def _foreign(self, value: Any, name: str, found: list[tuple[str, Root]]) -> None:
        if isinstance(value, np.ndarray):
            try:
                found.append((name, self.known.adopt(value, "foreign")))
            except NotCompiledError:  # of a dtype without kernels: it has no stand-in
                return
        elif isinstance(value, tuple | list):
            for i, part in enumerate(value):
                self._foreign(part, f"{name}[{i}]", found)
