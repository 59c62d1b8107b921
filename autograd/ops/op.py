"""An operation: one function of arrays, and beside it the gradient for each input.

    mul = Op("Mul", lambda xp, input, other: input * other, promote="number",
             input=lambda xp, g, other: g * other,
             other=lambda xp, g, input: g * input)

`forward(xp, *arrays, **settings)` takes arrays or Python numbers as positional parameters and
settings as keyword-only ones. A gradient takes the backend, the gradient of the result, and then,
by name, whatever it needs: an input; `out` (`out0`, `out1`, ... if forward returns a tuple); a
setting; the name of forward's `*parameter`, a tuple of all inputs; `shapes` or `needs`, of every
input; or `kept`, what forward returns beside its result in an operation that `keeps`. The engine
saves what these names stand for, and only if the input needs a gradient. Afterwards it undoes
broadcasting and casts.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal

Function = Callable[..., Any]
# How inputs of different dtypes are cast to one. "number": to the widest; "float": the same, with
# integers to float32; "signed": as "number", without bool; "compare": as "number", but numbers keep
# their value; "branches": as "number", except the first input, which is a condition.
Promotion = Literal["none", "number", "float", "signed", "compare", "branches"]

# Positions of what a gradient may use: (None, shapes, needs, kept, *settings, *outs, *inputs).
NOTHING, SHAPES, NEEDS, KEPT, FIRST_SETTING = range(5)
NAMED = {"shapes": SHAPES, "needs": NEEDS, "kept": KEPT}


class Gradient:
    """A gradient function, and the positions of its arguments after `xp, g`."""

    def __init__(self, function: Function, op: Op, saves: dict[str, tuple[str, ...]]) -> None:
        """`saves`: the inputs for whose gradients a name is needed; others need it always."""
        names = list(inspect.signature(function).parameters)[2:]
        self.function = function
        self.places = [op.place(name) for name in names]
        # Position of a value -> numbers of the inputs whose gradients need it.
        self.conditions = {
            op.place(name): tuple(op.inputs.index(i) for i in inputs)
            for name, inputs in saves.items()
        }

    def needed_places(self, needs: tuple[bool, ...]) -> list[int]:
        """The positions of the arguments; NOTHING for those that no needed gradient uses."""
        return [
            place
            if place not in self.conditions or any(needs[i] for i in self.conditions[place])
            else NOTHING
            for place in self.places
        ]


class Op:
    """An operation on arrays, with its gradients; the module's docstring shows how to write one."""

    def __init__(
        self,
        name: str,
        forward: Function,
        *,
        promote: Promotion = "none",
        view: bool = False,
        multi_view: bool = False,
        outs: int = 1,
        differentiable_outs: int = 1,
        keeps: bool = False,
        bool_error: Exception | None = None,
        **gradients: Function,
    ) -> None:
        """`outs`: how many arrays forward returns; the first `differentiable_outs` carry gradients.

        `keeps`: forward returns its result and a tuple that only the gradient sees.
        `bool_error`: the error for bool inputs, if the operation does not take them.
        `gradients`: functions by the names of the inputs; `gradient` adds more.
        """
        parameters = inspect.signature(forward).parameters.values()
        self.name = name
        self.forward = forward
        self.inputs = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD][1:]
        self.all_inputs = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), None)
        self.settings = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
        self.promote = promote
        self.bool_error = bool_error
        self.promotes = promote != "none" or bool_error is not None
        self.view = view or multi_view
        self.multi_view = multi_view
        self.outs = outs
        self.differentiable_outs = differentiable_outs
        self.keeps = keeps
        self.first_out = FIRST_SETTING + len(self.settings)
        self.first_input = self.first_out + outs
        self.gradients: list[Gradient | None] = [None] * len(self.inputs)
        self.joint: Gradient | None = None
        self.differentiable = False
        self.plans: dict[tuple[bool, ...], Any] = {}  # the engine's, by which inputs need gradients
        for input_name, function in gradients.items():
            self.gradient(input_name)(function)

    def place(self, name: str) -> int:
        """The position of `name` in (None, shapes, needs, kept, *settings, *outs, *inputs)."""
        if name in NAMED:
            return NAMED[name]
        if name in self.settings:
            return FIRST_SETTING + self.settings.index(name)
        if name in self.inputs:
            return self.first_input + self.inputs.index(name)
        if name == self.all_inputs:
            return self.first_input
        if name.startswith("out") and (name[3:] or "0").isdigit():
            return self.first_out + int(name[3:] or 0)
        raise NameError(f"the gradient of {self.name} asks for {name!r}, which {self.name} has not")

    def gradient(self, *inputs: str) -> Callable[[Function], Function]:
        """Decorate the gradient function of one input, or of several that share it."""

        def decorate(function: Function) -> Function:
            gradient = Gradient(function, self, {})
            for name in inputs:
                self.gradients[self.inputs.index(name)] = gradient
            self.differentiable = True
            return function

        return decorate

    def joint_gradient(self, **saves: tuple[str, ...]) -> Callable[[Function], Function]:
        """Decorate one function that returns a tuple with the gradient of every input.

        This suits gradients that share work, and operations on any number of inputs. The function
        returns None where `needs` is False. `weight=("input",)` saves `weight` only when `input`
        needs a gradient; it is None otherwise.
        """

        def decorate(function: Function) -> Function:
            self.joint = Gradient(function, self, saves)
            self.differentiable = True
            return function

        return decorate
