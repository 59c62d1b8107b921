"""Random programs, in the smallest parts and on several threads: nothing runs before its turn."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd.backend import NUMPY
from autograd.compiled import schedule
from autograd.compiled.emitter import Emitter
from autograd.compiled.instructions import Place
from autograd.compiled.schedule import ALIGNED, assign_stages, lay_out
from tests.autograd.compiled.drivers import assert_as_numpy, compiled, library

ROWS, COLUMNS, NETWORKS = 24, 20, 2
STEPS = 25

Step = Callable[[Any, list[Any], np.random.Generator], Any]


def _some(arrays: list[Any], rng: np.random.Generator) -> Any:
    return arrays[rng.integers(len(arrays))]


def _part(array: Any, rng: np.random.Generator) -> Any:
    """Some rows, or some columns, or some networks."""
    keys: list[Any] = [
        ..., (..., slice(3, 11), slice(None)), (..., slice(2, 9)), (..., slice(None, None, 2)),
        (slice(1), ...), (slice(1, 2), ...), (..., slice(5, 13), slice(None)),
        (..., slice(10, 2, -1), slice(None)),
    ]  # fmt: skip
    return array[keys[rng.integers(len(keys))]]


def _add_in_place(xp: Any, arrays: list[Any], rng: np.random.Generator) -> Any:
    target, other = (_part(_some(arrays, rng), rng) for _ in range(2))
    if target.shape == other.shape:
        np.add(target * 0.5, other * 0.5, out=target)


def _product(xp: Any, arrays: list[Any], rng: np.random.Generator) -> Any:
    first, second = _some(arrays, rng), _some(arrays, rng)
    kinds = [
        lambda: xp.matmul(first, np.swapaxes(second, 1, 2)) @ (second * 0.04),
        lambda: xp.matmul(first, xp.matmul(np.swapaxes(second, 1, 2), first)) * 0.002,
        lambda: xp.matmul(first, second[..., :COLUMNS, :]) * 0.2,
        lambda: xp.matmul(first[..., :3], second[..., :3, :]) * 0.5,
    ]
    return np.tanh(kinds[rng.integers(len(kinds))]())


def _layer(xp: Any, arrays: list[Any], rng: np.random.Generator) -> Any:
    x, weight, other = (_some(arrays, rng) for _ in range(3))
    y = xp.matmul(x, weight[..., :COLUMNS, :]) * 0.2
    g = xp.matmul(y, np.swapaxes(weight[..., :COLUMNS, :], -1, -2))
    if rng.random() < 0.5:
        xp.add_bias_(y, other[:, :1], ("", "relu", "tanh")[rng.integers(3)])
    if rng.random() < 0.5:
        arrays[rng.integers(len(arrays))] = y
    xp.activation_gradient_(g, x, "relu")
    return g * 0.2


def _reduced(xp: Any, arrays: list[Any], rng: np.random.Generator) -> Any:
    x, y = _some(arrays, rng), _some(arrays, rng)
    axis: Any = [0, 1, 2, (0, 1), (1, 2)][rng.integers(5)]
    ufunc: Any = (np.add, np.minimum, np.maximum)[rng.integers(3)]
    return np.tanh(y * 0.5 + ufunc.reduce(x, axis=axis, keepdims=True) * 0.05)


def _minimum(xp: Any, arrays: list[Any], rng: np.random.Generator) -> Any:
    x = _some(arrays, rng)
    return xp.minimum_gradient(_some(arrays, rng)[0], x) + np.minimum.reduce(x, axis=0) * 0.5


def _elementwise(xp: Any, arrays: list[Any], rng: np.random.Generator) -> Any:
    x, y = _some(arrays, rng), _some(arrays, rng)
    kinds = [
        lambda: np.maximum(x, y), lambda: xp.where(x > y, x * 0.5, y), lambda: np.tanh(x) - y * 0.5,
        lambda: x[:, :, :1] * y[:, :1] * 0.5, lambda: x[:1] - y[::-1] * 0.3,
    ]  # fmt: skip
    return kinds[rng.integers(len(kinds))]()


def _smooth(xp: Any, arrays: list[Any], rng: np.random.Generator) -> Any:
    x, y = _some(arrays, rng), _some(arrays, rng)
    kinds = [
        lambda: np.tanh(x + np.add.reduce(y, axis=1, keepdims=True) * 0.2),
        lambda: x[:, :, :1] * y[:, :1] * 0.5, lambda: x[:1] - y[::-1] * 0.3,
        lambda: np.exp(-np.square(x)) + np.vecdot(x, y)[..., None] * 0.05,
    ]  # fmt: skip
    return kinds[rng.integers(len(kinds))]()


# Where a rounding decides which of two numbers is larger, all that follows is another number.
SMOOTH: list[Step] = [_add_in_place, _product, _smooth]
ALL: list[Step] = [*SMOOTH, _layer, _reduced, _minimum, _elementwise]


def random_program(seed: int, steps: list[Step]) -> Callable[..., Any]:
    def program(xp: Any, *inputs: Any) -> Any:
        rng, arrays = np.random.default_rng(seed), list(inputs)
        for _ in range(STEPS):
            made = steps[rng.integers(len(steps))](xp, arrays, rng)
            if made is not None:
                arrays[rng.integers(len(arrays))] = made
        return tuple(arrays)

    return program


def inputs(seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return list((rng.standard_normal((4, NETWORKS, ROWS, COLUMNS)) * 0.7).astype(np.float32))


@pytest.mark.parametrize("seed", range(30))
def test_random_programs(seed: int) -> None:
    compiled(random_program(seed, ALL), *inputs(seed))  # compares ways to run it
    program = random_program(seed, SMOOTH)
    expected = program(NUMPY, *(a.astype(np.float64) for a in inputs(seed)))
    for ours, theirs in zip(compiled(program, *inputs(seed)), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=3e-5 * max(1, np.abs(theirs).max()))


def test_memory_serves_again_only_when_it_is_free() -> None:
    emitter = Emitter(32, 12)
    rng = np.random.default_rng(0)
    for _ in range(200):
        emitter.memory.new((int(rng.integers(1, 5000)),))
    roots = emitter.memory.roots
    for root in roots:
        root.first_stage = int(rng.integers(50))
        root.last_stage = root.first_stage + int(rng.integers(10))
    offsets, size = lay_out(roots)
    assert size < sum(root.memory.nbytes for root in roots) / 2
    for i, one in enumerate(roots):
        start, end = offsets[one], offsets[one] + one.memory.nbytes
        assert start % ALIGNED == 0 and end <= size
        for other in roots[:i]:
            is_apart = offsets[other] + other.memory.nbytes <= start or end <= offsets[other]
            is_before = one.last_stage < other.first_stage or other.last_stage < one.first_stage
            assert is_apart or is_before


def test_rows_of_samples_stay_in_one_stage() -> None:
    """A layer and what follows it run on a part of the rows each, without waiting in between."""
    kernels = library()
    emitter = Emitter(kernels.strip, kernels.tile)
    x, weight = (emitter.memory.new(shape, kind="tensor") for shape in ((64, 20), (20, 30)))
    y = np.tanh(emitter.matmul(x, weight) * 2.0)
    np.add.reduce(y * y, axis=1)
    assign_stages(emitter.instructions, 0)
    assert [(i.op, i.stage) for i in emitter.instructions] == [
        ("PACK", 0), ("PRODUCT", 1), ("ELEMENTWISE", 1), ("ELEMENTWISE", 1), ("ELEMENTWISE", 1),
        ("REDUCE", 1),
    ]  # fmt: skip
    np.add.reduce(y, axis=0)
    assign_stages(emitter.instructions, 0)
    assert emitter.instructions[-1].stage == 2


def test_an_instruction_out_of_an_array_is_never_run() -> None:
    emitter = Emitter(32, 12)
    array = emitter.memory.new((5, 7), kind="tensor")
    emitter.elementwise("COPY", [1.0], array)
    (instruction,) = emitter.instructions
    root = instruction.places[-1].root
    for offset, stride in ((1, 1), (-1, 1), (0, 2), (0, -1)):
        instruction.places[-1] = Place(root, "FLOAT", offset, (0, 0, 0, stride))
        with pytest.raises(AssertionError, match="reaches out of an array"):
            instruction.check()


def test_every_way_to_cut_covers_all_of_a_loop() -> None:
    assert schedule.WORK_OF_A_PART > 1
    big = np.random.default_rng(0).standard_normal((3, 70_001)).astype(np.float32)
    assert_as_numpy(lambda xp, x: (x * 2.0, np.add.reduce(x, axis=0)), big)
