"""The loop: how many updates, when it logs, evaluates and saves, and what it does when it can't."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sac.agent.agent import SACAgent
from sac.errors import DivergenceError, EnvironmentStepError
from sac.evaluation.evaluate import EvaluationResult
from sac.replay.sampling.prioritized import Priorities
from sac.run.checkpoint import find_checkpoint, load_checkpoint
from sac.training import loop as training_loop
from sac.training.collector import Collector
from sac.training.run_state import RunState
from sac.training.train import train
from tests.sac.tiny_runs import (
    FAILING,
    MODULE,
    checkpoint_steps,
    metrics,
    saved_arrays,
    steps_with,
    tiny_config,
)


@pytest.fixture
def steps_of_updates(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The step at which each update was made."""
    steps: list[int] = []
    states: list[RunState] = []
    new, update = RunState.new, SACAgent.update

    def remember(*args: Any) -> RunState:
        states.append(new(*args))
        return states[-1]

    def count(self: SACAgent, batch: Any) -> Any:
        steps.append(states[-1].counters.step)
        return update(self, batch)

    monkeypatch.setattr(RunState, "new", remember)
    monkeypatch.setattr(SACAgent, "update", count)
    return steps


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("updates_per_step", [0.25, 0.29, 1, 2.5])
def test_updates_are_counted_per_transition_exactly(
    tmp_path: Path, steps_of_updates: list[int], updates_per_step: float, num_envs: int
) -> None:
    changes = {
        "env": {"num_envs": num_envs},
        "train": {
            "total_steps": 110,
            "learning_starts": 10,
            "updates_per_step": updates_per_step,
            "batch_size": 1,
        },
        "evaluation": {"every_steps": 0},
        "checkpoint": {"every_steps": 200},
    }
    result = train(tiny_config(tmp_path, changes))
    last = 110 if num_envs == 1 else 111
    assert result.step == last
    for step in range(num_envs, last + 1, num_envs):
        made = sum(at <= step for at in steps_of_updates)
        expected = Fraction(str(updates_per_step)) * max(0, step - 10)
        assert made == expected.__floor__(), step


@pytest.mark.parametrize(("learning_starts", "num_envs"), [(0, 1), (10, 1), (10, 3), (40, 1)])
def test_learning_starts_after_that_many_random_transitions(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    steps_of_updates: list[int],
    learning_starts: int,
    num_envs: int,
) -> None:
    random_steps: list[bool] = []
    collect = Collector.collect

    def remember(self: Collector, *, random: bool) -> Any:
        random_steps.append(random)
        return collect(self, random=random)

    monkeypatch.setattr(Collector, "collect", remember)
    changes = {
        "env": {"num_envs": num_envs},
        "train": {"total_steps": 40, "learning_starts": learning_starts},
    }
    train(tiny_config(tmp_path, changes))
    steps_before = np.arange(len(random_steps)) * num_envs
    assert random_steps == (steps_before < learning_starts).tolist()
    assert all(step > learning_starts for step in steps_of_updates)
    assert bool(steps_of_updates) == (learning_starts < 40)


def test_last_step_ends_with_a_row_an_evaluation_and_a_checkpoint(tmp_path: Path) -> None:
    run = train(tiny_config(tmp_path, {"train": {"total_steps": 47}})).run_directory
    assert steps_with(run, "eval/mean_return") == [30, 47]
    assert checkpoint_steps(run) == [20, 40, 47]
    assert metrics(run)[-1].keys() >= {"train/q1_loss", "eval/std_return", "train/alpha"}
    assert metrics(run)[-1]["step"] == "47"


def test_evaluation_every_0_steps_is_at_the_end_alone(tmp_path: Path) -> None:
    run = train(tiny_config(tmp_path, {"evaluation": {"every_steps": 0}})).run_directory
    assert steps_with(run, "eval/mean_return") == [60]
    assert load_checkpoint(find_checkpoint(run, "best")).step == 60


def test_schedules_shorter_than_a_step_of_all_environments(tmp_path: Path) -> None:
    changes = {
        "env": {"num_envs": 4},
        "train": {"total_steps": 22},
        "evaluation": {"every_steps": 3},
        "checkpoint": {"every_steps": 2, "keep": 10},
        "logging": {"every_steps": 1},
    }
    run = train(tiny_config(tmp_path, changes)).run_directory
    assert steps_with(run, "eval/mean_return") == [4, 8, 12, 16, 20, 24]
    assert steps_with(run, "time/env_steps_per_second") == [4, 8, 12, 16, 20, 24]
    assert checkpoint_steps(run) == [4, 8, 12, 16, 20, 24]


def test_schedules_that_the_number_of_environments_does_not_divide(tmp_path: Path) -> None:
    changes = {"env": {"num_envs": 4}, "evaluation": {"every_steps": 10}}
    run = train(tiny_config(tmp_path, changes)).run_directory
    assert steps_with(run, "eval/mean_return") == [12, 20, 32, 40, 52, 60]


@pytest.mark.parametrize(("keep", "steps"), [(1, [60]), (2, [40, 60]), (9, [20, 40, 60])])
def test_newest_checkpoints_are_kept(tmp_path: Path, keep: int, steps: list[int]) -> None:
    run = train(tiny_config(tmp_path, {"checkpoint": {"keep": keep}})).run_directory
    assert checkpoint_steps(run) == steps


def test_best_is_the_latest_of_the_highest_evaluations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    returns = iter([-3.0, -1.0, -1.0, -2.0])

    def scripted(*args: Any, **kwargs: Any) -> EvaluationResult:
        return EvaluationResult([next(returns)], [1])

    monkeypatch.setattr(training_loop, "run_episodes", scripted)
    changes = {"train": {"total_steps": 40}, "evaluation": {"every_steps": 10}}
    run = train(tiny_config(tmp_path, changes)).run_directory
    assert load_checkpoint(find_checkpoint(run, "best")).step == 30
    best = [float(row["eval/best_return"]) for row in metrics(run) if "eval/best_return" in row]
    assert best == [-3.0, -1.0, -1.0, -1.0]
    assert sorted(path.name for path in (run / "best").iterdir()) == [
        "agent.safetensors",
        "config.json",
        "evaluation.json",
        "manifest.json",
        "policy.json",
        "policy.safetensors",
    ]


def failing(tmp_path: Path, vectorization: str, fails_at: int) -> Any:
    env = {
        "id": f"{MODULE}:{FAILING}",
        "kwargs": {"fails_at": fails_at},
        "vectorization": vectorization,
    }
    return tiny_config(tmp_path, {"env": env})


@pytest.mark.parametrize(
    ("vectorization", "error"), [("sync", ValueError), ("async", EnvironmentStepError)]
)
def test_what_was_learned_before_an_environment_failed_can_be_resumed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    vectorization: str,
    error: type[Exception],
) -> None:
    with pytest.raises(error, match="the simulation is unstable") as caught:
        train(failing(tmp_path, vectorization, fails_at=36))
    told = [str(caught.value), *caught.value.__notes__]
    assert any("environment 0" in text for text in told)
    (run,) = tmp_path.iterdir()
    assert checkpoint_steps(run) == [20, 35]
    assert f"all until step 35 is saved in {run}" in capsys.readouterr().out
    assert int(saved_arrays(run, "agent")["updates"]) == 25
    monkeypatch.setenv("MENDED", "1")
    result = train(resume=run)
    assert result.step == 60
    assert result.evaluation is not None


def test_environment_that_fails_in_evaluation_loses_nothing_either(tmp_path: Path) -> None:
    config = failing(tmp_path, "sync", fails_at=41)
    config = config.merged({"evaluation": {"every_steps": 15, "episodes": 17}})
    with pytest.raises(ValueError, match="unstable"):
        train(config)
    (run,) = tmp_path.iterdir()
    assert checkpoint_steps(run) == [15]


def test_environment_that_fails_at_once_leaves_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unstable"):
        train(failing(tmp_path, "sync", fails_at=1))
    (run,) = tmp_path.iterdir()
    assert not checkpoint_steps(run)


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
def test_policy_that_is_no_number_any_more_stops_the_run_and_is_not_saved(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    env_id: str,
) -> None:
    update = SACAgent.update

    def diverge(self: SACAgent, batch: Any) -> Any:
        metrics = update(self, batch)
        if self.updates == 25:
            for parameter in [self.policy_net.net.flat]:
                parameter.data.fill_(np.nan)
        return metrics

    monkeypatch.setattr(SACAgent, "update", diverge)
    # Discrete actions stay whole numbers, so that only the weights can tell.
    with pytest.raises((DivergenceError, EnvironmentStepError), match="diverged"):
        train(tiny_config(tmp_path, {"env": {"id": env_id}}))
    (run,) = tmp_path.iterdir()
    assert checkpoint_steps(run) == [20]
    assert "stopped by an error" not in capsys.readouterr().out  # nobody tries to save it


def test_priorities_follow_the_errors_of_updates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states: list[RunState] = []
    errors: dict[float, float] = {}  # of the last update on each observation
    betas: list[float] = []
    new, update, draw = RunState.new, SACAgent.update, Priorities.draw

    def remember(*args: Any) -> RunState:
        states.append(new(*args))
        return states[-1]

    def watched(self: SACAgent, batch: Any) -> Any:
        measured = update(self, batch)
        found = measured["td_error"].numpy(force=True)[:, 0]
        errors.update(zip(batch.observation[:, 2].tolist(), found.tolist(), strict=True))
        return measured

    def drawn(self: Priorities, batch_size: int, generator: Any, progress: float) -> Any:
        betas.append(progress)
        return draw(self, batch_size, generator, progress)

    monkeypatch.setattr(RunState, "new", remember)
    monkeypatch.setattr(SACAgent, "update", watched)
    monkeypatch.setattr(Priorities, "draw", drawn)
    changes = {"env": {"num_envs": 2}, "train": {"priority_alpha": 0.5, "updates_per_step": 3}}
    run = train(tiny_config(tmp_path, changes)).run_directory
    assert betas[0] == 12 / 60 and betas[-1] == 1
    replay = states[0].replay_buffer
    rows = replay.rings.transition_rows(np.arange(len(replay)))
    assert replay.priorities is not None
    found = replay.priorities._tree.numbers[rows]
    observations = replay.rings.read(rows).observation[:, 2].tolist()
    pairs = [(p, errors[o]) for p, o in zip(found, observations, strict=True) if o in errors]
    assert len(pairs) > 40
    for priority, error in pairs:
        assert priority == pytest.approx((error + 1e-6) ** 0.5)
    assert float(metrics(run)[-1]["train/td_error"]) > 0


def test_rates_and_resets_follow_the_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are told by the step alone, so that a resumed run does the same."""
    progress: list[float] = []
    resets: list[tuple[int, int]] = []
    monkeypatch.setattr(SACAgent, "anneal", lambda self, share: progress.append(share))
    monkeypatch.setattr(
        SACAgent, "reset", lambda self, streams, number: resets.append((number, self.updates))
    )
    train(tiny_config(tmp_path, {"train": {"reset_at": [40, 25, 50, 1000], "total_steps": 50}}))
    assert progress == pytest.approx(np.arange(1, 51) / 50)
    # After the updates of that step, of which the first is of step 11, and not after the last.
    assert resets == [(1, 15), (2, 30)]


def test_metrics_of_a_delayed_policy_stay_until_the_next(tmp_path: Path) -> None:
    changes = {"agent": {"policy_delay": 4}, "logging": {"every_steps": 1}}
    rows = metrics(train(tiny_config(tmp_path, changes)).run_directory)
    shown = {int(row["step"]): row.get("train/policy_loss") for row in rows}
    assert shown[13] is None  # the fourth update is that of step 14
    assert shown[14] == shown[15] == shown[17] != shown[18]
