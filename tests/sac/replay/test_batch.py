"""The batch as users build it."""

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest

import sac

COLUMN = np.ones((2, 1), np.float32)
ARRAYS: dict[str, Any] = {
    name: COLUMN * i
    for i, name in enumerate(("observation", "action", "reward", "discount", "next_observation"))
}


def test_a_batch_is_built_by_keywords_and_never_changes() -> None:
    batch = sac.Batch(**ARRAYS)
    assert batch.weight is None
    build: Any = sac.Batch
    with pytest.raises(TypeError, match="positional"):
        build(*ARRAYS.values())
    with pytest.raises(FrozenInstanceError):
        batch.reward = COLUMN  # type: ignore[misc]


def test_its_arrays_have_names_and_the_weight_is_one_where_it_is_given() -> None:
    assert sac.Batch(**ARRAYS).arrays() == ARRAYS
    weighted = sac.Batch(**ARRAYS, weight=COLUMN)
    assert weighted.arrays() == ARRAYS | {"weight": COLUMN}
    doubled = weighted.map(lambda array: 2 * array)
    for name, array in weighted.arrays().items():
        np.testing.assert_array_equal(getattr(doubled, name), 2 * array)
    assert sac.Batch(**ARRAYS).map(np.copy).weight is None
