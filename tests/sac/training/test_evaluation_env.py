"""evaluation.env: another environment, the training's own between two episodes, or none."""

import random
import threading
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from sac.agent.agent import SACAgent
from sac.config import Config
from sac.errors import ConfigError, EnvironmentSetupError
from sac.evaluation.evaluate import evaluate
from sac.training.train import train
from tests.sac.environments_for_tests import CountingEnv
from tests.sac.tiny_runs import assert_same_arrays, saved_arrays, steps_with, tiny_config
from tests.sac.training.test_exact_resume import CarelessEnv

# protobuf's generated code, not ours
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class OnlyEnv(CarelessEnv):
    """One of its kind; keeps the steps of its episodes."""

    made = 0

    def __init__(self) -> None:
        super().__init__()
        OnlyEnv.made += 1
        self.lock = threading.Lock()  # can't be copied
        self.ends: list[int] = []
        self.steps = 0

    def step(self, action: np.ndarray) -> Any:
        self.steps += 1
        observation, reward, terminated, truncated, info = super().step(action)
        if terminated or truncated:
            self.ends.append(self.steps)
        return observation, reward, terminated, truncated, info


def config_with(root: Path, kind: str, **changes: Any) -> Config:
    evaluation = {"env": kind, "every_steps": 20, "episodes": 2}
    return tiny_config(root, {"evaluation": evaluation, **changes})


@pytest.fixture(autouse=True)
def counted() -> None:
    OnlyEnv.made = 0


@pytest.mark.parametrize("kind", ["same", "none"])
def test_no_second_environment_is_made(kind: str, tmp_path: Path) -> None:
    result = train(config_with(tmp_path, kind), env=OnlyEnv)
    assert OnlyEnv.made == 1
    assert (result.evaluation is None) == (kind == "none")
    assert bool(steps_with(result.run_directory, "eval/mean_return")) == (kind == "same")
    action = SACAgent.load(result.run_directory).act(np.zeros(2, np.float32))
    assert action.shape == (2,)


@pytest.mark.parametrize("kind", ["same", "none"])
def test_an_environment_that_cannot_be_copied_is_trained_on(kind: str, tmp_path: Path) -> None:
    env = OnlyEnv()
    with pytest.raises(EnvironmentSetupError, match=r"evaluation\.env: same"):
        train(config_with(tmp_path, "copy"), env=env)
    assert train(config_with(tmp_path, kind), env=env).step == 60


def test_evaluations_lie_between_two_episodes_and_change_nothing(tmp_path: Path) -> None:
    """Not the episodes of the training, though the environment carries much from one to another."""
    runs = {}
    for kind in ("same", "none"):
        runs[kind] = train(config_with(tmp_path / kind, kind), env=OnlyEnv).run_directory
    for name in ("agent", "replay"):
        assert_same_arrays(saved_arrays(runs["same"], name), saved_arrays(runs["none"], name))
    ends = set(steps_with(runs["none"], "rollout/episode_return"))
    evaluated = steps_with(runs["same"], "eval/mean_return")
    first_ends = [min(end for end in ends if end >= due) for due in (20, 40)]
    assert evaluated == [*first_ends, 60]


def test_an_evaluation_in_the_middle_of_the_last_episode_does_not_break_it(tmp_path: Path) -> None:
    """It is played where the training ends; a resumed one goes on with the episode."""
    whole = train(config_with(tmp_path / "whole", "none"), env=OnlyEnv).run_directory
    train_part = {"train": {"total_steps": 40, "learning_starts": 10, "batch_size": 8}}
    train_part["train"]["buffer_size"] = 1000
    run = train(config_with(tmp_path / "parts", "same", **train_part), env=OnlyEnv).run_directory
    assert steps_with(run, "eval/mean_return")[-1] == 40
    assert 40 not in steps_with(run, "rollout/episode_return")
    train(resume=run, env=OnlyEnv, overrides={"train": {"total_steps": 60}})
    for name in ("agent", "replay"):
        assert_same_arrays(saved_arrays(run, name), saved_arrays(whole, name))


def test_an_environment_by_its_id_is_made_once_too(tmp_path: Path) -> None:
    only: Any = OnlyEnv
    gymnasium.register("OnlyForTests-v0", only, disable_env_checker=True)
    for number, kind in enumerate(("same", "none"), 1):
        train(config_with(tmp_path, kind, env={"id": "OnlyForTests-v0"}))
        assert OnlyEnv.made == number


@pytest.mark.parametrize("kind", ["copy", "same"])
def test_the_users_own_generators_are_left_alone(kind: str, tmp_path: Path) -> None:
    def state() -> Any:
        return np.random.get_state()[1].tolist(), random.getstate()  # type: ignore[index]

    np.random.seed(12345)
    random.seed(12345)
    before = state()
    result = train(config_with(tmp_path, kind), env=CarelessEnv)
    assert state() == before
    evaluate(result.run_directory, env=CarelessEnv, episodes=1)
    assert state() == before


def test_each_evaluation_in_the_same_environment_is_of_the_same_episodes(tmp_path: Path) -> None:
    seeds: list[int | None] = []

    class Seeded(CountingEnv):
        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            seeds.append(seed)
            return super().reset(seed=seed, options=options)

    train(config_with(tmp_path, "same"), env=Seeded)
    repeated = [seed for seed in set(seeds) if seeds.count(seed) > 1]
    assert len(repeated) == 3  # two episodes, and the reset after the last
    assert all(seeds.count(seed) == 3 for seed in repeated)
    assert None not in seeds


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"env": {"num_envs": 2}}, r"evaluation\.env: same expects env\.num_envs 1, got 2"),
        ({"logging": {"videos_every_steps": 5}}, r"logging\.videos_every_steps: expected 0"),
    ],
)
def test_what_same_cannot_do_is_refused(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        config_with(tmp_path, "same", **changes)
