"""Trainings with goals: what hindsight learns, the success rate, resumes, and what is refused."""

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from sac import train
from sac.config import Config
from sac.errors import ConfigError
from tests.sac.goals_for_tests import REACHING, ReachingEnv
from tests.sac.tiny_runs import (
    assert_same_arrays,
    metrics,
    saved_arrays,
    steps_with,
    tiny_config,
)

LEARNING: dict[str, Any] = {
    "env": {"id": REACHING, "num_envs": 2},
    "agent": {
        "hidden_sizes": [32, 32],
        "gamma": 0.9,
        "tau": 0.02,
        "initial_alpha": 0.1,
        **dict.fromkeys(("policy_lr", "soft_q_lr", "alpha_lr"), 3e-3),
    },
    "train": {"total_steps": 1400, "learning_starts": 200, "batch_size": 128},
    "evaluation": {"every_steps": 0, "episodes": 40},
    "checkpoint": {"every_steps": 10**6},
    "logging": {"histograms_every_steps": 0},
}


def learned(root: Path, hindsight: Any, **env: Any) -> Any:
    config = tiny_config(root, LEARNING).merged({"train": {"hindsight": hindsight}, "env": env})
    return train(config)


def test_goals_are_learned_with_hindsight_alone(tmp_path: Path) -> None:
    result = learned(tmp_path / "with", {"strategy": "future", "goals": 4})
    assert result.evaluation.success_rate == 1
    [row] = [row for row in metrics(result.run_directory) if "eval/success_rate" in row]
    assert float(row["eval/success_rate"]) == 1
    rates = [float(row.get("rollout/success_rate", "nan")) for row in metrics(result.run_directory)]
    assert np.nanmean(rates[-20:]) > np.nanmean(rates[:20])
    assert learned(tmp_path / "without", None).evaluation.success_rate < 0.2


def tiny(root: Path, **changes: Any) -> Config:
    base = {"env": {"id": REACHING}, "train": {"hindsight": {}, "total_steps": 60}}
    return tiny_config(root, base).merged(changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"env": {"num_envs": 3, "kwargs": {"ends": True, "is_vectorised": False}}},
        {"env": {"num_envs": 2, "vectorization": "async"}},
        {"train": {"priority_alpha": 0.6, "priority_beta": 1, "buffer_size": 25}},
    ],
    ids=["several", "async", "priorities"],
)
def test_a_resumed_run_is_the_same(tmp_path: Path, changes: Any) -> None:
    config = tiny(tmp_path, **changes)
    whole = train(config).run_directory
    run = train(config, overrides={"train": {"total_steps": 40}}).run_directory
    train(resume=run, overrides={"train": {"total_steps": 60}})
    for name in ("agent", "replay"):
        assert_same_arrays(saved_arrays(run, name), saved_arrays(whole, name))


def test_demonstrations_of_goals_are_learned_from(tmp_path: Path) -> None:
    first = train(tiny(tmp_path)).run_directory
    for fraction in (0, 0.5):
        shown = {"demonstrations": str(first), "demonstration_fraction": fraction}
        assert train(tiny(tmp_path, train=shown)).step == 60


def test_given_environment_computes_rewards(tmp_path: Path) -> None:
    config = tiny(tmp_path)
    assert train(config, env=ReachingEnv()).step == 60
    assert train(config, env=ReachingEnv, overrides={"env": {"vectorization": "async"}}).step == 60


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"env": {"id": "CartPole-v1"}}, "train.hindsight: expected a Dict observation"),
        ({"train": {"n_step": 3}}, "train.n_step: expected 1 with train.hindsight, got 3"),
        ({"train": {"hindsight": {"goals": 0}}}, "train.hindsight.goals: expected .* got 0"),
        ({"train": {"hindsight": {"strategy": "final"}}}, "hindsight.strategy: expected future"),
        ({"train": {"hindsight": {"goal": 4}}}, "hindsight: expected with strategy and goals or"),
        (
            {"env": {"vectorization": "async"}, "evaluation": {"env": "none"}},
            "expected an environment in this process, .*evaluation.env: copy",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_a_folder_is_made(
    tmp_path: Path, changes: Any, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        train(tiny(tmp_path, **changes))
    assert not list(tmp_path.iterdir())


def test_rewards_that_a_wrapper_changes_are_refused(tmp_path: Path) -> None:
    scaled = [{"class_path": "tests.sac.environments_for_tests.TimesTen"}]
    with pytest.raises(ConfigError, match="none of the first 10 is: such as -10 where it gives -1"):
        train(tiny(tmp_path, env={"wrappers": scaled}))


class LaterChanged(gymnasium.RewardWrapper):
    """Changes rewards from its eleventh on."""

    count = 0

    def reward(self, reward: Any) -> float:
        self.count += 1
        return float(reward) - 5 * (self.count > 10)


def test_a_run_that_was_taken_once_is_taken_when_it_is_resumed(tmp_path: Path) -> None:
    """Its first rewards were overwritten since, and the others are none of compute_reward's."""
    config = tiny(tmp_path, train={"buffer_size": 25, "total_steps": 50})
    run = train(config, env=lambda: LaterChanged(ReachingEnv())).run_directory
    more = {"train": {"total_steps": 60}}
    assert train(resume=run, env=lambda: LaterChanged(ReachingEnv()), overrides=more).step == 60


def test_evaluations_of_other_environments_have_no_success_rate(tmp_path: Path) -> None:
    run = train(tiny_config(tmp_path)).run_directory
    assert not steps_with(run, "eval/success_rate") and steps_with(run, "eval/mean_return")
    assert not steps_with(run, "rollout/success_rate")
