"""Every kind of actions: from the policy's units to the environment's and back."""

from typing import Any

import numpy as np
import pytest
from gymnasium import Space, spaces
from gymnasium.vector.utils import batch_space

from sac.errors import SpaceError
from sac.spaces import action_codec
from sac.spaces.actions import PartsActions
from tests.sac.agents_for_tests import ACTION_SPACES

KINDS: dict[str, Space] = {
    **ACTION_SPACES,
    "one whole number": spaces.Box(-3, 4, (), np.int8),
    "unsigned": spaces.Box(0, 255, (2, 2), np.uint8),
    "equal bounds": spaces.Box(np.array([0, 5]), np.array([3, 5]), dtype=np.int64),
    "table of choices": spaces.MultiDiscrete(
        np.array([[3, 4], [2, 5]]), start=np.array([[0, -1], [7, 0]])
    ),
    "binary table": spaces.MultiBinary((2, 3)),
    "Boxes": spaces.Tuple([spaces.Box(-2.0, 3.0, (2,)), spaces.Box(-1, 1, (1,), np.float64)]),
}


def draw(space: Space, n: int = 50) -> Any:
    """Return random units, with the codec."""
    codec = action_codec(space)
    return codec, codec.uniform(n, np.random.default_rng(0))


@pytest.mark.parametrize("kind", KINDS)
def test_units_become_actions_of_the_space_and_come_back(kind: str) -> None:
    space = KINDS[kind]
    codec, units = draw(space)
    assert units.shape == (50, *codec.shape) and codec.size == int(np.prod(codec.shape))
    actions = codec.to_environment(units)
    assert batch_space(space, 50).contains(actions)
    assert codec.contains(actions)
    again = codec.to_environment(codec.to_policy(actions))
    np.testing.assert_allclose(codec.as_array(again), codec.as_array(actions), atol=1e-5)
    assert codec.to_policy(actions).dtype == codec.dtype
    assert np.max(codec.distance(units, actions)) < 1e-6
    assert space.contains(codec.first(codec.to_environment(units[:1])))


@pytest.mark.parametrize("kind", KINDS)
def test_array_holds_an_action_exactly(kind: str) -> None:
    codec, units = draw(KINDS[kind])
    actions = codec.to_environment(units)
    array = codec.as_array(actions)
    assert (array.shape, array.dtype) == ((50, *codec.array_shape), codec.array_dtype)
    np.testing.assert_array_equal(codec.as_array(codec.of_array(array)), array)
    assert batch_space(KINDS[kind], 50).contains(codec.of_array(array))


@pytest.mark.parametrize("kind", KINDS)
def test_random_actions_are_of_the_space_by_its_generator(kind: str) -> None:
    codec, space = action_codec(KINDS[kind]), KINDS[kind]
    space.seed(3)
    first = [codec.sample(space) for _ in range(5)]
    space.seed(3)
    np.testing.assert_array_equal([codec.sample(space) for _ in range(5)], first)
    assert codec.contains(codec.to_environment(np.stack(first)))


def test_each_whole_number_has_an_equal_share() -> None:
    codec = action_codec(spaces.Box(-3, 4, (1,), np.int32))
    units = (np.arange(80, dtype=np.float32)[:, None] + 0.5) / 40 - 1
    assert np.bincount(codec.to_environment(units)[:, 0] + 3).tolist() == [10] * 8
    assert codec.to_environment(np.array([[-1.0], [1.0]])).ravel().tolist() == [-3, 4]
    middles = codec.to_policy(np.arange(-3, 5)[:, None])[:, 0]
    np.testing.assert_allclose(middles, (np.arange(8) + 0.5) / 4 - 1, atol=1e-7)


def test_whole_numbers_of_equal_bounds_are_in_the_middle() -> None:
    codec = action_codec(spaces.Box(5, 5, (1,), np.int32))
    assert codec.to_policy(np.array([[5]])).tolist() == [[0.0]]
    assert codec.to_environment(np.array([[-1.0], [0.3], [1.0]])).tolist() == [[5], [5], [5]]


def test_parts_have_continuous_columns_first_and_names() -> None:
    space = spaces.Dict(
        {
            "grip": spaces.Discrete(3, start=1),
            "deep": spaces.Tuple([spaces.MultiBinary(2), spaces.Box(0, 4, (1, 2), np.int64)]),
            "x": spaces.Box(-2.0, 2.0, (1,)),
        }
    )
    codec = action_codec(space)
    assert isinstance(codec, PartsActions)
    assert [tuple(part) for part in codec.parts] == [
        ("deep/1", 2, ()), ("x", 1, ()), ("deep/0", 0, (2, 2)), ("grip", 0, (3,)),
    ]  # fmt: skip
    action = codec.first(codec.to_environment(np.array([[-1, 0.9, 0.5, 1, 0, 2]], np.float32)))
    assert action["grip"] == 3 and action["x"].tolist() == [1.0]
    binary, whole = action["deep"]
    assert binary.tolist() == [1, 0] and whole.tolist() == [[0, 4]]
    assert codec.row_of(action).tolist() == [1, 0, 0, 4, 3, 1]  # a Dict sorts its keys
    assert space.contains(codec.of_row(codec.row_of(action)))


def test_other_actions_are_not_contained() -> None:
    choices = action_codec(spaces.MultiDiscrete([2, 3], start=[1, 0]))
    assert choices.contains(np.array([[1, 0], [2, 2]]))
    assert not choices.contains(np.array([[0, 0]])) and not choices.contains(np.array([[1, 3]]))
    whole = action_codec(spaces.Box(0, 3, (1,), np.int32))
    assert not whole.contains(np.array([[4]]))


@pytest.mark.parametrize(
    ("space", "words"),
    [
        (spaces.Box(0, np.iinfo(np.int64).max, (2,), np.int64), "beyond 2.53"),
        (spaces.MultiDiscrete(np.zeros(0, np.int64)), "no dimension"),
        (spaces.Dict({}), "no dimension"),
        (spaces.Dict({"a": spaces.Box(-np.inf, 1.0, (2,))}), r"infinite bounds at \(0,\), \(1,\)"),
    ],
    ids=str,
)
def test_spaces_without_use_are_refused(space: Space, words: str) -> None:
    with pytest.raises(SpaceError, match=words):
        action_codec(space)


@pytest.mark.parametrize(
    "space",
    [
        spaces.Dict({"a/b": spaces.Discrete(2), "a": spaces.Dict({"b": spaces.Discrete(3)})}),
        spaces.Dict({"a": spaces.Tuple([spaces.Discrete(2)]), "a/0": spaces.Discrete(3)}),
    ],
)
def test_parts_of_one_name_are_refused(space: Space) -> None:
    """They shared one alpha and one column of metrics.csv."""
    with pytest.raises(SpaceError, match=r"are called 'a/(b|0)' by their keys.*Rename"):
        action_codec(space)
