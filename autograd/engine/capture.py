"""Functions of tensors that run without the engine once it has seen what they do.

`Captured` watches the first call for given shapes: every function of arrays that the engine calls,
forward and backward, with where its arguments come from. That is written down as a Python function
over arrays, the program, which takes the calls that follow: the same array functions in the same
order, so the same bits, but no tensors, graph or checks in between. In an update of small networks
those take longer than the arithmetic.

What a program repeats is the path of the first call. So the captured function must not decide by
values, nor change tensors in place; `grad_mode.each_time` marks what has effects or looks at values
(optimizers' steps, checks of a loss), and a program calls that as it is. Whatever else cannot be
repeated, such as reading a value or a hook, is noticed: the function then runs as any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from autograd.backend import Array, backend_of, loaded
from autograd.engine.backward import Walk, accumulate, added, fit, fitted, shape_and_dtype
from autograd.engine.grad_mode import anomaly, state
from autograd.engine.node import Node

MAX_PROGRAMS = 8  # for as many kinds of inputs; others run as they are

_requires_grad, _hooks = attrgetter("_requires_grad"), attrgetter("_hooks")
_post_accumulate_hooks = attrgetter("_post_accumulate_hooks")


class Captured:
    """A function of tensors; from its second call for inputs of one kind on, a program."""

    def __init__(
        self, function: Callable[..., Any], tensors: Sequence[Any], modules: Sequence[Any] = ()
    ) -> None:
        """`tensors`: those that the function knows beside its inputs, such as parameters.

        They may be changed between calls, by whatever means. There must be an input. `modules`:
        those that the function calls; while one has hooks, it runs as it is. What it returns may
        be tensors without history, and dicts, tuples and lists of them.
        """
        self.function = function
        self.tensors = list(tensors)
        parts = [part for module in modules for part in module.modules()]
        self._module_hooks = [part._forward_hooks for part in parts]
        self._module_hooks += [part._forward_pre_hooks for part in parts]
        self.programs: dict[Any, Callable[..., Any] | None] = {}  # None: it cannot be captured
        self.reason = ""  # why the latest could not be

    def __getstate__(self) -> dict[str, Any]:
        """A copy watches anew: its tensors are others."""
        return {**self.__dict__, "programs": {}, "reason": ""}

    def __call__(self, *inputs: Any) -> Any:
        """What the function returns."""
        arrays = [x._array for x in inputs]
        tensors = self.tensors
        if (
            state.recorder is not None
            or anomaly.trace is not None
            or any(map(_hooks, tensors))
            or any(map(_post_accumulate_hooks, tensors))
            or any(self._module_hooks)
        ):
            return self.function(*inputs)
        kind = (
            tuple([(a.shape, a.dtype, type(a)) for a in arrays]),
            tuple(map(_requires_grad, tensors)),
            state.now[1:],
        )
        if kind in self.programs:
            program = self.programs[kind]
            if program is None:
                return self.function(*inputs)
            backend_of(arrays[0])  # of several GPUs, the one that holds them
            return state.silently(lambda: program(*arrays))
        # Where one array has two roles, a program could not tell which of them a call is about.
        known = {id(array) for array in arrays} | {id(tensor._array) for tensor in tensors}
        if len(self.programs) >= MAX_PROGRAMS or len(known) < len(arrays) + len(tensors):
            return self.function(*inputs)
        recorder = Recorder(inputs, tensors)
        result = recorder.watch(self.function)
        self.programs[kind] = recorder.program(result)
        self.reason = recorder.failure
        return result


class Line(NamedTuple):
    """A statement of a program, with the names that it uses."""

    text: str
    uses: set[str]
    defines: set[str]


class Recorder:
    """Stands in for the engine's way to call functions of arrays, and writes the calls down."""

    def __init__(self, inputs: Sequence[Any], tensors: Sequence[Any]) -> None:
        """`inputs` of the function to come and the other `tensors` that it knows."""
        self.failure = ""
        self.inputs = list(inputs)
        self._run = state.run_silently
        self._lines: list[Line] = []
        self._uses: set[str] = set()  # of the line in the making
        self._names: dict[int, str] = {}  # of arrays and what holds some, by identity
        self._tensors: dict[int, str] = {}
        self._constants: dict[str, Any] = {"asarray": np.asarray}
        self._constant_names: dict[int, str] = {}
        self._alive: list[Any] = []  # or another object might get the identity of one
        self._count = 0
        for i, tensor in enumerate(tensors):
            self._tensors[id(tensor)] = self._constants_name(tensor, f"p{i}")
            self._names[id(tensor._array)] = f"p{i}._array"
            self._alive.append(tensor._array)
        for i, tensor in enumerate(self.inputs):
            self._names[id(tensor._array)] = f"x{i}"
        self._wrap = self.inputs[0]._wrap

    def watch(self, function: Callable[..., Any]) -> Any:
        """Run the function on the inputs, and write down what it does."""
        before = state.now
        state.now, state.recorder = (self, *before[1:]), self
        try:
            return function(*self.inputs)
        finally:
            state.now, state.recorder = before, None

    def fail(self, reason: str) -> None:
        """Note that a program could not do what the function does."""
        self.failure = self.failure or reason

    # -- what the engine asks -------------------------------------------------------------

    def __call__(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call a function of arrays."""
        out = _no_scalars(self._run(function, *args, **kwargs))
        if not self.failure:
            if _is_array(getattr(function, "__self__", None)):
                self.fail(f"'{function.__name__}' changes an array in place")
            self._write_call(function, args, kwargs, out)
        return out

    def each_time(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call a function that works on tensors or has effects, and will each time."""
        before = state.now
        state.now, state.recorder = (self._run, *before[1:]), None
        try:
            result = function(*args, **kwargs)
        finally:
            state.now, state.recorder = before, self
        self._alive.append(result)  # it has no name: to use it further makes the capture fail
        if not self.failure:
            self._write_call(function, args, kwargs, None)
        return result

    def walk(self, roots: Any, keep_graph: bool, wrap: Any) -> Walk:
        """What brings gradients back."""
        return RecordingWalk(self, roots, keep_graph, wrap)

    def set_grad(self, tensor: Any, gradient: Array) -> None:
        """Note that a gradient has become that of a tensor."""
        name = self._tensors.get(id(tensor))
        if name is None:
            self.fail("a leaf is not among the tensors that the function is said to know")
        else:
            value = self._expression(gradient)
            self._write(f"{name}._grad = {self._constants_name(self._wrap, 'wrap')}({value})")

    # -- the program ----------------------------------------------------------------------

    def program(self, result: Any) -> Callable[..., Any] | None:
        """A function from the inputs' arrays to what the function returned; None if none can."""
        returned = "" if self.failure else self._returned(result)
        if self.failure:
            return None
        text = [f"def program({', '.join(f'x{i}' for i in range(len(self.inputs)))}):"]
        last = {name: i for i, line in enumerate(self._lines) for name in line.uses | line.defines}
        kept = self._uses
        for i, line in enumerate(self._lines):
            text.append(line.text)
            # An array that is free goes to the next that needs one like it.
            gone = sorted(n for n in line.uses | line.defines if last[n] == i and n not in kept)
            text += [f"del {', '.join(gone)}"] if gone else []
        text.append(f"return {returned}")
        scope = dict(self._constants)
        exec(compile("\n    ".join(text), "<captured>", "exec"), scope)
        scope["program"].__doc__ = "\n    ".join(text)
        return scope["program"]

    def _returned(self, value: Any) -> str:
        if hasattr(value, "_array"):
            if value.requires_grad:
                self.fail("a tensor with history is returned")
            return f"{self._constants_name(self._wrap, 'wrap')}({self._expression(value._array)})"
        if type(value) is dict:
            return "{" + ", ".join(f"{k!r}: {self._returned(v)}" for k, v in value.items()) + "}"
        if type(value) in (tuple, list):
            inside = "".join(f"{self._returned(v)}, " for v in value)
            return f"({inside})" if type(value) is tuple else f"[{inside}]"
        return self._expression(value)

    def _write_call(self, function: Any, args: Any, kwargs: Any, out: Any) -> None:
        given = [self._expression(a) for a in args]
        given += [f"{name}={self._expression(value)}" for name, value in kwargs.items()]
        call = f"{self._constants_name(function)}({', '.join(given)})"
        defined: list[str] = []
        scalars: list[str] = []
        targets = self._target(out, defined, scalars)
        self._write(f"{targets} = {call}" if defined else call, defined)
        for name in scalars:
            self._write(f"{name} = asarray({name})", [name])

    def _write(self, text: str, defined: Sequence[str] = ()) -> None:
        self._lines.append(Line(text, self._uses, set(defined)))
        self._uses = set()

    def _target(self, value: Any, defined: list[str], scalars: list[str]) -> str:
        """Names for a value, or for the parts of a tuple."""
        if type(value) in (tuple, list) and value:
            return "".join(f"{self._target(v, defined, scalars)}, " for v in value)[:-1].join("()")
        is_holder = isinstance(value, tuple) and bool(value)  # a named tuple
        if not (is_holder or _is_array(value)) or id(value) in self._names:
            self._alive.append(value)
            return "_"
        name = f"v{self._count}"
        self._count += 1
        defined.append(name)
        self._name(value, name)
        if _is_array(value) and not value.ndim and type(value) is ndarray:
            scalars.append(name)
        return name

    def _name(self, value: Any, name: str) -> None:
        self._alive.append(value)
        if _is_array(value) or (isinstance(value, tuple) and type(value) is not tuple):
            self._names.setdefault(id(value), name)
        if isinstance(value, tuple | list):
            for i, part in enumerate(value):
                self._name(part, f"{name}[{i}]")

    def _expression(self, value: Any) -> str:
        """How a program gets at a value."""
        known = self._names.get(id(value))
        if known is not None:
            if known[0] == "v":  # neither an input, "x0", nor of a tensor, "p0._array"
                self._uses.add(known.partition("[")[0])
            return known
        if hasattr(value, "_array"):
            if id(value) in self._tensors:
                return self._tensors[id(value)]
            return f"{self._constants_name(self._wrap, 'wrap')}({self._expression(value._array)})"
        if _is_array(value) or isinstance(value, np.generic):
            self.fail("an array comes from where no captured function has made it")
        if type(value) in (tuple, list):
            inside = "".join(f"{self._expression(v)}, " for v in value)
            return f"({inside})" if type(value) is tuple else f"[{inside}]"
        if value is None or type(value) in (bool, int, str):
            return repr(value)
        return self._constants_name(value)

    def _constants_name(self, value: Any, name: str = "") -> str:
        known = self._constant_names.get(id(value))
        if known is None:
            known = name or f"{_word(value)}_{len(self._constants)}"
            self._constant_names[id(value)], self._constants[known] = known, value
        return known


class RecordingWalk(Walk):
    """A walk whose functions of arrays the recorder calls."""

    def __init__(self, recorder: Recorder, roots: Any, keep_graph: bool, wrap: Any) -> None:
        super().__init__(roots, keep_graph, wrap)
        self.recorder = recorder
        if keep_graph:
            recorder.fail("a graph is kept")

    def run(self) -> None:
        """Bring the gradients back, outside the graph."""
        before = state.now
        state.now = before[0], False, before[2], False
        try:
            self._pass()
        finally:
            state.now = before

    def capture(self, edges: Any) -> Any:
        """The gradients that come to these edges."""
        self.recorder.fail("gradients are asked for of other tensors than all leaves")
        return super().capture(edges)

    def run_node(self, node: Node, g: Any) -> Any:
        """The gradients of a node's inputs."""
        if node.extras is not None or type(node).run is not Node.run:
            self.recorder.fail(f"{node.name()} has hooks, or is of a user's Function")
            return super().run_node(node, g)
        return node.run(g, self.recorder)

    def fit(self, gradient: Array, target: Any, number: int) -> Array:
        """Undo broadcasting and casts."""
        if fit(gradient, target, number) is gradient:
            return gradient
        return self.recorder(fitted, gradient, *shape_and_dtype(target, number))

    def add(self, known: Array, gradient: Array, in_place: bool) -> Array:
        """The sum of two gradients."""
        return self.recorder(added, known, gradient, in_place)

    def zeros(self, xp: Any, meta: Any) -> Array:
        """The gradient of an output that was not used."""
        return self.recorder(xp.zeros, *meta)

    def accumulate(self, leaf: Any, gradient: Array, owned: bool) -> None:
        """Let a gradient become that of a leaf."""
        recorder = self.recorder
        if leaf._grad is not None or leaf._hooks or leaf._post_accumulate_hooks:
            recorder.fail("a leaf has a gradient or hooks before")
        elif not owned or gradient.strides != leaf._array.strides:
            gradient = recorder(_copy_like, gradient, leaf._array)
        accumulate(leaf, gradient, True)
        if not recorder.failure:
            recorder.set_grad(leaf, gradient)


def _word(value: Any) -> str:
    """What a constant is called, for whoever reads a program."""
    name = getattr(value, "__name__", type(value).__name__)
    return name.strip("_") if name.isidentifier() and name.strip("_") else "c"


def _copy_like(gradient: Array, array: Array) -> Array:
    copy = backend_of(array).empty_like(array)
    copy[...] = gradient
    return copy


def _is_array(value: Any) -> bool:
    return type(value) is ndarray or type(value) in loaded


def _no_scalars(out: Any) -> Any:
    """NumPy's scalars as arrays, as the engine has them."""
    if type(out) in (tuple, list):
        return type(out)(map(_no_scalars, out))
    return np.asarray(out) if isinstance(out, np.generic) else out
