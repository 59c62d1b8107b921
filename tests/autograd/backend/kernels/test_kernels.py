"""The chains of elementwise steps of a backend against the same steps in plain NumPy."""

from typing import Any

import numpy as np
import pytest

from autograd.backend import NUMPY
from autograd.backend.kernels.contract import AdamSettings
from autograd.backend.kernels.numpy_kernels import BLOCK

RNG = np.random.default_rng(0)


def numbers(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape)


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4)])
@pytest.mark.parametrize(
    ("activation", "function", "slope"),
    [
        ("relu", lambda y: np.maximum(y, 0), lambda out: (out > 0) * 1.0),
        ("tanh", np.tanh, lambda out: 1 - out**2),
    ],
)
def test_a_layers_bias_and_activation(
    shape: tuple[int, ...], activation: str, function: Any, slope: Any
) -> None:
    y, bias, g = numbers(*shape), numbers(*shape[:-2], 1, 4), numbers(*shape)
    found = y.copy()
    NUMPY.add_bias_(found, bias, "")
    np.testing.assert_array_equal(found, y + bias)
    found = y.copy()
    NUMPY.add_bias_(found, bias, activation)
    np.testing.assert_allclose(found, function(y + bias), rtol=1e-15)
    gradient = g.copy()
    NUMPY.activation_gradient_(gradient, found, activation)
    np.testing.assert_allclose(gradient, g * slope(found), atol=1e-15)
    out = np.empty((*shape[:-2], 4))
    np.testing.assert_allclose(NUMPY.sum_of_rows(g, out=out), g.sum(-2))
    np.testing.assert_allclose(out, g.sum(-2))


def test_the_positive_part_keeps_nan() -> None:
    array = np.array([np.nan, -1.0, 2.0])
    NUMPY.relu_(array)
    np.testing.assert_array_equal(array, [np.nan, 0, 2])


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize("shape", [(), (5,), (2, BLOCK // 2 + 1), (3, BLOCK)])
def test_a_step_of_adam(shape: tuple[int, ...], amsgrad: bool, transposed: bool) -> None:
    param, grad, exp_avg = (np.asarray(numbers(*shape)).T for _ in range(3))
    exp_avg_sq, maximum = (np.asarray(np.abs(numbers(*shape))).T for _ in range(2))
    first = 0.8 * exp_avg + 0.2 * grad
    second = 0.9 * exp_avg_sq + 0.1 * grad**2
    largest = np.maximum(maximum, second) if amsgrad else second
    change = 0.1 * (first / (1 - 0.8**3)) / (np.sqrt(largest / (1 - 0.9**3)) + 1e-3)
    expected = param - change
    arrays = [param, grad, exp_avg, exp_avg_sq, *([maximum] if amsgrad else [])]
    if not transposed:  # transposed ones lie in memory in another order than their indices'
        arrays = [np.array(a, order="C") for a in arrays]
    step = np.array(3, np.float32)
    NUMPY.adam_(arrays, step, None, AdamSettings(lr=0.1, beta1=0.8, beta2=0.9, eps=1e-3))
    for array, value in zip(arrays, [expected, grad, first, second, largest], strict=False):
        np.testing.assert_allclose(array, value, rtol=1e-12, atol=1e-15)


def test_a_share_of_the_way() -> None:
    array, end = numbers(3, 4), numbers(3, 4)
    expected = 0.9 * array + 0.1 * end
    NUMPY.lerp_(array, end, 0.1)
    np.testing.assert_allclose(array, expected)


def test_the_squashed_gaussian_holds_where_it_saturates() -> None:
    """At u = 10 the usual form with 1e-6 in the logarithm is off by 5."""
    parameters, noise = np.array([[10.0, -20.0], [-10.0, -20.0]]), np.zeros((2, 1))
    action, log_prob, _ = NUMPY.squashed_gaussian(parameters, noise, (-20.0, 2.0))
    np.testing.assert_allclose(action, [[1], [-1]])
    expected = 20 - 0.5 * np.log(2 * np.pi) - 2 * (np.log(2) - 10 - np.log1p(np.exp(-20)))
    np.testing.assert_allclose(log_prob, [[expected]] * 2, rtol=1e-14)
    extreme, _, _ = NUMPY.squashed_gaussian(1e30 * parameters, noise, (-20.0, 2.0))
    np.testing.assert_array_equal(extreme, [[1], [-1]])
