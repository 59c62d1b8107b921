"""Random programs: their gradients are the numerical ones, or they raise; they are never wrong."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as torch

SETTINGS = settings(deadline=None, max_examples=150, derandomize=True)
SHAPES = [(), (1,), (3,), (2, 3), (2, 1), (1, 3)]

UNARY: list[Callable[[Any], Any]] = [
    lambda x: x.tanh(),
    lambda x: x.sigmoid(),
    lambda x: (0.3 * x).exp(),
    lambda x: (x * x + 1).log(),
    lambda x: (x * x + 0.5).sqrt(),
    lambda x: x.sum(),
    lambda x: x.mean(-1, keepdim=True) if x.ndim else x,
    lambda x: x.reshape(-1),
    lambda x: x.transpose(0, -1) if x.ndim else x,
    lambda x: x[..., :2] if x.ndim else x,
    lambda x: x.unsqueeze(0) if x.ndim < 2 else x[0],
    lambda x: torch.stack([x, 2 * x]).sum(0),
    lambda x: x.log_softmax(-1) if x.ndim else x,
]
BINARY: list[Callable[[Any, Any], Any]] = [
    lambda x, y: x + y,
    lambda x, y: x - y,
    lambda x, y: x * y,
    lambda x, y: x / (y * y + 1),
    lambda x, y: torch.where(x.detach() > 0, x, y),
]

steps = st.lists(
    st.tuples(st.integers(0, len(UNARY) + len(BINARY) - 1), st.integers(0, 30), st.integers(0, 30)),
    min_size=1,
    max_size=8,
)


def expression(program: list[tuple[int, int, int]], leaves: list[Any]) -> Any:
    """Every step takes earlier values, so the graph branches and joins; all of them count."""
    values = list(leaves)
    for number, i, j in program:
        x, y = values[i % len(values)], values[j % len(values)]
        if number < len(UNARY):
            values.append(UNARY[number](x))
        elif _broadcast(x, y):
            values.append(BINARY[number - len(UNARY)](x, y))
    return sum(
        (value.sum() for value in values[len(leaves) :]), torch.zeros((), dtype=torch.float64)
    )


def _broadcast(x: Any, y: Any) -> bool:
    return all(1 in (n, m) or n == m for n, m in zip(x.shape[::-1], y.shape[::-1], strict=False))


@SETTINGS
@given(steps, st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3), st.integers(0, 100))
def test_gradients_of_random_expressions(
    program: list[tuple[int, int, int]], shapes: list[tuple[int, ...]], seed: int
) -> None:
    random = np.random.default_rng(seed)
    arrays = [random.normal(size=shape) for shape in shapes]
    leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
    result = expression(program, leaves)
    if not result.requires_grad:
        return
    result.backward()
    for leaf, array in zip(leaves, arrays, strict=True):
        numerical = np.zeros(array.shape)
        for index in np.ndindex(array.shape):
            for sign in (1, -1):
                moved = [a.copy() for a in arrays]
                moved[[x is array for x in arrays].index(True)][index] += sign * 1e-6
                with torch.no_grad():
                    value = expression(program, [torch.tensor(a) for a in moved]).item()
                numerical[index] += sign * value / 2e-6
        found = np.zeros(array.shape) if leaf.grad is None else leaf.grad.numpy()
        np.testing.assert_allclose(found, numerical, rtol=1e-4, atol=1e-5)
