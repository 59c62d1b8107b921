"""The success rate, from an environment's info to what an evaluation says."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from sac.config import EnvConfig
from sac.environments import make_vector_environment
from sac.environments.success import success_of, successes_of
from sac.evaluation.evaluate import run_episodes
from sac.evaluation.random_policy import RandomPolicy
from sac.evaluation.result import EvaluationResult

ENDING_STEP = 3


class Aiming(gymnasium.Env):
    """Succeeds in every episode whose number is even; its info says so in `key`, step by step."""

    observation_space = spaces.Box(-1, 1, (1,))
    action_space = spaces.Box(-1, 1, (1,))

    def __init__(self, key: str = "is_success", *, tells_failures: bool = True) -> None:
        self.key = key
        self.tells_failures = tells_failures
        self.episode = -1

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        self.episode += 1
        self.steps = 0
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> Any:
        self.steps += 1
        is_over = self.steps == ENDING_STEP
        is_success = is_over and self.episode % 2 == 0
        tells = self.tells_failures or is_success
        info = {self.key: np.float32(is_success)} if tells else {"other": 1}
        return np.zeros(1, np.float32), 1.0, False, is_over, info


class SilentFirst(Aiming):
    """An environment of the same vector that never says a word of it."""

    def step(self, action: Any) -> Any:
        return (*super().step(action)[:-1], {})


def evaluated(source: Any, vectorization: str = "sync", num_envs: int = 2) -> EvaluationResult:
    config = EnvConfig("Aiming", num_envs=num_envs, vectorization=vectorization)  # type: ignore[arg-type]
    environment = make_vector_environment(config, source=source)
    try:
        policy = RandomPolicy(environment.action_codec)
        return run_episodes(policy, environment, episodes=6, seed=0, deterministic=False)
    finally:
        environment.close()


@pytest.mark.parametrize("vectorization", ["sync", "async"])
@pytest.mark.parametrize("key", ["is_success", "success"])
def test_rate_is_of_the_last_steps(key: str, vectorization: str) -> None:
    result = evaluated(lambda: Aiming(key), vectorization)
    assert result.successes == [True, False, True] * 2
    assert result.summary()["success_rate"] == result.success_rate == pytest.approx(2 / 3)
    assert result.to_dict()["successes"] == result.successes


@pytest.mark.parametrize("mode", AutoresetMode)
def test_vector_environment_of_the_user_in_every_autoreset_mode(mode: AutoresetMode) -> None:
    makers = [Aiming, Aiming]
    result = evaluated(SyncVectorEnv(makers, autoreset_mode=mode))
    assert result.successes == [True, False, True] * 2


def test_only_successes_are_told() -> None:
    result = evaluated(lambda: Aiming(tells_failures=False), num_envs=1)
    assert result.successes is not None and result.success_rate == 0.5
    assert {type(success) for success in result.successes} == {bool}


def test_an_environment_that_says_nothing_has_no_rate() -> None:
    result = evaluated(SilentFirst)
    assert result.successes is None and result.success_rate is None
    assert result.to_dict()["successes"] is None


@pytest.mark.parametrize(
    ("info", "success"),
    [
        ({}, None),
        ({"is_success": None}, None),
        ({"is_success": 0.0}, False),
        ({"success": np.array([True, False])}, False),
        ({"success": np.array(1)}, True),
        ({"is_success": False, "success": True}, False),
    ],
)
def test_what_an_info_may_hold(info: dict[str, Any], success: bool | None) -> None:
    assert success_of(info) is success


def test_gymnasiums_mask_tells_who_said_something() -> None:
    infos = {"success": np.array([True, False]), "_success": np.array([True, False])}
    assert successes_of(infos, [0, 1]) == [True, None]
    assert successes_of({"success": np.array([True, False])}, [1]) == [False]
    assert successes_of({"final_info": np.array([None])}, [0]) == [None]
