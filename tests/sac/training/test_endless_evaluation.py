"""Evaluations that do not end: cut, told of, left at a signal, and made by the resumed run."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sac import evaluate, train
from sac.config import EnvConfig
from sac.environments import VectorEnvironment, make_vector_environment
from sac.environments.limit import with_limit
from sac.evaluation.evaluate import EvaluationStopped, run_episodes
from sac.evaluation.random_policy import RandomPolicy
from sac.training import loop
from sac.training.loop import TrainingLoop
from tests.sac.environments_for_tests import COUNTING, TROUBLE, TroubleEnv
from tests.sac.tiny_runs import (
    assert_same_arrays,
    checkpoint_steps,
    metrics,
    saved_arrays,
    steps_with,
    tiny_config,
)

MODULE = "tests.sac.environments_for_tests"
ENDLESS = {"id": f"{MODULE}:{TROUBLE}"}  # without a trouble, its only one is that it never ends


def limited(config: EnvConfig, max_steps: int | None = 7, **keys: Any) -> VectorEnvironment:
    return make_vector_environment(with_limit(config, max_steps), seed=0, **keys)


@pytest.mark.parametrize("num_envs", [1, 3])
def test_episodes_without_a_limit_are_cut(num_envs: int) -> None:
    environment = limited(EnvConfig(num_envs=num_envs), source=TroubleEnv)
    assert environment.is_endless
    policy = RandomPolicy(environment.action_codec)
    result = run_episodes(policy, environment, episodes=4, seed=0, deterministic=False)
    assert result.lengths == [7] * 4


def test_limit_of_the_environment_itself_stays() -> None:
    environment = limited(EnvConfig("Pendulum-v1"))
    assert not environment.is_endless
    policy = RandomPolicy(environment.action_codec)
    assert run_episodes(policy, environment, episodes=1, seed=0, deterministic=False).lengths == [
        200
    ]


def test_watch_sees_every_step_and_can_end_an_evaluation() -> None:
    environment = limited(EnvConfig(), source=TroubleEnv)
    seen: list[tuple[int, int]] = []

    def watch(finished: int, steps: int) -> bool:
        seen.append((finished, steps))
        return steps == 9

    policy = RandomPolicy(environment.action_codec)
    with pytest.raises(EvaluationStopped):
        run_episodes(policy, environment, episodes=3, seed=0, deterministic=False, watch=watch)
    assert seen == [(int(step >= 7), step) for step in range(1, 10)]


@pytest.mark.parametrize(
    ("max_steps", "told"), [(7, "are cut after 7 steps"), (None, "may never end")]
)
def test_training_says_at_its_start_that_evaluations_have_no_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], max_steps: int | None, told: str
) -> None:
    changes = {"env": ENDLESS, "evaluation": {"max_steps": max_steps, "every_steps": 0}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainingLoop, "_evaluate", lambda self, environment: None)
        train(tiny_config(tmp_path, changes))
    line = f"{ENDLESS['id']} tells Gymnasium of no limit for its episodes: those of evaluations "
    line += f"{told}, if the environment does not end them itself (evaluation.max_steps)"
    assert line in capsys.readouterr().out


def test_cut_episodes_and_slow_evaluations_are_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "TELL_SECONDS", 0.0)
    changes = {"env": ENDLESS, "evaluation": {"max_steps": 7, "episodes": 2}}
    result = train(tiny_config(tmp_path, changes))
    shown = capsys.readouterr().out
    assert "evaluation at step 30: 1 of 2 episodes so far, in 9 steps\n" in shown
    assert "over 2 episodes; 2 of 2 episodes were cut\n" in shown
    with pytest.warns(UserWarning, match="3 of 3 episodes were cut at max_steps"):
        assert evaluate(result.run_directory, episodes=3, max_steps=5).lengths == [5] * 3


@pytest.fixture
def signals() -> Iterator[list[int]]:
    """The steps of the training in whose evaluation a signal is to arrive, each of them once."""
    remaining: list[int] = []
    watch = TrainingLoop._watch

    def signalling(self: TrainingLoop, finished: int, steps: int) -> bool:
        if steps == 2 and self.state.counters.step in remaining:
            remaining.remove(self.state.counters.step)
            signal.raise_signal(signal.SIGINT)
        return watch(self, finished, steps)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainingLoop, "_watch", signalling)
        yield remaining


@pytest.mark.parametrize("kind", ["copy", "same"])
@pytest.mark.parametrize("number", [0, 1])
def test_evaluation_that_a_signal_ends_is_made_by_the_resumed_run(
    tmp_path: Path, signals: list[int], number: int, kind: str
) -> None:
    # The length of an episode depends on how many the environment played before.
    evaluation = {"episodes": 3, "env": kind}
    changes = {"env": {"id": f"{MODULE}:{COUNTING}"}, "evaluation": evaluation}
    whole = train(tiny_config(tmp_path / "whole", changes))
    step = steps_with(whole.run_directory, "eval/mean_return")[number]
    signals.append(step)
    first = train(tiny_config(tmp_path / "parts", changes))
    signals.append(step)
    second = train(resume=first.run_directory, trust=True)
    for part in (first, second):
        assert (part.step, part.interrupted_by) == (step, signal.SIGINT)
    assert step not in steps_with(first.run_directory, "eval/mean_return")
    assert checkpoint_steps(first.run_directory)[-1] == step

    resumed = train(resume=first.run_directory, trust=True)
    assert (resumed.step, resumed.interrupted_by) == (60, None)
    assert resumed.evaluation is not None
    assert metrics(resumed.run_directory, "time/") == metrics(whole.run_directory, "time/")
    for name in ("agent", "state", "replay"):
        assert_same_arrays(
            saved_arrays(resumed.run_directory, name), saved_arrays(whole.run_directory, name)
        )
    again = train(resume=first.run_directory, trust=True)
    assert again.evaluation is None, "nothing is left to do"
    assert np.isfinite(resumed.evaluation.mean_return)
