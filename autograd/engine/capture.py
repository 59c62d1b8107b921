"""A jit: functions of tensors that run without the engine once it has seen what they do.

`Captured` watches the first call for given shapes: every function of arrays that the engine calls,
forward and backward, and where its arguments come from. The recorder writes that down as a Python
function over arrays, the program, which takes the calls that follow: the same array functions in
the same order, so the same bits, but no tensors, no graph and no checks in between. In an update of
small networks those take longer than the arithmetic.

A program repeats the path of the first call. What has effects or looks at values, such as an
optimizer's step or a check of a loss, is declared where it is defined, by `effect`: a program calls
it as it is. Reading a value, changing a tensor in place, a hook, an array that no recorded function
made, a draw from Python's or NumPy's global generator: the recorder notices each of them, and the
function then runs as any other. `reason` says what it was.

The recorder sees tensors, not Python. So whoever captures a function promises that, for inputs of
one kind, it always takes the same path with the same Python numbers, and the same objects in the
same attributes: a program does not notice a counter, a changed setting or a draw from a
`random.Random` or a `numpy.random.Generator` of the caller's own. Random choices come from a
`torch.Generator`, whose draws are recorded. Inputs do not share memory with tensors that the
function changes. Checks that only raise, as for an index out of bounds, look at the first call
alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, ParamSpec, TypeVar

from autograd.backend import backend_of
from autograd.engine.grad_mode import anomaly, state
from autograd.engine.recorder import Recorder

MAX_PROGRAMS = 8  # one for each kind of inputs; calls with further kinds run as they are

P = ParamSpec("P")
R = TypeVar("R")

_requires_grad, _hooks = attrgetter("_requires_grad"), attrgetter("_hooks")
_post_accumulate_hooks = attrgetter("_post_accumulate_hooks")


def effect(function: Callable[P, R]) -> Callable[P, R]:
    """Declare that a function of tensors has effects, or looks at values.

    A captured function calls it each time, as it is, with the tensors of that call. The captured
    function must not use what it returns.
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        recorder = state.recorder
        if recorder is None:
            return function(*args, **kwargs)
        return recorder.effect(function, args, kwargs)

    return wrapper


def check(function: Callable[P, R]) -> Callable[P, R]:
    """Declare an effect that does nothing while the tensor, its last argument, is finite.

    A compiled program calls it only when the tensor is not.
    """
    function.is_check = True  # type: ignore[attr-defined]
    return effect(function)


class Captured:
    """A function of tensors; from its second call for inputs of one kind on, a program."""

    def __init__(
        self,
        function: Callable[..., Any],
        tensors: Sequence[Any],
        modules: Sequence[Any] = (),
        compiler: Any = None,
    ) -> None:
        """`function` takes one tensor or more; the module's text says what it promises.

        `tensors`: what it knows beside its inputs, such as parameters; anything may change their
        elements between calls. `modules`: those that it calls; while one of them has hooks, the
        function runs as it is. It returns tensors without history, or dicts, tuples, named tuples
        and lists of them. `compiler`: an `autograd.compiled.Compiler`, which makes programs faster.
        """
        self.function = function
        self.tensors = list(tensors)
        self.compiler = compiler
        parts = [part for module in modules for part in module.modules()]
        self._module_hooks = [part._forward_hooks for part in parts]
        self._module_hooks += [part._forward_pre_hooks for part in parts]
        self.programs: dict[Any, Callable[..., Any] | None] = {}  # None: it cannot be captured
        self.reason = ""  # why the latest attempt failed

    def __getstate__(self) -> dict[str, Any]:
        """A copy has other tensors, so it starts without programs."""
        return {**self.__dict__, "programs": {}, "reason": ""}

    def __call__(self, *inputs: Any) -> Any:
        """Return what the function returns."""
        arrays = [x._array for x in inputs]
        tensors = self.tensors
        if (
            state.recorder is not None
            or anomaly.trace is not None
            or any(map(_hooks, (*inputs, *tensors)))
            or any(map(_post_accumulate_hooks, tensors))
            or any(self._module_hooks)
        ):
            return self.function(*inputs)
        kind = (
            tuple([(a.shape, a.dtype, type(a)) for a in arrays]),
            tuple(map(_requires_grad, (*inputs, *tensors))),
            state.now[1:],
        )
        if kind in self.programs:
            known = self.programs[kind]
            if known is None:
                return self.function(*inputs)
            backend_of(arrays[0])  # of several GPUs, make the one that holds them current
            return state.silently(lambda: known(*arrays))
        # Where one array has two roles, a program could not tell which of them a call is about.
        objects = {id(array) for array in arrays} | {id(tensor._array) for tensor in tensors}
        if len(self.programs) >= MAX_PROGRAMS or len(objects) < len(arrays) + len(tensors):
            return self.function(*inputs)
        recorder = Recorder(inputs, tensors)
        undo = None if self.compiler is None else self.compiler.watch(recorder)
        result = recorder.watch(self.function, undo)
        plain = self.programs[kind] = recorder.program(result)
        self.reason = recorder.failure
        if plain is None or undo is None:
            return result
        try:
            program: Callable[..., Any] = self.compiler.compiled(recorder, plain, undo)
        except BaseException:
            undo()  # the caller is told of a failure, so nothing may have been done
            self.programs.pop(kind)
            raise
        self.programs[kind] = program
        if program is plain:
            return result
        undo()
        return state.silently(lambda: program(*arrays))
