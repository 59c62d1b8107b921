"""exp, log, log1p, tanh and sqrt over all of float32: as float64 has them, but for roundings."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.autograd.compiled.drivers import compiled

UNITS = {"exp": 1.0, "log": 1.0, "log1p": 2.5, "tanh": 1.5, "sqrt": 0.51}  # in the last place


def inputs() -> np.ndarray:
    """128 numbers of each power of 2 and sign, 0, -0, infinities, NaN; and where it is hard."""
    every = (np.arange(2**16, dtype=np.uint32) << 16).view(np.float32)
    ranges = [(-1.0, 1.0), (-105.0, 90.0), (0.9, 1.1), (-1e-3, 1e-3), (0.6, 0.65), (8.5, 9.5)]
    return np.concatenate([every, *(np.linspace(*ends, 3001, dtype=np.float32) for ends in ranges)])


@pytest.mark.parametrize("name", UNITS)
@np.errstate(all="ignore")
def test_functions(name: str) -> None:
    function: Callable[..., Any] = getattr(np, name)
    x = inputs()
    expected = function(x.astype(np.float64))
    rounded, ours = expected.astype(np.float32), compiled(lambda xp, a: function(a), x)
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(rounded))
    is_finite = np.isfinite(rounded)
    np.testing.assert_array_equal(ours[~is_finite], rounded[~is_finite])
    unit = np.spacing(np.abs(rounded[is_finite])).astype(np.float64)
    assert np.max(np.abs(ours[is_finite] - expected[is_finite]) / unit) <= UNITS[name]


def test_tanh_keeps_the_sign_of_zero() -> None:
    ours = compiled(lambda xp, a: np.tanh(a), np.array([0.0, -0.0], np.float32))
    assert np.signbit(ours).tolist() == [False, True]
