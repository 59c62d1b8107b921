"""Normalisations of rows and of columns, with their gradients."""

from typing import Any

import numpy as np
import pytest

from tests.autograd.compiled.drivers import assert_as_numpy, compiled

# One row and many, columns of less and more than a vector, a block of vectors, and a part.
SHAPES = [(1, 9, 5), (2, 40, 16), (2, 300, 23), (3, 17, 64), (1, 600, 70), (2, 20, 200), (30, 40)]


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def of_columns(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return numbers(*shape[:-2], 1, shape[-1], seed=seed)


@pytest.mark.parametrize("shape", SHAPES)
def test_columns(shape: tuple[int, ...]) -> None:
    x = 3 + numbers(*shape)
    assert_as_numpy(
        lambda xp, x, w, b: xp.column_norm(x, w, b, 1e-5),
        x, of_columns(shape, 1), of_columns(shape, 2), ops=["COLUMN_NORM"],
    )  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_of_columns(shape: tuple[int, ...]) -> None:
    assert_as_numpy(
        lambda xp, *arrays: xp.column_norm_gradient(*arrays),
        numbers(*shape), of_columns(shape, 1), numbers(*shape, seed=2),
        np.abs(of_columns(shape, 3)), ops=["COLUMN_NORM_GRADIENT"],
    )  # fmt: skip


def test_columns_that_several_networks_share() -> None:
    def shared(xp: Any, x: Any, w: Any, b: Any) -> Any:
        return xp.column_norm(xp.broadcast_to(x, (2, *x.shape)), w, b, 1e-5)

    assert_as_numpy(shared, numbers(30, 19), of_columns((2, 30, 19), 1), of_columns((2, 30, 19), 2))


def test_columns_far_from_zero_keep_their_variance() -> None:
    """The mean of squares less the square of the mean would have no digit left."""
    x = 1000 + numbers(2, 256, 33)
    ours = compiled(lambda xp, x, w, b: xp.column_norm(x, w, b, 1e-5)[2], x, x[:, :1], x[:, :1])
    np.testing.assert_allclose(ours[:, 0], x.astype("f8").var(1), rtol=1e-4)


@pytest.mark.parametrize("is_centred", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_rows(shape: tuple[int, ...], is_centred: bool) -> None:
    x, w, b = 3 + numbers(*shape), numbers(shape[-1], seed=1), numbers(shape[-1], seed=2)
    assert_as_numpy(
        lambda xp, x, w, b: xp.row_norm(x, w, b, 1e-5, is_centred), x, w, b, ops=["ROW_NORM"]
    )
    assert_as_numpy(lambda xp, x, w: xp.row_norm(x, w, None, 1e-5, is_centred), x, w)
    inverse = np.abs(numbers(*shape[:-1], 1, seed=3))
    assert_as_numpy(
        lambda xp, *arrays: xp.row_norm_gradient(*arrays, is_centred),
        numbers(*shape, seed=4), w, x, inverse, ops=["ROW_NORM_GRADIENT"],
    )  # fmt: skip
