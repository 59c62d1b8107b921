"""What the NumPy backend does otherwise than NumPy: faster, with the same results."""

import math
from typing import Any

import numpy as np
import pytest

import autograd as torch
from autograd.backend.numpy_backend import FEW, NUMPY

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("size", [7, 2 * FEW])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i8", "u1", "?"])
def test_where_is_numpys(size: int, dtype: str) -> None:
    condition = RNG.random((3, size)) < 0.5
    first = (10 * RNG.standard_normal((3, size))).astype(dtype)
    second = (10 * RNG.standard_normal(size)).astype(dtype)
    pairs: list[Any] = [
        (first, second),
        (second, first),
        (first, 0),
        (0, second),
        (first, 1),
        (0, 1),
    ]
    for one, other in pairs:
        expected = np.where(condition, one, other)
        found = NUMPY.where(condition, one, other)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def test_where_keeps_what_is_not_finite_apart() -> None:
    values = np.full(2 * FEW, np.inf)
    condition = np.arange(2 * FEW) % 2 == 0
    np.testing.assert_array_equal(NUMPY.where(condition, values, 0)[:2], [np.inf, 0])
    np.testing.assert_array_equal(NUMPY.where(condition, 0, -values)[:2], [0, -np.inf])


def test_where_takes_any_layout() -> None:
    condition = RNG.random((FEW, 6)) < 0.5
    values = RNG.standard_normal((6, FEW))
    np.testing.assert_array_equal(
        NUMPY.where(condition, values.T, values[::-1].T),
        np.where(condition, values.T, values[::-1].T),
    )


@pytest.mark.parametrize(("dtype", "tolerance"), [("f8", 1e-15), ("f4", 3e-7), ("f2", 2e-3)])
def test_erf_is_exact_to_the_precision_of_its_dtype(dtype: str, tolerance: float) -> None:
    values = np.concatenate([np.linspace(-7, 7, 10_001), 10.0 ** np.arange(-4, 0)]).astype(dtype)
    expected = [math.erf(v) for v in values]
    found = NUMPY.erf(values)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, rtol=tolerance)


def test_erf_of_special_values() -> None:
    special = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0])
    np.testing.assert_array_equal(NUMPY.erf(special), [1, -1, np.nan, 0, -0.0])
    assert np.signbit(NUMPY.erf(special)[4])


ROWS, NUMBER = 2_000_000, 0.1  # so many that float32, row by row, ends far away


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.mean(0),
        lambda x: x.sum(0) / ROWS,
        lambda x: x.mean(dim=0, keepdim=True)[0],
        lambda x: x.reshape(2, -1, 2).mean(dim=(0, 1)),
        lambda x: x.T.mean(1),
        lambda x: x.reshape(1, -1, 2).mean(1)[0],
    ],
)
def test_sum_of_a_tall_tensor_does_not_drift(function: Any) -> None:
    result = function(torch.full((ROWS, 2), NUMBER)).numpy()
    np.testing.assert_allclose(result, [NUMBER] * 2, rtol=1e-5)


def test_gradient_of_what_was_broadcast_over_many_rows_does_not_drift() -> None:
    bias = torch.zeros(2, requires_grad=True)
    (torch.full((ROWS, 2), NUMBER) * bias).sum().backward()
    assert bias.grad is not None
    np.testing.assert_allclose(bias.grad.numpy(), [NUMBER * ROWS] * 2, rtol=1e-5)


@pytest.mark.parametrize(
    "shape", [(1023, 3), (1024, 3), (5000, 3), (3, 2000, 5), (2000, 1), (4000,)]
)
@pytest.mark.parametrize("keepdims", [False, True])
def test_sum_in_parts_is_the_sum(shape: tuple[int, ...], keepdims: bool) -> None:
    array = np.random.default_rng(0).standard_normal(shape)
    for view in (array, array.T, array[::-1], array[::2]):
        axes = [*range(view.ndim), tuple(range(view.ndim)), (0, view.ndim - 1), -1, None]
        for axis in dict.fromkeys(a if not isinstance(a, tuple) else tuple(set(a)) for a in axes):
            found = NUMPY.sum(view, axis=axis, keepdims=keepdims)
            expected = view.sum(axis=axis, keepdims=keepdims)
            np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)
            assert np.shape(found) == expected.shape


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 4, 5, 7, -1, -2, -3, -4, 3.0, -2.0, 2.5])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_whole_powers_of_any_number(exponent: float, dtype: str) -> None:
    numbers = [-3.5, -1.0, -0.3, -0.0, 0.0, 0.3, 1.0, 2.5, np.inf, -np.inf, np.nan]
    base = np.array(numbers, dtype)
    with np.errstate(all="ignore"):
        found, expected = NUMPY.raise_to(base, exponent), np.power(base, np.array(exponent, dtype))
    assert found.dtype == base.dtype
    np.testing.assert_allclose(found, expected, rtol=2e-6 if dtype == "f4" else 1e-14)
    np.testing.assert_array_equal(np.signbit(found)[:-1], np.signbit(expected)[:-1])
