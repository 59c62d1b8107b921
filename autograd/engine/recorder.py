"""The recorder: it writes down the array functions that a captured function calls, as a program."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy import ndarray

from autograd.backend import Array, Backend, backend_of, loaded
from autograd.engine.array_functions import (
    ArrayFunctions,
    accumulate,
    added,
    fit,
    fitted,
    shape_and_dtype,
)
from autograd.engine.grad_mode import state
from autograd.engine.node import Meta, Node

if TYPE_CHECKING:
    from autograd.types import Tensor


INDENT = "\n    "  # of the statements of a program


class Call(NamedTuple):
    """A call that was written down, with the values of that time."""

    function: Callable[..., Any]
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    out: Any
    is_effect: bool


class Line(NamedTuple):
    """The statements of a call, with the names that they use."""

    text: str
    uses: set[str]
    defines: set[str]
    call: Call


class Recorder:
    """Calls array functions in the engine's place, and writes the calls down."""

    def __init__(self, inputs: Sequence[Any], tensors: Sequence[Any]) -> None:
        """`inputs` of the captured function, and the other `tensors` that it knows."""
        self.failure = ""
        self._witness: Any = None
        self.inputs = list(inputs)
        self.returned = ""  # the expression that a program returns, and the names that it uses
        self.returns: set[str] = set()
        self._run = state.run_silently
        self.tensors = list(tensors)
        self.lines: list[Line] = []
        self.values: dict[str, Any] = {}  # what the names of the program stood for
        self.constants: dict[str, Any] = {"asarray": np.asarray}
        self._uses: set[str] = set()  # the names that the next line uses
        self._names: dict[int, str] = {}  # of arrays, and of tuples that hold arrays, by identity
        self._tensors: dict[int, str] = {}
        self._constant_names: dict[int, str] = {}
        self._alive: list[Any] = []  # so that no new object gets the identity of one
        self._count = 0
        for i, tensor in enumerate(tensors):
            self._tensors[id(tensor)] = self._constants_name(tensor, f"p{i}")
            self._names[id(tensor._array)] = f"p{i}._array"
            self._alive.append(tensor._array)
        for i, tensor in enumerate(self.inputs):
            self._names[id(tensor._array)] = f"x{i}"
        self._wrap = self.inputs[0]._wrap
        if state.inference:
            self._wrap = functools.partial(_inference_tensor, self._wrap)

    def watch(self, function: Callable[..., Any], witness: Any = None) -> Any:
        """Run the function on the inputs, and write down what it does.

        `witness.before(function, args, kwargs)` is called before each effect and each draw.
        """
        self._witness = witness
        before, generators = state.now, _global_generators()
        state.now, state.recorder = (self, *before[1:]), self
        try:
            return function(*self.inputs)
        finally:
            state.now, state.recorder = before, None
            if _global_generators() != generators:
                self.fail(
                    "the function draws from the global generator of Python or NumPy: a "
                    "torch.Generator draws what a program can repeat"
                )

    def fail(self, reason: str) -> None:
        """Note that a program could not do what the function does."""
        self.failure = self.failure or reason

    # -- what the engine asks -------------------------------------------------------------

    def __call__(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call a function of arrays."""
        if self._witness is not None and getattr(function, "is_draw", False):
            self._witness.before(function, args, kwargs)
        out = _no_scalars(self._run(function, *args, **kwargs))
        if not self.failure:
            if _is_array(getattr(function, "__self__", None)):
                self.fail(f"'{function.__name__}' changes an array in place")
            self._write_call(Call(function, args, kwargs, out, False))
        return out

    def effect(
        self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        """Call a function that has effects or looks at values; the program will call it, too."""
        if self._witness is not None:
            self._witness.before(function, args, kwargs)
        before = state.now
        state.now, state.recorder = (self._run, *before[1:]), None
        try:
            result = function(*args, **kwargs)
        finally:
            state.now, state.recorder = before, self
        self._alive.append(result)  # it has no name, so using it makes the capture fail
        if not self.failure:
            self._write_call(Call(function, args, kwargs, None, True))
        return result

    # -- what a backward pass asks --------------------------------------------------------

    @property
    def array_functions(self) -> ArrayFunctions:
        """The array functions of a backward pass; each call of one is written down."""
        return ArrayFunctions(
            self._run_pass, self._run_node, self._fit, self._add, self._zeros, self._accumulate
        )

    def _run_pass(self, function: Callable[[], None]) -> None:
        before = state.now
        state.now = before[0], False, before[2], False
        try:
            function()
        finally:
            state.now = before

    def _run_node(self, node: Node, g: Any) -> Any:
        if node.extras is not None or type(node).run is not Node.run:
            self.fail(f"{node.name()} has hooks, or is of a user's Function")
            return node.run(g)
        return node.run(g, self)

    def _fit(self, gradient: Array, target: Any, number: int) -> Array:
        if fit(gradient, target, number) is gradient:
            return gradient
        return self(fitted, gradient, *shape_and_dtype(target, number))

    def _add(self, known: Array, gradient: Array, in_place: bool) -> Array:
        return self(added, known, gradient, in_place)

    def _zeros(self, xp: Backend, meta: Meta) -> Array:
        return self(xp.zeros, *meta)

    def _accumulate(self, leaf: Tensor, gradient: Array, owned: bool) -> None:
        if leaf._grad is not None or leaf._hooks or leaf._post_accumulate_hooks:
            self.fail("a leaf has a gradient or hooks before")
        elif not owned or gradient.strides != leaf._array.strides:
            gradient = self(_copy_like, gradient, leaf._array)
        accumulate(leaf, gradient, True)
        name = self._tensors.get(id(leaf))
        if name is None:
            self.fail("a leaf is not among the tensors that the function is said to know")
        if not self.failure:
            value = self._expression(gradient)
            wrapped = f"{self._constants_name(self._wrap, 'wrap')}({value})"
            added = f"{self._constants_name(accumulate)}({name}, {value}, True)"
            texts = [f"if {name}._grad is None: {name}._grad = {wrapped}", f"else: {added}"]
            call = Call(accumulate, (leaf, gradient), {}, None, True)
            self._write(INDENT.join(texts), call)

    # -- the program ----------------------------------------------------------------------

    def program(self, result: Any) -> Callable[..., Any] | None:
        """Return a function of the inputs' arrays that gives such a result; None if none can."""
        self.returned = "" if self.failure else self._returned(result)
        self.returns = self._uses
        if self.failure:
            return None
        text = []
        last = {name: i for i, line in enumerate(self.lines) for name in line.uses | line.defines}
        for i, line in enumerate(self.lines):
            text.append(line.text)
            # The memory of a deleted array serves the next array of its kind.
            gone = sorted(
                n for n in line.uses | line.defines if last[n] == i and n not in self.returns
            )
            text += [f"del {', '.join(gone)}"] if gone else []
        return self.function(text, {})

    def function(self, text: Sequence[str], more: Mapping[str, Any]) -> Callable[..., Any]:
        """Return a function of the inputs' arrays that runs a text with `more` constants."""
        inputs = ", ".join(f"x{i}" for i in range(len(self.inputs)))
        whole = INDENT.join([f"def program({inputs}):", *text, f"return {self.returned}"])
        scope = {**self.constants, **more}
        exec(compile(whole, "<captured>", "exec"), scope)
        scope["program"].__doc__ = whole
        return scope["program"]

    def _returned(self, value: Any) -> str:
        if hasattr(value, "_array"):
            if value.requires_grad:
                self.fail("a tensor with history is returned")
            for tensor in (*self.inputs, *self.tensors):
                if value is tensor or (value._cell is not None and value._cell is tensor._cell):
                    return self._returned_view(value, tensor)
            return f"{self._constants_name(self._wrap, 'wrap')}({self._expression(value._array)})"
        if type(value) is dict:
            return "{" + ", ".join(f"{k!r}: {self._returned(v)}" for k, v in value.items()) + "}"
        if type(value) in (tuple, list):
            inside = "".join(f"{self._returned(v)}, " for v in value)
            return f"({inside})" if type(value) is tuple else f"[{inside}]"
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            inside = ", ".join(map(self._returned, value))
            return f"{self._constants_name(type(value))}({inside})"
        if value is not None and type(value) not in (bool, int, float, str):
            self.fail(f"a {type(value).__name__} is returned, which may hold tensors")
        return self._expression(value)

    def _returned_view(self, value: Tensor, tensor: Tensor) -> str:
        """Return how a program gets at what shares memory and version with a known tensor."""
        name = self._tensors.get(id(tensor))
        if name is None or value._array is not tensor._array:
            self.fail("an input, or a view of what the function knows, is returned")
            return ""
        return name if value is tensor else f"{name}.detach()"

    def _write_call(self, call: Call) -> None:
        given = [self._expression(a) for a in call.args]
        given += [f"{name}={self._expression(value)}" for name, value in call.kwargs.items()]
        text = f"{self._constants_name(call.function)}({', '.join(given)})"
        defined: list[str] = []
        scalars: list[str] = []
        targets = self._target(call.out, defined, scalars)
        texts = [f"{targets} = {text}" if defined else text]
        texts += [f"{name} = asarray({name})" for name in scalars]
        self._write(INDENT.join(texts), call, defined)

    def _write(self, text: str, call: Call, defined: Sequence[str] = ()) -> None:
        self.lines.append(Line(text, self._uses, set(defined), call))
        self._uses = set()

    def _target(self, value: Any, defined: list[str], scalars: list[str]) -> str:
        """Return names for a value, or for the parts of a tuple."""
        if type(value) in (tuple, list) and value:
            return "".join(f"{self._target(v, defined, scalars)}, " for v in value)[:-1].join("()")
        is_holder = isinstance(value, tuple) and bool(value)  # a named tuple
        if not (is_holder or _is_array(value)) or id(value) in self._names:
            self._alive.append(value)
            return "_"
        name = f"v{self._count}"
        self._count += 1
        defined.append(name)
        self.values[name] = value
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
        """Return how a program gets at a value."""
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
            known = name or f"{_word(value)}_{len(self.constants)}"
            self._constant_names[id(value)], self.constants[known] = known, value
        return known


def _global_generators() -> tuple[object, ...]:
    """Return the states of Python's and NumPy's global generators."""
    _, key, *place = np.random.get_state(legacy=True)
    return random.getstate(), np.asarray(key).tobytes(), *place


def _word(value: Any) -> str:
    """Return a readable name for a constant."""
    name = getattr(value, "__name__", type(value).__name__)
    return name.strip("_") if name.isidentifier() and name.strip("_") else "c"


def _inference_tensor(wrap: Callable[[Array], Tensor], array: Array) -> Tensor:
    tensor = wrap(array)
    tensor._inference = True
    return tensor


def _copy_like(gradient: Array, array: Array) -> Array:
    copy = backend_of(array).empty_like(array)
    copy[...] = gradient
    return copy


def _is_array(value: Any) -> bool:
    return type(value) is ndarray or type(value) in loaded


def _no_scalars(out: Any) -> Any:
    """Turn NumPy's scalars into arrays, as the engine expects."""
    if type(out) in (tuple, list):
        return type(out)(map(_no_scalars, out))
    return np.asarray(out) if isinstance(out, np.generic) else out
