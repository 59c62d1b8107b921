"""From a lowered capture to a function: tables for the kernels, and the text around them."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from autograd.backend import NUMPY
from autograd.compiled.effects import fits
from autograd.compiled.fusion import fuse
from autograd.compiled.instructions import FLOAT32, NUMBERS, NotCompiledError, Root
from autograd.compiled.known import arrays_in
from autograd.compiled.library import Library, Program
from autograd.compiled.lowering import Lowering
from autograd.compiled.schedule import ALIGNED, assign_stages, encode, lay_out
from autograd.engine.recorder import Line

LARGE = 2**14  # elements of a gradient that has memory of its own in every run
SMALL = 2**14  # bytes of an array that is copied
FOREVER = 2**40  # the last stage of what is looked at after the stages
WORK_OF_A_THREAD = 2**23  # multiplications of a run, below a millisecond, that are worth a thread


class Writer:
    """Writes one function."""

    def __init__(
        self, lowering: Lowering, plain: Callable[..., Any], library: Library, threads: int
    ) -> None:
        """`plain` runs where an optimizer's settings do not fit any more."""
        self.lowering, self.recorder = lowering, lowering.recorder
        self.constants: dict[str, Any] = {"plain": plain, "library": library}
        # How a statement gets at arrays that are not in the program's own memory.
        self.expressions = {
            root: f"contiguous({_in_order(f'x{i}', root)})"
            for i, root in enumerate(lowering.inputs)
        }
        self.expressions |= {root: f"p{i}._array" for i, root in enumerate(lowering.tensors)}
        for found in lowering.foreign.values():
            self.expressions |= {
                root: f"contiguous({_in_order(text, root)})" for text, root in found
            }
        self._choose_fresh()
        needed = self._needed_roots()
        fuse(lowering.segments, needed)
        stage, self.ends = 0, []
        for segment in lowering.segments:
            stage = assign_stages(segment, stage)
            self.ends.append(stage)
        self.instructions = [i for segment in lowering.segments for i in segment]
        self._lay_out(needed)
        work = sum(i.work for i in self.instructions)
        threads = max(1, min(threads, work // WORK_OF_A_THREAD))
        self.program = Program(library, *encode(self.instructions, stage), self.addresses, threads)

    def _choose_fresh(self) -> None:
        """Large gradients are not copied: they have new memory in every run."""
        for traced in self.lowering.known.gradients.values():
            root, _ = self.lowering.memory.place(traced)
            if root.kind == "value" and traced.size >= max(LARGE, root.memory.size):
                root.kind = "fresh"
                self.expressions[root] = f"fresh{root.slot}"

    # -- memory ---------------------------------------------------------------------------

    def _lay_out(self, needed: set[Root]) -> None:
        self.used: set[Root] = set()
        for instruction in self.instructions:
            for root in {place.root for place in instruction.places}:
                if root not in self.used:
                    self.used.add(root)
                    root.first_stage, root.last_stage = instruction.stage, 0
                root.first_stage = min(root.first_stage, instruction.stage)
                root.last_stage = max(root.last_stage, instruction.stage)
        for root in needed:
            root.last_stage = FOREVER
        offsets, size = lay_out(r for r in self.used if r.kind == "value")
        memory = np.zeros(size + ALIGNED, np.uint8)
        start = -NUMPY.address(memory) % ALIGNED
        self.memory = memory[start : start + size]
        self.offsets = offsets
        self.addresses = np.zeros(len(self.lowering.memory.roots), np.uint64)
        kept = [root for root in self.used if root.kind in ("constant", "kept")]
        for root in kept:
            self.addresses[root.slot] = root.address
        for root in self.used:
            if root.kind == "value":
                self.addresses[root.slot] = NUMPY.address(self.memory) + offsets[root]
        self.constants |= {"slots": self.addresses, "memory": self.memory}
        self.constants["kept"] = [root.memory for root in kept]  # alive, as long as the program

    def _needed_roots(self) -> set[Root]:
        """Return what statements and the result use."""
        arrays = [a for name in self._needed() for a in arrays_in(self.recorder.values.get(name))]
        return {self._root(a) for a in arrays if id(a) in self.lowering.known.arrays}

    def _needed(self) -> set[str]:
        """Return the names that statements and the result use."""
        lines = [line for part in self.lowering.statements for line in part]
        lines += [line for part in self.lowering.checks for line, _ in part]
        lines += self._stores()
        return self.recorder.returns.union(*(line.uses for line in lines))

    def _stores(self) -> list[Line]:
        """Return the statements that store gradients which the program does not drop again."""
        gradients = self.lowering.known.gradients
        return [line for tensor, line in self.lowering.stores.items() if tensor in gradients]

    def _root(self, array: ndarray) -> Root:
        return self.lowering.memory.place(self.lowering.known.arrays[id(array)])[0]

    def _view(self, array: ndarray) -> ndarray:
        """Return the array in the program's memory that stands for a recorded one."""
        traced = self.lowering.known.arrays[id(array)]
        root, offset = self.lowering.memory.place(traced)
        if root.kind == "constant":
            buffer: Any = root.memory
        elif root in self.offsets:
            buffer, offset = self.memory, offset + self.offsets[root] // traced.itemsize
        else:
            raise NotCompiledError("a structure that holds other arrays than the program's own")
        return np.ndarray(
            traced.shape, traced.dtype, buffer, offset * traced.itemsize, traced.strides
        )

    def _static(self, value: Any) -> Any:
        if isinstance(value, ndarray):
            return self._view(value)
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*map(self._static, value))
        return type(value)(map(self._static, value)) if type(value) in (tuple, list) else value

    # -- the text -------------------------------------------------------------------------

    def function(self) -> Callable[..., Any]:
        """Return the function of the inputs' arrays."""
        self._bind()
        text, start = self._beginning(), 0
        for lines, checks, end in zip(
            self.lowering.statements, self.lowering.checks, self.ends, strict=True
        ):
            for line in lines:
                text += self._statement(line)
            if end > start:
                text += self._stretch(start, end, checks)
            start = end
        return _one_at_a_time(self.recorder.function(text + self._end(), self.constants))

    def _bind(self) -> None:
        """Let the text get at what the kernels see."""
        bindings, slots = self.lowering.bindings, self.addresses  # not `self`, which keeps it all
        tensors = [
            [tensor, None, root.slot, tensor._array.shape]
            for tensor, root in zip(self.recorder.tensors, self.lowering.tensors, strict=True)
            if root in self.used
        ]
        for binding in bindings:
            binding.bind(slots)
        self.constants |= {
            "ready": lambda: _bound(tensors, slots) and all([b.ready() for b in bindings]),
            "done": [binding.done for binding in bindings],
            "compiled": self.program, "run": self.program.run,
            "address": NUMPY.address, "contiguous": np.ascontiguousarray,
            "ndarray": ndarray, "empty": NUMPY.reused_empty, "float32": FLOAT32,
        }  # fmt: skip

    def _beginning(self) -> list[str]:
        inputs = ", ".join(f"x{i}" for i in range(len(self.recorder.inputs)))
        text = [f"if not ready(): return plain({inputs})"]
        for i, root in enumerate(self.lowering.inputs):
            text += self._given(root, f"x{i}") if root in self.used else []
        for root, name in self.expressions.items():
            if root.kind == "fresh":
                text.append(f"{name} = empty(({root.memory.size},), float32)")
                text.append(f"slots[{root.slot}] = address({name})")
        return text

    def _end(self) -> list[str]:
        text: list[str] = []
        cleared = {id(tensor) for tensor in self.lowering.known.cleared}
        for i, tensor in enumerate(self.recorder.tensors):
            if id(tensor) in cleared:
                text.append(f"p{i}._grad = None")
        for line in self._stores():
            text += [*self._locals(line.uses, is_kept=True), line.text]
        return [*text, "for each in done: each()", *self._locals(self.recorder.returns, True)]

    def _statement(self, line: Line) -> list[str]:
        text = [*self._locals(line.uses, is_kept=False), line.text]
        for name in sorted(line.defines):
            for expression, root in self.lowering.foreign[name]:
                if root in self.used:
                    text += self._given(root, expression)
        return text

    def _given(self, root: Root, expression: str) -> list[str]:
        """Let the kernels see what a run brings; a small array is copied, which is faster."""
        name, expression = f"given{root.slot}", _in_order(expression, root)
        if root.memory.nbytes > SMALL:
            return [f"{name} = contiguous({expression})", f"slots[{root.slot}] = address({name})"]
        self.constants[name] = root.memory
        self.addresses[root.slot] = root.address
        return [f"{name}[:] = {expression}.reshape(-1)"]

    def _stretch(self, start: int, end: int, checks: Sequence[tuple[Line, Any]]) -> list[str]:
        """Run stages; where they stop, look at what was not finite."""
        text = [f"at = run({start}, {end})", "while compiled.stopped:"]
        indexed = {i.shape[3] for i in self.instructions if i.op == "INDEXED"}
        if indexed:
            sizes = " or ".join(map(str, sorted(indexed)))
            reason = f"an index is out of bounds for a dimension of size {sizes}"
            text.append(f"    if compiled.stopped & {NUMBERS['OUT_OF_BOUNDS']}:")
            text.append(f"        raise IndexError({reason!r})")
        for line, flag in checks:
            self.constants[f"flag{flag.root.slot}"] = flag.root.memory
            text.append(f"    if flag{flag.root.slot}[0]:")
            body = [f"flag{flag.root.slot}[0] = 0", *self._locals(line.uses, True), line.text]
            text += [f"        {part}" for part in body]
        return [*text, f"    at = run(at, {end})"]

    def _locals(self, names: set[str], is_kept: bool) -> Iterator[str]:
        """Yield statements that bind names of arrays which instructions made.

        `is_kept`: somebody may keep the arrays, so they are not the program's memory.
        """
        for name in sorted(names - set(self.lowering.foreign)):
            value = self.recorder.values[name]
            if not isinstance(value, ndarray):
                self.constants[name] = self._static(value)
                continue
            traced, root = self.lowering.known.arrays[id(value)], self._root(value)
            if root in self.expressions:
                _, offset = self.lowering.memory.place(traced)
                yield (
                    f"{name} = ndarray({traced.shape}, {self._dtype(traced)}, "
                    f"{self.expressions[root]}, {offset * traced.itemsize}, {traced.strides})"
                )
            else:
                self.constants[f"static_{name}"] = self._view(value)
                yield f"{name} = static_{name}{'.copy()' if is_kept else ''}"

    def _dtype(self, array: ndarray) -> str:
        self.constants[f"dtype_{array.dtype.name}"] = array.dtype
        return f"dtype_{array.dtype.name}"


def _one_at_a_time(program: Callable[..., Any]) -> Callable[..., Any]:
    """Let a second thread wait: all runs of a program are in the same memory."""
    lock = threading.Lock()

    @functools.wraps(program)
    def run(*arrays: Any) -> Any:
        with lock:
            return program(*arrays)

    return run


def _bound(tensors: list[list[Any]], slots: ndarray) -> bool:
    """Let the kernels see the tensors' arrays; False if one is of another kind than before."""
    for entry in tensors:
        array = entry[0]._array
        if array is not entry[1]:
            if not fits(array, entry[3]):
                return False
            entry[1], slots[entry[2]] = array, NUMPY.address(array)
    return True


def _in_order(expression: str, root: Root) -> str:
    """Return what gives an array with its dimensions as they lie in memory."""
    is_plain = root.order == tuple(range(len(root.order)))
    return expression if is_plain else f"{expression}.transpose({root.order})"
