"""Stepping environments in this process gives what Gymnasium's own SyncVectorEnv gives."""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from sac.config import EnvConfig
from sac.environments import VectorEnvironment, make_vector_environment
from sac.environments.stepping.sync import SyncSteps
from tests.sac.environments_for_tests import CountingEnv

SEED = 5


class SucceedingEnv(CountingEnv):
    """Says at the end of every other episode that it succeeded, and nothing at other ends."""

    def step(self, action: np.ndarray) -> Any:
        *outcome, info = super().step(action)
        if (outcome[2] or outcome[3]) and self.episode % 2 == 0:
            info = {"is_success": self.episode % 4 == 0}
        return *outcome, info


class Pairs(gymnasium.ObservationWrapper):
    """Observes a tuple, which takes another way."""

    def __init__(self, env: gymnasium.Env) -> None:
        super().__init__(env)
        self.observation_space = spaces.Tuple([env.observation_space, spaces.Discrete(2)])

    def observation(self, observation: np.ndarray) -> Any:
        return observation, 1


def discrete() -> gymnasium.Env:
    return CountingEnv(spaces.Discrete(3, start=1))


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("make", [CountingEnv, SucceedingEnv, discrete])
def test_every_step_is_that_of_gymnasium(
    make: Callable[[], gymnasium.Env], num_envs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = environment(make, num_envs)
    assert isinstance(quick._steppable, SyncSteps)
    monkeypatch.setattr(SyncSteps, "fits", lambda env: False)
    usual = environment(make, num_envs)
    assert not isinstance(usual._steppable, SyncSteps)
    np.testing.assert_array_equal(quick.reset(), usual.reset())
    space = quick.action_space
    space.seed(SEED)
    for _ in range(25):
        actions = np.stack([space.sample() for _ in range(num_envs)])
        ours, theirs = quick.step(actions), usual.step(actions)
        for name in ours._fields:
            one, other = getattr(ours, name), getattr(theirs, name)
            np.testing.assert_array_equal(one, other, err_msg=name)
            if isinstance(one, np.ndarray):
                assert one.dtype == other.dtype


def test_spaces_that_take_more_than_an_array_are_left_to_gymnasium() -> None:
    assert not isinstance(environment(lambda: Pairs(CountingEnv()), 2)._steppable, SyncSteps)


def environment(make: Callable[[], gymnasium.Env], num_envs: int) -> VectorEnvironment:
    config = EnvConfig(num_envs=num_envs)
    return make_vector_environment(config, source=make, seed=SEED)
