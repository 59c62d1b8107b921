"""What an operation is: one function over arrays, and beside it the gradient for each input.

    mul = op("Mul", lambda xp, input, other: input * other, promote="number",
             input=lambda xp, g, other: g * other,
             other=lambda xp, g, input: g * input)

`forward(xp, *arrays, **settings)`: its positional parameters are arrays or Python numbers, the
keyword-only ones are settings. A gradient takes the backend, the gradient of the result, and then,
by name, whatever it needs: an input, `out` (`out0`, `out1`, ... where forward returns a tuple), a setting,
`shapes` or `needs` (of every input). Those names are what the engine saves, and only for an input
that needs its gradient. The engine undoes broadcasting and casts afterwards.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from operator import itemgetter
from typing import Any, Literal

Function = Callable[..., Any]
# How inputs of different dtypes come to one: "number" to the widest, "float" also integers to float32,
# "signed" as "number" but no bool, "compare" as "number" but numbers keep their value,
# "branches" as "number" but for the first input, which is a condition.
Promotion = Literal["none", "number", "float", "signed", "compare", "branches"]


class Gradient:
    """A gradient function, and which of (shapes, needs, *settings, *outs, *inputs) it is given."""

    def __init__(self, function: Function, op: Op, saves: dict[str, tuple[str, ...]]) -> None:
        """Resolve the names after `xp, g`; `saves` limits a name to the inputs that make it needed."""
        names = list(inspect.signature(function).parameters)[2:]
        places = [op.place(name) for name in names]
        self.function = function
        self.fetch: Function = _fetch(places)
        first_input = op.first_input
        self.saved_inputs = tuple(p - first_input for p in places if p >= first_input)
        self.saved_outs = tuple(
            p - op.first_out for p in places if op.first_out <= p < first_input
        )
        self.uses_shapes = "shapes" in names
        # For a joint gradient: place of a saved value -> positions of the inputs that need it.
        self.conditions = {
            op.place(name): tuple(op.inputs.index(i) for i in inputs)
            for name, inputs in saves.items()
        }


def _fetch(places: list[int]) -> Function:
    if not places:
        return lambda values: ()
    if len(places) == 1:
        place = places[0]
        return lambda values: (values[place],)
    return itemgetter(*places)


class Op:
    """An operation over arrays with its gradients; see the module's text for how one is written."""

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
        bool_error: Exception | None = None,
    ) -> None:
        """`outs`: how many arrays forward returns; the first `differentiable_outs` carry gradients.

        `bool_error`: what is raised where the inputs are bool, for an operation that has no such form.
        """
        parameters = inspect.signature(forward).parameters.values()
        self.name = name
        self.forward = forward
        self.inputs = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD][1:]
        self.settings = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
        self.promote = promote
        self.bool_error = bool_error
        # Whether inputs of one floating dtype can go without promotion and others can not.
        self.float_only = promote in ("float", "signed") or bool_error is not None
        self.view = view or multi_view
        self.multi_view = multi_view
        self.outs = outs
        self.differentiable_outs = differentiable_outs
        self.first_out = 2 + len(self.settings)
        self.first_input = self.first_out + outs
        self.gradients: list[Gradient | None] = [None] * len(self.inputs)
        self.joint: Gradient | None = None
        self.differentiable = False
        self.uses_shapes = False

    def place(self, name: str) -> int:
        """Where the value called `name` stands in (shapes, needs, *settings, *outs, *inputs)."""
        if name in ("shapes", "needs"):
            return ("shapes", "needs").index(name)
        if name in self.settings:
            return 2 + self.settings.index(name)
        if name in self.inputs:
            return self.first_input + self.inputs.index(name)
        if name.startswith("out") and (name[3:] or "0").isdigit():
            return self.first_out + int(name[3:] or 0)
        raise NameError(f"the gradient of {self.name} asks for {name!r}, which {self.name} has not")

    def gradient(self, *inputs: str) -> Callable[[Function], Function]:
        """Decorator: the gradient for one input, or one function for several alike."""

        def decorate(function: Function) -> Function:
            gradient = Gradient(function, self, {})
            for name in inputs:
                self.gradients[self.inputs.index(name)] = gradient
            self.differentiable = True
            self.uses_shapes |= gradient.uses_shapes
            return function

        return decorate

    def joint_gradient(self, **saves: tuple[str, ...]) -> Callable[[Function], Function]:
        """Decorator: one function that returns a tuple with the gradient of every input.

        For gradients that share work, and for operations over any number of inputs. It should
        return None where `needs` is False. `weight=("input",)` saves `weight` only when `input` needs
        a gradient; it is None otherwise.
        """

        def decorate(function: Function) -> Function:
            self.joint = Gradient(function, self, saves)
            self.differentiable = True
            self.uses_shapes |= self.joint.uses_shapes
            return function

        return decorate


def op(
    name: str,
    forward: Function,
    *,
    promote: Promotion = "none",
    view: bool = False,
    multi_view: bool = False,
    outs: int = 1,
    bool_error: Exception | None = None,
    **gradients: Function,
) -> Op:
    """An operation in one statement: `gradients` maps an input's name to its gradient."""
    result = Op(
        name, forward, promote=promote, view=view, multi_view=multi_view, outs=outs,
        bool_error=bool_error,
    )  # fmt: skip
    for name_of_input, function in gradients.items():
        result.gradient(name_of_input)(function)
    return result
