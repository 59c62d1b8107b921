"""The networks' input: flattened, images scaled once, statistics those of all the data."""

from typing import Any

import numpy as np
import pytest

import autograd as torch
from sac.networks.observation_input import CLIP, NormalizedObservationInput, ObservationInput

CPU = torch.device("cpu")
PIECES = [1, 7, 1, 0, 250, 41]


def pieces(offset: float, scale: float) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [(offset + scale * rng.standard_normal((n, 2, 2))).astype(np.float32) for n in PIECES]


@pytest.mark.parametrize(("offset", "scale"), [(0.0, 1.0), (-3.0, 1e-3), (1e5, 2.0), (0.0, 1e4)])
def test_statistics_are_those_of_all_the_data(offset: float, scale: float) -> None:
    inputs = NormalizedObservationInput((2, 2), CPU)
    for piece in pieces(offset, scale):
        inputs.observe(piece)
    everything = np.concatenate(pieces(offset, scale)).reshape(-1, 4)
    exact = everything.astype(np.float64)
    np.testing.assert_allclose(inputs.mean, exact.mean(0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(inputs.squares / inputs.count, exact.var(0), rtol=1e-9)
    standardised = (exact - exact.mean(0)) / np.sqrt(exact.var(0) + 1e-8)
    output = inputs(everything.reshape(-1, 2, 2))
    assert (output.shape, output.dtype) == ((300, 4), torch.float32)
    np.testing.assert_allclose(output.numpy(), standardised, atol=5e-3)


def test_outliers_are_clipped() -> None:
    inputs = NormalizedObservationInput((1,), CPU)
    inputs.observe(np.array([[-1.0], [1.0]], np.float32))
    np.testing.assert_array_equal(inputs(np.array([[1e6], [-1e6]], np.float32)), [[CLIP], [-CLIP]])


def test_a_constant_feature_becomes_zero() -> None:
    inputs = NormalizedObservationInput((2,), CPU)
    data = np.stack([np.full(30, 0.1), np.arange(30.0)], axis=1).astype(np.float32)
    for start in (0, 10, 20):
        inputs.observe(data[start : start + 10])
    np.testing.assert_array_equal(inputs(data).numpy()[:, 0], 0)


def test_before_any_observation_nothing_changes_but_the_clip() -> None:
    inputs = NormalizedObservationInput((2,), CPU)
    np.testing.assert_allclose(inputs(np.array([[0.5, 300.0]], np.float32)), [[0.5, CLIP]])


def test_input_arrays_are_left_alone() -> None:
    inputs = NormalizedObservationInput((2,), CPU)
    inputs.observe(np.array([[3.0, -1.0], [5.0, 1.0]], np.float32))
    batch = np.array([[3.0, 7.0]], np.float32)
    inputs(batch)
    np.testing.assert_array_equal(batch, [[3.0, 7.0]])


BRIGHTEST = np.full((8, 8, 1), 255)
IMAGES = np.arange(256, dtype=np.uint8).reshape(4, 8, 8, 1)


def test_images_are_scaled_once_to_between_0_and_1() -> None:
    output = ObservationInput((8, 8, 1), CPU, BRIGHTEST)(IMAGES)
    assert (output.shape, output.dtype) == ((4, 64), torch.float32)
    np.testing.assert_allclose(output.numpy().ravel(), np.arange(256) / 255, rtol=1e-6)
    assert output.numpy().max() == 1


def test_floats_are_not_scaled_as_images() -> None:
    output = ObservationInput((8, 8, 1), CPU)(IMAGES.astype(np.float32))
    np.testing.assert_array_equal(output.numpy().ravel(), np.arange(256))


def test_statistics_of_images_are_of_the_scaled_ones() -> None:
    inputs = NormalizedObservationInput((8, 8, 1), CPU, BRIGHTEST)
    inputs.observe(IMAGES)
    scaled = IMAGES.reshape(4, 64) / 255
    np.testing.assert_allclose(inputs.mean, scaled.mean(0))
    expected = (scaled - scaled.mean(0)) / np.sqrt(scaled.var(0) + 1e-8)
    np.testing.assert_allclose(inputs(IMAGES).numpy(), expected, atol=1e-5)


def test_codes_are_divided_by_the_largest_that_were_seen() -> None:
    inputs = ObservationInput((3,), CPU, np.array([1, 0, 0]))
    codes = np.array([[1, 8, 0], [0, 10, 0]], np.uint8)
    np.testing.assert_array_equal(inputs(codes).numpy(), codes)  # nothing has been seen
    inputs.observe(codes)
    np.testing.assert_allclose(inputs(codes).numpy(), [[1.0, 0.8, 0.0], [0.0, 1.0, 0.0]], rtol=1e-6)
    inputs.observe(np.array([[1, 5, 4]], np.uint8))
    np.testing.assert_array_equal(inputs.largest, [1, 10, 4])
    for placed in (inputs(torch.tensor(codes)), inputs(codes)):
        np.testing.assert_allclose(placed.numpy()[0], [1.0, 0.8, 0.0], rtol=1e-6)


def test_floats_beside_an_image_are_not_divided() -> None:
    inputs = ObservationInput((3,), CPU, np.array([1, 255, 0]))
    row = np.array([[-3.5, 51.0, 4.0]], np.float32)
    inputs.observe(row)
    for placed in (inputs(torch.tensor(row)), inputs(row)):
        np.testing.assert_allclose(placed.numpy(), [[-3.5, 0.2, 1.0]], rtol=1e-6)


def test_largest_codes_are_kept_where_they_were_learned() -> None:
    first, resumed = (ObservationInput((2,), CPU, np.array([0, 3])) for _ in range(2))
    first.observe(np.array([[7, 2]], np.uint8))
    state = first.state_dict()
    resumed.load_state_dict(state)
    np.testing.assert_array_equal(resumed.largest, [7, 3])
    first.observe(np.array([[9, 2]], np.uint8))
    np.testing.assert_array_equal(state["largest"], [7, 3])
    assert ObservationInput((2,), CPU, np.array([255, 255])).state_dict() == {}


def test_standardised_codes_are_not_divided_too() -> None:
    inputs = NormalizedObservationInput((2,), CPU, np.array([0, 1]))
    inputs.observe(np.array([[6, 0], [8, 1]], np.uint8))
    np.testing.assert_array_equal(inputs.mean, [7, 0.5])
    assert "largest" not in inputs.state_dict()


def test_a_resumed_normaliser_goes_on_to_the_last_bit() -> None:
    first, resumed = (NormalizedObservationInput((2, 2), CPU) for _ in range(2))
    *before, last = pieces(3.0, 2.0)
    for piece in before:
        first.observe(piece)
    resumed.load_state_dict({name: a.copy() for name, a in first.state_dict().items()})
    np.testing.assert_array_equal(resumed(last).numpy(), first(last).numpy())
    for inputs in (first, resumed):
        inputs.observe(last)
    for name, array in first.state_dict().items():
        np.testing.assert_array_equal(resumed.state_dict()[name], array)
        assert array.dtype == np.float64


def test_a_state_that_was_taken_does_not_change_later() -> None:
    inputs = NormalizedObservationInput((2, 2), CPU)
    inputs.observe(pieces(0.0, 1.0)[1])
    state: dict[str, Any] = inputs.state_dict()
    kept = {name: array.copy() for name, array in state.items()}
    inputs.observe(pieces(5.0, 1.0)[4])
    for name, array in kept.items():
        np.testing.assert_array_equal(state[name], array)
