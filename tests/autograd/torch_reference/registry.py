"""The table of cases, and the inputs and helpers that they share."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.autograd.torch_reference.recording import record

Case = Callable[[Any], Any]

CASES: dict[str, Case] = {}


def case(function: Case) -> Case:
    """Enter a function into the table of cases, under its module's name and its own."""
    family = function.__module__.rpartition("cases_")[2]
    register(f"{family}.{function.__name__}", function)
    return function


def register(name: str, function: Case) -> None:
    """Enter a function into the table of cases, under a name of its own."""
    assert name not in CASES, f"two cases are named {name}"
    CASES[name] = function


def wave(torch, *shape, shift=0.0, scale=1.5, requires_grad=True, dtype=None):
    """Plain numbers without ties or zeros, the same wherever they are computed."""
    values = [scale * math.sin(1.7 * i + 0.3 + shift) for i in range(math.prod(shape))]
    tensor = torch.tensor(values, dtype=dtype).reshape(shape).clone()  # not a view
    return tensor.requires_grad_(requires_grad)


def positive(torch, *shape, shift=0.0, requires_grad=True, dtype=None):
    """As `wave`, between 0.25 and 2.25."""
    numbers = wave(torch, *shape, shift=shift, scale=1.0, requires_grad=False, dtype=dtype)
    return (numbers + 1.25).requires_grad_(requires_grad)


def integers(torch, *shape, dtype=None):
    """Whole numbers from -3 to 3, with repetitions."""
    values = [(5 * i + 2) % 7 - 3 for i in range(math.prod(shape))]
    return torch.tensor(values, dtype=dtype).reshape(shape)


def outcome(function):
    """What a call answers: its value, or the name of the exception class that it raises."""
    try:
        return function()
    except Exception as error:
        return f"raises {type(error).__name__}"


def each(torch, expressions, **names):
    """What each line of a text evaluates to, in their order, recorded at once."""
    scope = {"torch": torch, "F": torch.nn.functional, "nn": torch.nn, "np": np, **names}
    lines = (line.strip() for line in expressions.strip().splitlines())
    return {line: record(outcome(lambda line=line: eval(line, scope))) for line in lines}


def each_gradient(torch, expressions, **inputs):
    """What each line of a text evaluates to, and the gradients of the inputs that require one.

    Every line starts from fresh leaves, and the gradient of its value is a fixed one.
    """

    def value_and_gradients(line):
        leaves = {k: x.detach().clone().requires_grad_(x.requires_grad) for k, x in inputs.items()}
        scope = {"torch": torch, "F": torch.nn.functional, "nn": torch.nn, **leaves}
        value = eval(line, scope)
        cotangent = wave(torch, *value.shape, shift=0.7, requires_grad=False)
        value.backward(cotangent.to(value.dtype))
        return [value, {k: leaf.grad for k, leaf in leaves.items() if leaf.requires_grad}]

    lines = (line.strip() for line in expressions.strip().splitlines())
    return {line: record(outcome(lambda line=line: value_and_gradients(line))) for line in lines}
