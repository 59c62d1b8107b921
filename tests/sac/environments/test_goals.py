"""Rewards of goals, by an environment's own functions: which are used, and what is refused."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.wrappers import FrameStackObservation, TransformReward

from sac.environments.goals import goal_functions
from sac.errors import ConfigError
from tests.sac.goals_for_tests import NEAR, ReachingEnv


class Counting(ReachingEnv):
    """Counts the calls of its reward."""

    calls = 0

    def compute_reward(self, achieved: Any, desired: Any, info: Any) -> Any:
        self.calls += 1
        return super().compute_reward(achieved, desired, info)


class Bits(ReachingEnv):
    """Has goals of bits in a square, and no end of its own."""

    compute_terminated: Any = None

    def __init__(self) -> None:
        super().__init__()
        bits = spaces.MultiBinary((2, 2))
        self.observation_space = spaces.Dict(
            dict.fromkeys(("observation", "achieved_goal", "desired_goal"), bits)
        )

    def compute_reward(self, achieved: Any, desired: Any, info: Any) -> Any:
        assert achieved.dtype == np.int8
        return (achieved == desired).all((-1, -2))


def stored(*goals: Any) -> np.ndarray:
    return np.array(goals, np.float32)


ACHIEVED = stored([0, 0, 0], [1, 1, 1], [0, 1, 0])
DESIRED = stored([0, 0, NEAR / 2], [1, 1, 0], [0, 1, 0])


@pytest.mark.parametrize("is_vectorised", [True, False])
def test_a_batch_is_computed_at_once_where_that_is_the_same(is_vectorised: bool) -> None:
    env = Counting(is_vectorised=is_vectorised, ends=True)
    reward, terminated = goal_functions(TransformReward(env, float))
    env.calls = 0
    values = reward(ACHIEVED, DESIRED)
    assert values.tolist() == [0, -1, 0] and values.dtype == np.float32
    assert env.calls == (1 if is_vectorised else 3)
    assert terminated is not None
    ends = terminated(ACHIEVED, DESIRED)
    assert ends.tolist() == [True, False, True] and ends.dtype == np.bool_


def test_goals_come_in_the_shape_and_dtype_of_their_space() -> None:
    reward, terminated = goal_functions(Bits())
    assert terminated is None
    assert reward(stored([0, 1, 1, 0]), stored([0, 1, 1, 0])).tolist() == [1]


class NeedsInfo(ReachingEnv):
    def compute_reward(self, achieved: Any, desired: Any, info: Any) -> Any:
        return info["energy"]


class Unalike(ReachingEnv):
    def __init__(self) -> None:
        super().__init__()
        parts = dict(self.observation_space.spaces)  # type: ignore[attr-defined]
        self.observation_space = spaces.Dict(parts | {"achieved_goal": spaces.Discrete(3)})


@pytest.mark.parametrize(
    ("env", "message"),
    [
        (gymnasium.make("CartPole-v1"), "expected a Dict observation with observation, achieved"),
        (NeedsInfo(), "compute_reward .* fails for an info without entries.*KeyError: 'energy'"),
        (FrameStackObservation(ReachingEnv(), 2), "as compute_reward takes.*FrameStackObservation"),
        (Unalike(), "goals of Box or MultiBinary, achieved and desired ones alike"),
    ],
)
def test_what_has_no_such_goals_is_refused(env: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^train.hindsight: .*{message}"):
        goal_functions(env)


def test_an_environment_without_a_reward_of_goals_is_refused() -> None:
    class Silent(gymnasium.Env):
        observation_space = ReachingEnv().observation_space

    with pytest.raises(ConfigError, match="expected an environment with compute_reward"):
        goal_functions(Silent())
