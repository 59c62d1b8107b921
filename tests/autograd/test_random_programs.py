"""Random sequences of operations, views, changes in place, no_grad, detach and backward.

Every tensor has a twin: its value, and its derivative by every element of the leaf, carried forward
with it. A view of a tensor has views of both; `detach()` shares the value, and its derivative is
zero; under no_grad only values change. Each step of the program raises RuntimeError, or the tensor
agrees with its twin; a gradient is never silently wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as torch

SIZE = 4


@dataclass
class Twin:
    """value: (*shape); slope: (SIZE, *shape), the derivative by each element of the leaf."""

    value: np.ndarray
    slope: np.ndarray

    def __post_init__(self) -> None:
        self.value, self.slope = np.asarray(self.value), np.asarray(self.slope)

    def view(self, change: Callable[[np.ndarray, tuple[int, ...]], np.ndarray]) -> Twin:
        """`change(array, leading)` must give a view, of the dimensions after `leading`."""
        return Twin(change(self.value, ()), change(self.slope, (SIZE,)))

    def constant(self) -> Twin:
        return Twin(self.value, np.zeros_like(self.slope))

    def copy(self) -> Twin:
        return Twin(self.value.copy(), self.slope.copy())

    def map(self, function: Any, derivative: Any) -> Twin:
        return Twin(function(self.value), derivative(self.value) * self.slope)

    def write(self, new: Twin, quiet: bool) -> None:
        new = new.copy()
        self.value[...] = new.value
        if not quiet:
            self.slope[...] = new.slope


def plus(a: Twin, b: Twin) -> Twin:
    return Twin(a.value + b.value, a.slope + b.slope)


def times(a: Twin, b: Twin) -> Twin:
    return Twin(a.value * b.value, a.slope * b.value + a.value * b.slope)


def total(a: Twin) -> Twin:
    axes = tuple(range(1, a.slope.ndim))
    return Twin(a.value.sum(), a.slope.sum(axis=axes))


def number(like: Twin, value: float) -> Twin:
    return Twin(np.full_like(like.value, value), np.zeros_like(like.slope))


NEW: dict[str, tuple[Callable[[Any], Any], Callable[[Twin], Twin]]] = {
    "tanh": (lambda x: x.tanh(), lambda t: t.map(np.tanh, lambda v: 1 - np.tanh(v) ** 2)),
    "square": (lambda x: x**2, lambda t: t.map(np.square, lambda v: 2 * v)),
    "sin": (lambda x: x.sin(), lambda t: t.map(np.sin, np.cos)),
    "clone": (lambda x: x.clone(), lambda t: t.copy()),
    "half": (lambda x: 0.5 * x, lambda t: t.map(lambda v: 0.5 * v, lambda v: 0.5 + 0 * v)),
}
VIEWS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "slice": (lambda x: x[1:], lambda a, n: a[(slice(None),) * len(n) + (slice(1, None),)]),
    "first": (lambda x: x[0], lambda a, n: a[(*(slice(None),) * len(n), 0, ...)]),
    "step": (lambda x: x[::2], lambda a, n: a[(slice(None),) * len(n) + (slice(None, None, 2),)]),
    "unsqueeze": (lambda x: x.unsqueeze(0), lambda a, n: np.expand_dims(a, len(n))),
    "chunk": (
        lambda x: x.chunk(2)[0],
        lambda a, n: a[(slice(None),) * len(n) + (slice(0, (a.shape[len(n)] + 1) // 2),)],
    ),
    "flatten": (lambda x: x.view(-1), lambda a, n: a.reshape(*n, -1)),
}
IN_PLACE: dict[str, tuple[Callable[[Any], Any], Callable[[Twin], Twin]]] = {
    "tanh_": (lambda x: x.tanh_(), NEW["tanh"][1]),
    "square_": (lambda x: x.pow_(2), NEW["square"][1]),
    "half_": (lambda x: x.mul_(0.5), NEW["half"][1]),
    "fill_": (lambda x: x.fill_(0.3), lambda t: number(t, 0.3)),
    "one more": (lambda x: x.add_(1), lambda t: plus(t, number(t, 1))),
}
WITH_OTHER: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Twin, Twin], Twin]]] = {
    "mul": (lambda x, y: x * y, times),
    "add": (lambda x, y: x + y, plus),
    "mul_": (lambda x, y: x.mul_(y), times),
    "add_": (lambda x, y: x.add_(y), plus),
    "copy_": (lambda x, y: x.copy_(y), lambda a, b: b.copy()),
}
COMMANDS = [*NEW, *VIEWS, *IN_PLACE, *WITH_OTHER, "detach", "set first", "set where", "backward"]

program = st.lists(
    st.tuples(st.sampled_from(COMMANDS), st.integers(0, 9), st.integers(0, 9), st.booleans()),
    min_size=3,
    max_size=14,
)


class Machine:
    """Runs a program on tensors and twins, and compares them after every step."""

    def __init__(self) -> None:
        values = np.array([0.3, -0.7, 1.1, 0.2])
        self.leaf = torch.tensor(values.copy(), requires_grad=True)
        self.pairs: list[tuple[Any, Twin]] = [(self.leaf, Twin(values, np.eye(SIZE)))]
        self.expected = np.zeros(SIZE)
        self.refused = self.compared = 0

    def step(self, command: str, i: int, j: int, quiet: bool) -> None:
        x, twin = self.pairs[-1 - i % len(self.pairs)]
        y, other = self.pairs[-1 - j % len(self.pairs)]
        try:
            with torch.no_grad() if quiet else nullcontext():
                self._run(command, x, twin, y, other, quiet)
        except RuntimeError:
            self.refused += 1
        for tensor, known in self.pairs:
            np.testing.assert_allclose(tensor.numpy(force=True), known.value, rtol=1e-12)

    def _run(self, command: str, x: Any, twin: Twin, y: Any, other: Twin, quiet: bool) -> None:
        if command in NEW:
            result = NEW[command][1](twin)
            self._add(NEW[command][0](x), result.constant() if quiet else result)
        elif command in VIEWS:
            if twin.value.ndim == 0 or twin.value.size == 0:
                return
            result = twin.view(VIEWS[command][1])
            self._add(VIEWS[command][0](x), result.constant() if quiet else result)
        elif command in IN_PLACE:
            IN_PLACE[command][0](x)
            twin.write(IN_PLACE[command][1](twin), quiet)
        elif command in WITH_OTHER:
            if twin.value.shape == other.value.shape:
                self._run_with_other(command, x, twin, y, other, quiet)
        elif command == "detach":
            self._add(x.detach(), twin.constant())
        elif command == "backward":
            self._backward(x, twin)
        elif twin.value.ndim and twin.value.size:
            self._set(command, x, twin, y, other, quiet)

    def _run_with_other(
        self, command: str, x: Any, twin: Twin, y: Any, other: Twin, quiet: bool
    ) -> None:
        ours, twins = WITH_OTHER[command]
        result = twins(twin, other)
        if command.endswith("_"):
            ours(x, y)
            twin.write(result, quiet)
        else:
            self._add(ours(x, y), result.constant() if quiet else result)

    def _set(self, command: str, x: Any, twin: Twin, y: Any, other: Twin, quiet: bool) -> None:
        value, known = y.sum(), total(other)
        x[0 if command == "set first" else torch.arange(x.shape[0]) == 0] = value
        part = twin.view(lambda a, n: a[(slice(None),) * len(n) + (slice(0, 1),)])
        slope = known.slope.reshape(SIZE, *[1] * (part.slope.ndim - 1))
        part.write(
            Twin(
                np.broadcast_to(known.value, part.value.shape),
                np.broadcast_to(slope, part.slope.shape),
            ),
            quiet,
        )

    def _backward(self, x: Any, twin: Twin) -> None:
        before = None if self.leaf.grad is None else self.leaf.grad.numpy().copy()
        try:
            x.sum().backward()
        except RuntimeError:
            # What was added before the error is in `.grad`; go on from there.
            self.expected = np.zeros(SIZE) if before is None else before
            if self.leaf.grad is not None:
                np.testing.assert_allclose(self.leaf.grad.numpy(), self.expected)
            raise
        self.expected = self.expected + total(twin).slope
        found = np.zeros(SIZE) if self.leaf.grad is None else self.leaf.grad.numpy()
        np.testing.assert_allclose(found, self.expected, rtol=1e-9, atol=1e-12)
        self.compared += 1

    def _add(self, tensor: Any, twin: Twin) -> None:
        self.pairs.append((tensor, twin))

    def run(self, steps: list[tuple[str, int, int, bool]]) -> Machine:
        for step in steps:
            self.step(*step)
        for tensor, twin in self.pairs[1:]:
            if tensor.requires_grad:
                self.step_backward(tensor, twin)
        return self

    def step_backward(self, tensor: Any, twin: Twin) -> None:
        try:
            self._backward(tensor, twin)
        except RuntimeError:
            self.refused += 1


@settings(deadline=None, max_examples=300, derandomize=True)
@given(program)
def test_either_raises_or_agrees_with_its_twin(steps: list[tuple[str, int, int, bool]]) -> None:
    Machine().run(steps)


def test_most_programs_reach_a_gradient() -> None:
    """The property above would hold for an engine that always raises; this one would not."""
    random = np.random.default_rng(0)
    compared = refused = 0
    for _ in range(300):
        steps = [
            (COMMANDS[random.integers(len(COMMANDS))], int(random.integers(10)),
             int(random.integers(10)), bool(random.random() < 0.15))
            for _ in range(10)
        ]  # fmt: skip
        machine = Machine().run(steps)
        compared += machine.compared
        refused += machine.refused
    assert compared > 400 and refused < 2 * compared, (compared, refused)
