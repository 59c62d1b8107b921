"""Random actions are held for as long as asked, and go on where they were."""

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from sac.exploration.random_actions import RandomActions
from sac.spaces import action_codec

BOX = spaces.Box(-1.0, 1.0, (2,), np.float32)
SPACES = [BOX, spaces.Discrete(1000, start=-3)]


def draws(actions: RandomActions, steps: int) -> np.ndarray:
    return np.stack([actions.draw() for _ in range(steps)])


@pytest.mark.parametrize("space", SPACES, ids=str)
@pytest.mark.parametrize("num_envs", [1, 3])
def test_without_repeats_they_are_those_of_the_space(space: Any, num_envs: int) -> None:
    found = draws(RandomActions(action_codec(space), num_envs, 1, seed=5), 4)
    space.seed(5)
    expected = np.stack([[space.sample() for _ in range(num_envs)] for _ in range(4)])
    units = [action_codec(space).to_policy(each) for each in expected]
    np.testing.assert_array_equal(found, units)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_each_is_held(space: Any) -> None:
    found = draws(RandomActions(action_codec(space), 2, 3, seed=0), 12).reshape(4, 3, 2, -1)
    assert (found == found[:, :1]).all()
    assert len(np.unique(found[:, 0, :, 0])) == 8


def test_end_of_an_episode_lets_go_of_its_action_alone() -> None:
    actions = RandomActions(action_codec(BOX), 2, 10, seed=0)
    first = actions.draw().copy()
    actions.end(np.array([False, True]))
    second = actions.draw()
    np.testing.assert_array_equal(second[0], first[0])
    assert (second[1] != first[1]).all()
    following = draws(actions, 10)
    assert (following[:8, 0] == first[0]).all() and (following[8, 0] != first[0]).all()
    assert (following[:9, 1] == second[1]).all() and (following[9, 1] != second[1]).all()


@pytest.mark.parametrize("space", SPACES, ids=str)
@pytest.mark.parametrize("before", [0, 1, 4, 5])
def test_state_goes_on_with_the_same_actions(space: Any, before: int) -> None:
    actions, other = (RandomActions(action_codec(space), 2, 5, seed=s) for s in (0, 1))
    if before:
        draws(actions, before)
    other.load_state(actions.state())
    np.testing.assert_array_equal(draws(other, 12), draws(actions, 12))


def test_state_of_other_environments_is_refused() -> None:
    with pytest.raises(ValueError, match="expected actions of 3 environments, got 2"):
        RandomActions(action_codec(BOX), 3, 5, seed=0).load_state(
            RandomActions(action_codec(BOX), 2, 5, seed=0).state()
        )
