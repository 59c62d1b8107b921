"""Statistics of a few numbers: robust means and bootstrap intervals."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Statistic = Callable[[np.ndarray], np.ndarray]
CHUNK_NUMBERS = 4_000_000  # resampled at a time: 32 MB, whatever the size of the sample


class Interval(NamedTuple):
    """Lower and upper end, each with the shape of one observation."""

    low: np.ndarray
    high: np.ndarray


def mean(values: np.ndarray) -> np.ndarray:
    """Return the mean over the first axis."""
    return np.mean(values, axis=0)


def interquartile_mean(values: np.ndarray) -> np.ndarray:
    """Return the mean over the first axis without the lowest and the highest quarter.

    A quarter is rounded down, as in rliable (Agarwal et al. 2021, arXiv:2108.13264): of 5 values,
    the lowest and the highest are left out; of fewer than 4, none.
    """
    cut = len(values) // 4
    if cut == 0:
        return mean(values)
    return mean(np.partition(values, (cut, len(values) - cut - 1), axis=0)[cut : len(values) - cut])


STATISTICS: dict[str, Statistic] = {"mean": mean, "iqm": interquartile_mean}


def bootstrap_interval(
    values: np.ndarray,
    statistic: Statistic = mean,
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Return the percentile bootstrap interval of a statistic over the first axis (Efron 1979).

    Whole observations of `values` (n, ...) are resampled, so curves of seeds stay whole. The same
    seed gives the same interval. The interval of a single observation is that observation, and
    means nothing. `statistic` is a function from (m, ...) to (...), such as those in `STATISTICS`.
    """
    generator = np.random.default_rng(seed)
    n = len(values)
    chunk = max(1, CHUNK_NUMBERS // max(1, values.size))
    parts = []
    for start in range(0, resamples, chunk):
        indices = generator.integers(n, size=(n, min(chunk, resamples - start)))
        parts.append(statistic(values[indices]))
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(parts), (tail, 1 - tail), axis=0)
    return Interval(low, high)
