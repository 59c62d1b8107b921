"""A run's state on disk: all of it comes back, and what does not fit is refused."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sac.config import Config
from sac.disk import encoding
from sac.environments import make_vector_environment
from sac.errors import CheckpointError, ConfigError, DiskError, SACError, SpaceError
from sac.replay.storage.disk import DiskStorage
from sac.run.checkpoint import load_checkpoint, save_checkpoint
from sac.training.run_state import Counters, RunState, last_checkpoint, save_best
from sac.training.train import train
from tests.sac.environments_for_tests import CopyingCountingEnv
from tests.sac.replay.contents import contents
from tests.sac.tiny_runs import assert_same_arrays, tiny_config

LEARNED = {
    "agent": {"normalize_observations": True},
    "env": {"num_envs": 2},
    "train": {"buffer_size": 25},
}


def new_state(config: Config, run: Path, seed: int = 0) -> RunState:
    environment = make_vector_environment(config.env, seed=seed)
    state = RunState.new(config, environment, storage=DiskStorage())
    state.open_replay(run)
    return state


@pytest.fixture(params=["CartPole-v1", "Pendulum-v1"])
def learned(request: pytest.FixtureRequest, tmp_path: Path) -> RunState:
    """A state whose every part has moved on, its replay wrapped round."""
    config = tiny_config(tmp_path, LEARNED).merged({"env": {"id": request.param}})
    state = new_state(config, tmp_path)
    for i in range(40):
        state.collector.collect(random=i < 20)
    for _ in range(5):
        state.agent.update(state.replay_buffer.sample(8))
    state.counters = Counters(80, 3, Fraction(3, 4), -12.5)
    state.returns.extend([1.5, -2.5])
    return state


def restored(learned: RunState, run: Path, seed: int = 3) -> RunState:
    learned.save(run)
    state = new_state(learned.config, run, seed)
    state.restore(last_checkpoint(run))
    return state


def test_everything_comes_back(learned: RunState, tmp_path: Path) -> None:
    state = restored(learned, tmp_path)
    assert state.counters == learned.counters
    assert state.returns == learned.returns
    assert_same_arrays(state.agent.state_dict(), learned.agent.state_dict())
    assert_same_arrays(contents(state.replay_buffer), contents(learned.replay_buffer))
    for part in ("agent", "replay_buffer"):
        assert getattr(state, part).generator_state() == getattr(learned, part).generator_state()
    random_actions = state.collector.state()["random_actions"]
    assert random_actions == learned.collector.state()["random_actions"]


def test_learning_goes_on_with_the_same_bits(learned: RunState, tmp_path: Path) -> None:
    state = restored(learned, tmp_path)
    for each in (state, learned):
        for _ in range(5):
            each.agent.update(each.replay_buffer.sample(8))
    assert_same_arrays(state.agent.state_dict(), learned.agent.state_dict())
    observations = np.zeros((2, *learned.agent.observation_encoder.shape), np.float32)
    np.testing.assert_array_equal(
        state.agent.explore(observations), learned.agent.explore(observations)
    )


@pytest.mark.parametrize("noise", ["white", "pink"])
def test_each_divergence_goes_on_with_numbers_of_its_own(noise: str, tmp_path: Path) -> None:
    changes = {"env": {"id": "Pendulum-v1"}, "train": {"noise": noise}}

    def numbers(rollbacks: int) -> list[np.ndarray]:
        config = tiny_config(tmp_path, changes)
        state = RunState.new(config, make_vector_environment(config.env, seed=0))
        state.collector.collect(random=True)
        state.collector.collect(random=False)  # a piece of noise is under way
        state.renew_noise(rollbacks)
        for random in (False, True):  # so that the policy sees the same each time
            state.collector.collect(random=random)
        rings = state.replay_buffer.rings
        actions = rings.read(rings.transition_rows(np.arange(4))).action
        draws = state.replay_buffer.sample(30).action
        return [actions[2], actions[3], draws == actions[0]]  # which draws are of the first

    for first, again, other in zip(numbers(1), numbers(1), numbers(2), strict=True):
        np.testing.assert_array_equal(first, again)
        assert (first != other).any()


def test_new_episodes_after_a_resume_do_not_touch_old_transitions(
    learned: RunState, tmp_path: Path
) -> None:
    state = restored(learned, tmp_path)
    before = sorted(transitions(state))
    state.collector.collect(random=True)
    after = transitions(state)
    assert len(set(after) & set(before)) == len(before) - state.environment.num_envs


def transitions(state: RunState) -> list[bytes]:
    """All stored transitions, one text of bytes each."""
    rings = state.replay_buffer.rings
    stored = rings.read(rings.transition_rows(np.arange(len(rings))))
    columns = stored.observation, stored.action, stored.next_observation
    return [b"".join(part.tobytes() for part in row) for row in zip(*columns, strict=True)]


def test_best_makes_no_folder_where_the_runs_has_vanished(
    learned: RunState, tmp_path: Path
) -> None:
    with pytest.raises(DiskError, match="No such file or directory"):
        save_best(tmp_path / "gone", learned.best(1.0))
    assert not (tmp_path / "gone").exists()


def test_best_holds_no_replay_and_cannot_be_resumed(learned: RunState, tmp_path: Path) -> None:
    save_best(tmp_path, learned.best(1.0))
    best = load_checkpoint(tmp_path / "best")
    assert set(best.tensors) == {"policy", "agent"}
    with pytest.raises(CheckpointError, match=r"no state to resume from.*--train.init_from"):
        new_state(learned.config, tmp_path).restore(best)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"env": {"num_envs": 1}}, ConfigError, "env.num_envs: .*expected 2, got 1"),
        ({"train": {"buffer_size": 30}}, ConfigError, "train.buffer_size: .*expected 25, got 30"),
        ({"agent": {"hidden_sizes": [9]}}, CheckpointError, "hidden_sizes"),
        ({"agent": {"num_soft_q_nets": 3}}, CheckpointError, "num_soft_q_nets"),
        ({"agent": {"alpha": 0.1}}, CheckpointError, "alpha"),
        ({"agent": {"normalize_observations": False}}, CheckpointError, "normalize_observations"),
        ({"env": {"id": "MountainCar-v0"}}, SpaceError, "trained on observations"),
    ],
)
def test_what_does_not_fit_is_refused(
    learned: RunState,
    tmp_path: Path,
    changes: dict[str, Any],
    error: type[SACError],
    message: str,
) -> None:
    learned.save(tmp_path)
    with pytest.raises(error, match=message):
        new_state(learned.config.merged(changes), tmp_path).restore(last_checkpoint(tmp_path))


@pytest.mark.filterwarnings("ignore:.*precision lowered")  # Gymnasium's, about YAML's floats
def test_other_bounds_of_actions_are_refused(tmp_path: Path) -> None:
    config = tiny_config(tmp_path, {"env": {"id": "Pendulum-v1"}})
    state = new_state(config, tmp_path)
    state.save(tmp_path)
    wrapper = {
        "class_path": "gymnasium.wrappers.RescaleAction",
        "kwargs": {"min_action": -1.0, "max_action": 1.0},
    }
    rescaled = config.merged({"env": {"wrappers": [wrapper]}})
    with pytest.raises(SpaceError, match="trained on actions"):
        new_state(rescaled, tmp_path).restore(last_checkpoint(tmp_path))


DAMAGE: list[Any] = [
    {},
    {"counters": {}},
    {"counters": {"updates_owed": "1/0"}},
    {"counters": {"step": "many"}},
    {"counters": {"episodes": float("nan")}},
    {"counters": {"episodes": float("inf")}},
    {"counters": {"best_return": [1]}},
    {"returns": ["high"]},
    {"returns": {"__array__": "no such array"}},
    {"returns": 3},
    {"agent": {}},
    {"replay": {"bit_generator": "MT19937"}},
    {"collector": None},
]


@pytest.mark.parametrize("damage", DAMAGE, ids=str)
def test_state_of_another_making_is_an_error_and_no_traceback(
    tmp_path: Path, damage: dict[str, Any]
) -> None:
    state = new_state(tiny_config(tmp_path), tmp_path)
    state.collector.collect(random=True)
    state.counters.step = 1
    state.save(tmp_path)
    saved = last_checkpoint(tmp_path)
    document = saved.documents["state"]
    for name, value in damage.items():
        document[name] = document[name] | value if name == "counters" and value else value
    document = document if damage else {}
    save_checkpoint(
        tmp_path / "checkpoints" / "2",
        {name: saved.tensors[name] for name in saved.tensors},
        saved.documents | {"state": document},
        step=2,
    )
    with pytest.raises(CheckpointError):
        new_state(state.config, tmp_path).restore(last_checkpoint(tmp_path))


def test_state_of_the_very_beginning_can_be_restored(tmp_path: Path) -> None:
    state = new_state(tiny_config(tmp_path), tmp_path)
    fresh = restored(state, tmp_path)
    assert (fresh.counters, len(fresh.replay_buffer)) == (Counters(), 0)


def test_counters_are_json() -> None:
    counters = Counters(5, 2, Fraction(1, 3), None)
    assert Counters.from_json(json.loads(json.dumps(counters.to_json()))) == counters


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_best_return_that_is_not_finite_counts_as_none(value: float) -> None:
    assert Counters.from_json(Counters(best_return=value).to_json()).best_return is None


def test_run_without_checkpoints(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="has no checkpoints"):
        last_checkpoint(tmp_path)


class WithManyNumbers(CopyingCountingEnv):
    """Keeps a table that is another in each episode."""

    def reset(self, **keywords: Any) -> Any:
        self.table = {str(i): self.episode + i for i in range(1000)}
        return super().reset(**keywords)


def test_environments_too_large_for_a_document_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(encoding, "MAX_DOCUMENT_BYTES", 20_000)
    run = train(tiny_config(tmp_path), env=WithManyNumbers).run_directory
    more = {"train": {"total_steps": 80}}
    assert train(resume=run, env=WithManyNumbers, overrides=more).step == 80
    assert "ends truncated" in capsys.readouterr().out
