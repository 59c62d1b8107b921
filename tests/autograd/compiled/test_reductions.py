"""Sums, dot products, smallest and largest numbers: over any axes, and over many numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.autograd.compiled.drivers import assert_as_numpy, assert_close, compiled

AXES: list[tuple[tuple[int, ...], Any]] = [
    ((7,), 0), ((1,), None), ((64, 5), 0), ((64, 5), 1), ((64, 5), None), ((3, 9), (0, 1)),
    ((64, 1), 0), ((100, 130), 0), ((100, 130), -1), ((1, 300), 0), ((9, 1), 1),
    ((2, 64, 33), -2), ((2, 64, 33), 0), ((2, 64, 33), (0, 2)), ((2, 64, 33), (1, 2)),
    ((2, 64, 33), None), ((2, 3, 9, 17), (0, 2)), ((2, 3, 9, 17), (1, 3)), ((2, 3, 9, 17), -2),
    ((12, 5000), 0), ((3, 2100), 1),
]  # fmt: skip


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize(("shape", "axis"), AXES)
@pytest.mark.parametrize("keepdims", [False, True])
def test_axes(shape: tuple[int, ...], axis: Any, keepdims: bool) -> None:
    array = numbers(*shape)

    def of(ufunc: Any) -> Callable[..., Any]:
        return lambda xp, x: ufunc.reduce(x, axis=axis, keepdims=keepdims)

    assert_as_numpy(of(np.add), array, ops=["REDUCE"])
    assert_as_numpy(of(np.minimum), array, is_exact=True)
    assert_as_numpy(of(np.maximum), array, is_exact=True)


@pytest.mark.parametrize("axis", [0, 1, (0, 1)])
def test_views(axis: Any) -> None:
    array = numbers(41, 52)
    for view in (lambda x: x.T, lambda x: x[::2, 1::3], lambda x: x[::-1, ::-1]):
        assert_as_numpy(lambda xp, x, v=view: np.add.reduce(v(x), axis=axis), array)
        assert_as_numpy(lambda xp, x, v=view: np.maximum.reduce(v(x), axis=axis), array)


def test_broadcast_arrays() -> None:
    assert_as_numpy(
        lambda xp, x: np.add.reduce(xp.expand(x, (70, 3, 20)), axis=(0, 1)), numbers(3, 20)
    )


def test_into_an_array() -> None:
    def function(xp: Any, x: Any, y: Any) -> Any:
        np.add.reduce(x, axis=0, out=y[1])
        xp.sum_of_rows(x, out=y[0])
        return y

    assert_as_numpy(function, numbers(64, 9), numbers(3, 9))


@pytest.mark.parametrize("shape", [(1, 5), (64, 33), (3, 2000), (9, 16), (200, 1)])
def test_dot_products_of_rows(shape: tuple[int, int]) -> None:
    assert_as_numpy(lambda xp, x, y: np.vecdot(x, y), *numbers(2, *shape), ops=["REDUCE"])


@pytest.mark.parametrize("shape", [(300_000,), (300_000, 2), (2, 300_000), (100_000, 20)])
@pytest.mark.parametrize("axis", [0, -1])
def test_error_does_not_grow_with_the_length(shape: tuple[int, ...], axis: int) -> None:
    array = np.full(shape, 0.1, np.float32)
    total = compiled(lambda xp, x: np.add.reduce(x, axis=axis), array)
    # A thousand rows are added one after the other: up to half a thousand roundings, as always.
    np.testing.assert_allclose(total, array.astype(np.float64).sum(axis), rtol=1e-5)


@pytest.mark.parametrize("shape", [(50, 3), (3, 50), (40, 40)])
@pytest.mark.parametrize("axis", [0, 1, None])
def test_not_a_number_is_passed_on(shape: tuple[int, int], axis: Any) -> None:
    for number in (np.nan, np.inf, -np.inf):
        array = numbers(*shape)
        array[2, 1] = number
        for ufunc in (np.add, np.minimum, np.maximum):
            ours = compiled(lambda xp, x, f=ufunc: f.reduce(x, axis=axis), array)
            assert_close(np.isnan(ours), np.isnan(ufunc.reduce(array, axis=axis)))
            assert_close(np.isinf(ours), np.isinf(ufunc.reduce(array, axis=axis)))
