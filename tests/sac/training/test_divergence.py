"""Numbers that are not finite: named, saved, gone back from, and counted."""

import json
import math
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from safetensors.numpy import load_file

from sac.agent.agent import SACAgent
from sac.agent.loss_guard import LossGuard
from sac.errors import DivergenceError, SACError
from sac.evaluation.evaluate import EvaluationResult
from sac.replay.batch import Batch
from sac.run.checkpoint import load_checkpoint
from sac.training import divergence
from sac.training.divergence import MAX_ROLLBACKS, RecentBatches, count_divergences
from sac.training.train import train
from tests.sac.environments_for_tests import CopyingCountingEnv
from tests.sac.tiny_runs import checkpoint_steps, metrics, saved_arrays, steps_with, tiny_config
from tests.sac.training.test_exact_resume import assert_same_runs, train_until_killed

# protobuf's generated code, not ours
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

MODULE = "tests.sac.training.test_divergence"
TRAP = "TrapForTests-v0"
traps_left = {"count": 0}  # beside the environments, so that going back does not set the trap again


class TrapEnv(CopyingCountingEnv):
    """Gives something that is no number, or a huge one, in its step 33, while traps are left."""

    def __init__(self, trap: str = "reward", value: float = math.nan) -> None:
        super().__init__()
        self.trap, self.value = trap, value

    def step(self, action: np.ndarray) -> Any:
        observation, reward, terminated, truncated, info = super().step(action)
        if self.steps_in_all == 33 and traps_left["count"]:
            traps_left["count"] -= 1
            if self.trap == "reward":
                reward = self.value
            else:
                observation = observation + np.float32(self.value)
        return observation, reward, terminated, truncated, info


TRAP_ENV: Any = TrapEnv  # Gymnasium's types ask for makers that take any keyword
gymnasium.register(TRAP, TRAP_ENV, disable_env_checker=True)


def trapped(
    root: Path, changes: dict[str, Any] | None = None, traps: int = 1, **kwargs: Any
) -> Any:
    traps_left["count"] = traps
    config = tiny_config(root, {"env": {"id": f"{MODULE}:{TRAP}", "kwargs": kwargs}})
    return config if changes is None else config.merged(changes)


ROLLBACK = {"train": {"on_divergence": "rollback"}}


def stopped(config: Any, root: Path, message: str) -> tuple[Path, dict[str, Any]]:
    """Train until it stops; return the run and what it says of its divergence."""
    with pytest.raises(DivergenceError, match=message) as caught:
        train(config)
    (run,) = root.iterdir()
    assert f"--resume {run} goes on from its checkpoint of step 20" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert checkpoint_steps(run) == [20]
    return run, json.loads((run / "divergence-1" / "about.json").read_text())


def saved_batch(run: Path) -> dict[str, np.ndarray]:
    return load_file(run / "divergence-1" / "batch.safetensors")


@pytest.mark.parametrize("trap", ["reward", "observation"])
def test_environment_that_gives_no_number(tmp_path: Path, trap: str) -> None:
    message = f"environment 0 gave the {trap} nan after 32 transitions.*nothing of that step"
    run, told = stopped(trapped(tmp_path, trap=trap), tmp_path, message)
    assert (told["quantity"], told["step"]) == (f"the {trap} of environment 0", 32)
    arrays = saved_batch(run)
    assert arrays.keys() == told["arrays of batch.safetensors"].keys()
    wrong = {name for name, array in arrays.items() if not np.isfinite(array).all()}
    assert wrong == {"reward" if trap == "reward" else "next_observation"}
    assert arrays["observation"].shape == (1, 4)


def test_loss_that_is_no_number(tmp_path: Path) -> None:
    config = trapped(tmp_path, value=1e30)
    message = r"at step \d+: q1_loss .* Likely cause: rewards as large as 1e\+30"
    run, told = stopped(config, tmp_path, message)
    arrays = saved_batch(run)
    assert set(arrays) == {"observation", "action", "reward", "discount", "next_observation"}
    assert arrays["reward"].shape == (8, 1)
    assert arrays["reward"].max() == np.float32(1e30)
    assert told["update"] == told["step"] - 10


def poison(monkeypatch: pytest.MonkeyPatch, at: int, part: str) -> list[Batch]:
    """Let the gradients of an update spoil a network; return the batches of all updates."""
    update = SACAgent.update
    batches: list[Batch] = []

    def diverge(self: SACAgent, batch: Batch) -> Any:
        batches.append(batch.map(np.copy))
        metrics = update(self, batch)
        if self.updates == at:
            owner = self if hasattr(self, part) else self.critic
            for parameter in getattr(owner, part).parameters():
                parameter.data.fill_(math.nan)
        return metrics

    monkeypatch.setattr(SACAgent, "update", diverge)
    return batches


def test_gradient_that_is_no_number_is_told_with_its_own_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = poison(monkeypatch, 15, "soft_q_nets")
    message = "step 26: the gradient of the soft Q networks was not finite in update 15, and"
    run, _ = stopped(trapped(tmp_path, traps=0), tmp_path, message)
    assert len(batches) == 16
    arrays = saved_batch(run)
    for name, array in batches[14].arrays().items():
        np.testing.assert_array_equal(arrays[name], array)


def test_encoder_that_is_no_number_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    poison(monkeypatch, 15, "encoder")
    env = {"id": "tests.sac.images_for_tests:Spot-v0"}
    config = tiny_config(tmp_path, {"env": env, "train": {"updates_per_step": 2}})
    message = "the gradient of the encoder was not finite in update 15, and"
    with pytest.raises(DivergenceError, match=message):
        train(config)


def test_action_that_is_no_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    poison(monkeypatch, 15, "policy_net")
    message = "policy gave the action nan to environment 0 after 25 transitions"
    run, _ = stopped(trapped(tmp_path, traps=0), tmp_path, message)
    assert set(saved_batch(run)) == {"observation", "action"}


def test_weights_that_are_no_numbers_are_never_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(monkeypatch, 30, "target_soft_q_nets")  # the last thing that happens before step 40's
    message = "diverged before step 40: target_soft_q_nets.0.* of the agent is not finite"
    run, told = stopped(trapped(tmp_path, traps=0), tmp_path, message)
    assert not told["arrays of batch.safetensors"]
    assert [path.name for path in (run / "divergence-1").iterdir()] == ["about.json"]
    assert steps_with(run, "train/q1_loss")[-1] == 30


def test_resumed_run_goes_on_from_the_checkpoint_with_other_random_numbers(tmp_path: Path) -> None:
    run, _ = stopped(trapped(tmp_path), tmp_path, "environment 0 gave")
    assert train(resume=run).step == 60
    assert {row["train/rollbacks"] for row in metrics(run) if "train/rollbacks" in row} == {
        "0.0",
        "1.0",
    }
    assert [int(row["step"]) for row in metrics(run)] == sorted(
        {int(row["step"]) for row in metrics(run)}
    )
    whole = train(trapped(tmp_path / "whole", traps=0)).run_directory
    for step, same in ((20, True), (40, False)):
        ours, theirs = (saved_arrays(each, "agent", str(step)) for each in (run, whole))
        weights = "policy_net.net.layers.0.weight"
        assert np.array_equal(ours[weights], theirs[weights]) == same


def test_rollback_goes_on_by_itself_and_ends_as_the_run_that_was_stopped_and_resumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped_run, _ = stopped(trapped(tmp_path / "a"), tmp_path / "a", "environment 0 gave")
    train(resume=stopped_run)
    capsys.readouterr()
    run = train(trapped(tmp_path / "b", ROLLBACK)).run_directory
    told = capsys.readouterr().out
    assert "environment 0 gave the reward nan after 32 transitions" in told
    assert "back at step 20: the run goes on with other random numbers (set 1)" in told
    assert count_divergences(run) == 1
    assert_same_runs(stopped_run, run)


@pytest.mark.parametrize("kills", [[37], [25, 45]])
def test_run_that_went_back_is_resumed_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kills: list[int]
) -> None:
    undisturbed = train(trapped(tmp_path / "undisturbed", ROLLBACK)).run_directory
    run, _ = stopped(trapped(tmp_path / "killed"), tmp_path / "killed", "environment 0 gave")
    for kill in kills:  # the first one before there is a checkpoint that knows
        train_until_killed(monkeypatch, kill, resume=run)
    train(resume=run)
    assert_same_runs(undisturbed, run)


def test_run_that_keeps_diverging_stops(tmp_path: Path) -> None:
    message = r"for the 4th time; --resume .* step 20 "
    with pytest.raises(DivergenceError, match=message):
        train(trapped(tmp_path, ROLLBACK, traps=1000))
    (run,) = tmp_path.iterdir()
    assert count_divergences(run) == MAX_ROLLBACKS + 1 == 4
    traps_left["count"] = 0
    assert train(resume=run).step == 60


def test_divergence_that_cannot_be_recorded_stops_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(document: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(divergence, "encode_document", full)
    with pytest.raises(SACError, match=r"gave the reward nan .* not be recorded: No space left"):
        train(trapped(tmp_path, ROLLBACK))


def test_device_tells_at_the_next_logging_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the flag of a device, on the CPU."""
    init = SACAgent.__init__

    def with_flag(self: SACAgent, *arguments: Any, **keywords: Any) -> None:
        init(self, *arguments, **keywords)
        self.loss_guard = LossGuard(self.optimizers().values(), self.device, is_deferred=True)

    monkeypatch.setattr(SACAgent, "__init__", with_flag)
    batches = poison(monkeypatch, 15, "soft_q_nets")
    config = trapped(tmp_path, {"logging": {"every_steps": 7}}, traps=0)
    message = "step 28: the gradient of the soft Q networks was not finite in update 15, and"
    run, _ = stopped(config, tmp_path, message)
    assert len(batches) == 18
    arrays = saved_batch(run)
    np.testing.assert_array_equal(arrays["reward"], batches[14].reward)


def test_device_is_read_when_the_batches_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(divergence, "KEPT_BYTES", 100)
    box = gymnasium.spaces.Box(-1, 1, (1,), np.float32)
    agent = SACAgent(box, box)
    agent.loss_guard = LossGuard(agent.optimizers().values(), agent.device, is_deferred=True)
    reads: list[int] = []
    recent = RecentBatches()
    monkeypatch.setattr(LossGuard, "read", lambda self: reads.append(len(recent._kept)))
    zeros = np.zeros((2, 1), np.float32)
    batch = Batch(  # 40 bytes
        observation=zeros, action=zeros, reward=zeros, discount=zeros, next_observation=zeros
    )
    for number in range(8):
        agent.updates = number
        recent.add(agent, batch)
        assert recent.of(number + 1)
    assert reads == [3, 3, 3]
    assert not recent.of(5)


def test_a_better_agent_from_before_the_run_went_back_stays_the_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The checkpoint knew a lower return, by which a worse agent took its place."""
    returns = iter([5.0, 3.0, 4.0, 6.0, 2.0])
    monkeypatch.setattr(
        "sac.training.loop.run_episodes",
        lambda *args, **kwargs: EvaluationResult([next(returns)], [1]),
    )
    changes = ROLLBACK | {"evaluation": {"every_steps": 30}}
    result = train(trapped(tmp_path, changes))  # 5 at step 30, then back at step 20
    run = result.run_directory
    assert steps_with(run, "eval/mean_return") == [30, 60]
    assert (result.best_return, load_checkpoint(run / "best").step) == (5.0, 30)
    assert "best/ is of step 30" in _joined(capsys)
    assert [row["eval/best_return"] for row in metrics(run) if "eval/best_return" in row] == [
        "3.0",
        "4.0",
    ]
    more = {"train": {"total_steps": 120}}
    assert train(resume=run, overrides=more).best_return == 6.0
    assert load_checkpoint(run / "best").step == 90


class SpoiltEnv(CopyingCountingEnv):
    """Gives something that is no number in the first step of the first evaluation."""

    made = 0

    def __init__(self, trap: str, value: float) -> None:
        super().__init__()
        SpoiltEnv.made += 1
        self.trap, self.value, self.is_spoilt = trap, value, SpoiltEnv.made == 2

    def step(self, action: np.ndarray) -> Any:
        observation, reward, terminated, truncated, info = super().step(action)
        if self.is_spoilt and self.steps_in_all == 1:
            if self.trap == "reward":
                reward = self.value
            else:
                observation = observation + np.float32(self.value)
        return observation, reward, terminated, truncated, info


@pytest.mark.parametrize("trap", ["reward", "observation"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_an_evaluation_that_is_not_finite_counts_for_nothing(
    tmp_path: Path, trap: str, value: float, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mean of NaN was never beaten again, and one of inf was every goal."""
    SpoiltEnv.made = 0
    changes = {"evaluation": {"every_steps": 20}, "train": {"stop_at_return": 1000.0}}
    result = train(tiny_config(tmp_path, changes), env=lambda: SpoiltEnv(trap, value))
    assert result.stopped is None
    assert f"environment gave the {trap} {value} in step 1 of an evaluation" in _joined(capsys)
    assert steps_with(result.run_directory, "eval/mean_return") == [40, 60]
    assert result.best_return is not None and math.isfinite(result.best_return)
    assert saved_arrays(result.run_directory, "policy", "best")


def _joined(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().out.split())
