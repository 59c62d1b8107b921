import numpy as np
import pytest

from sac.evaluation import statistics
from sac.evaluation.statistics import bootstrap_interval, interquartile_mean, mean


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0], 3.0),
        ([1.0, 2.0, 9.0], 4.0),
        ([-100.0, 1.0, 2.0, 900.0], 1.5),
        ([900.0, 1.0, 2.0, 3.0, -50.0], 2.0),
        ([8.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 4.5),
    ],
)
def test_interquartile_mean(values: list[float], expected: float) -> None:
    assert interquartile_mean(np.array(values)) == expected
    columns = np.array([values, values[::-1]]).T
    np.testing.assert_array_equal(interquartile_mean(columns), [expected, expected])


def test_interval_of_the_mean_is_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(0).normal(5.0, 2.0, 1000)
    low, high = bootstrap_interval(values, resamples=5000)
    half_width = 1.96 * values.std() / np.sqrt(len(values))
    assert low == pytest.approx(values.mean() - half_width, abs=0.1 * half_width)
    assert high == pytest.approx(values.mean() + half_width, abs=0.1 * half_width)


def test_confidence_is_the_share_inside() -> None:
    values = np.arange(50.0)
    narrow, wide = (bootstrap_interval(values, confidence=share) for share in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_statistic_is_the_one_that_is_resampled() -> None:
    values = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1000.0])
    assert bootstrap_interval(values, mean).high > 100
    assert bootstrap_interval(values, interquartile_mean).low == 1.0


def test_curves_are_resampled_whole() -> None:
    curves = np.array([[0.0, 1.0], [1.0, 0.0]])  # every mean of whole curves sums to 1
    sums = bootstrap_interval(curves, lambda sample: mean(sample).sum(axis=-1))
    assert (sums.low, sums.high) == (1.0, 1.0)


def test_same_seed_same_interval_however_it_is_chunked(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).normal(size=(5, 7))
    first = bootstrap_interval(values, seed=3)
    np.testing.assert_array_equal(bootstrap_interval(values, seed=3), first)
    assert not np.array_equal(bootstrap_interval(values, seed=4), first)
    monkeypatch.setattr(statistics, "CHUNK_NUMBERS", 100)
    chunked = bootstrap_interval(values, seed=3)
    assert np.shape(chunked) == (2, 7)
    np.testing.assert_allclose(chunked, first, atol=0.2)
