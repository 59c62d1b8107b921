"""Learning from the transitions of other runs and of Minari data sets."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from sac.agent.agent import SACAgent
from sac.config import Config
from sac.config.keys import merge
from sac.environments import VectorEnvironment, make_vector_environment
from sac.errors import ConfigError
from sac.training import demonstrations
from sac.training.demonstrations import read_steps
from sac.training.run_state import RunState
from sac.training.train import train
from tests.sac.tiny_runs import saved_arrays, tiny_config
from tests.sac.training.test_exact_resume import assert_same_runs, interrupted_run

# protobuf's generated code, not ours
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of CartPole in two environments whose rings have wrapped around."""
    changes = {"env": {"num_envs": 2}, "train": {"buffer_size": 45}, "seed": 5}
    return train(tiny_config(tmp_path_factory.mktemp("shown"), changes)).run_directory


LONGER = {"total_steps": 80}


def environment(**env: Any) -> VectorEnvironment:
    return make_vector_environment(Config.from_dict({"env": {"id": "CartPole-v1", **env}}).env)


def config(root: Path, source: Any, **train: Any) -> Config:
    return tiny_config(root, {"train": {"demonstrations": str(source), **train}})


def test_steps_of_a_run_are_those_of_its_replay(shown: Path, tmp_path: Path) -> None:
    steps = read_steps(config(tmp_path, shown), environment())
    saved = saved_arrays(shown, "replay")
    assert len(steps.reward) == 45 == saved["sizes"].sum()
    ring = np.arange(23)  # of the first ring, which has a row more than transitions
    order = [*(saved["head"][0] + 1 + ring[:22]) % 23, *range(23, 47)]
    np.testing.assert_array_equal(steps.observation[:22], saved["observation"][order[:22]])
    goes_on = (steps.next_observation[:-1] == steps.observation[1:]).all(axis=1)
    np.testing.assert_array_equal(goes_on, ~(steps.terminated | steps.truncated)[:-1])
    assert steps.truncated[[21, 44]].all()  # where each ring ends
    before = config(tmp_path, shown / "checkpoints" / "40")
    assert len(read_steps(before, environment()).reward) == 40


CASES: dict[str, dict[str, Any]] = {
    "half": {},
    "quarter": {"train": {"demonstration_fraction": 0.25, "priority_alpha": 0.6, "n_step": 2}},
    "prefilled": {"train": {"demonstration_fraction": 0}},
    "normalized": {"agent": {"normalize_observations": True}, "env": {"num_envs": 2}},
}


@pytest.mark.parametrize(
    ("case", "device"),
    [*((case, "cpu") for case in CASES), ("normalized", "standin")],
    indirect=["device"],
)
def test_killed_twice_and_resumed(
    case: str, device: str, shown: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = merge(CASES[case], {"device": device, "train": {"demonstrations": str(shown)}})
    undisturbed = train(tiny_config(tmp_path / "undisturbed", changes)).run_directory
    run = interrupted_run(monkeypatch, tmp_path / "killed", changes, [33, 50])
    assert_same_runs(undisturbed, run)


def test_each_batch_has_its_part(
    shown: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = {tuple(row) for row in saved_arrays(shown, "replay")["observation"].tolist()}
    counts, update = [], SACAgent.update

    def watched(self: SACAgent, batch: Any) -> Any:
        is_shown = [tuple(row) in others for row in batch.observation.tolist()]
        assert is_shown == sorted(is_shown)
        counts.append(sum(is_shown))
        return update(self, batch)

    monkeypatch.setattr(SACAgent, "update", watched)
    train(config(tmp_path, shown, demonstration_fraction=0.3))
    assert counts == 50 * [2]


def test_they_are_seen_as_the_runs_own_are(shown: Path, tmp_path: Path) -> None:
    changes = {
        "agent": {"normalize_observations": True},
        "train": {"demonstrations": str(shown), "n_step": 2},
    }
    given = tiny_config(tmp_path, changes)
    state = RunState.new(given, environment())
    steps = read_steps(given, environment())
    mean = state.agent.state_dict()["observation_input.mean"]
    np.testing.assert_allclose(mean, steps.observation.mean(axis=0, dtype=np.float64), rtol=1e-5)
    assert state.demonstrations is not None
    rewards = state.demonstrations.replay_buffer.sample(50).reward
    assert set(rewards.ravel().tolist()) == {1.0, float(np.float32(1.99))}


@pytest.mark.parametrize("fraction", [0.5, 0.0])
def test_their_returns_are_seen_where_rewards_are_scaled(
    shown: Path, tmp_path: Path, fraction: float
) -> None:
    """Else the first reward of a sparse task would be multiplied by 1e8."""
    changes = {
        "agent": {"normalize_rewards": True},
        "train": {"demonstrations": str(shown), "demonstration_fraction": fraction},
        "checkpoint": {"keep": 9},
    }
    run = train(tiny_config(tmp_path, changes)).run_directory
    steps = read_steps(config(tmp_path, shown), environment())
    returns, total = [], 0.0
    for reward, ended in zip(steps.reward, steps.terminated | steps.truncated, strict=True):
        total = float(reward) + 0.99 * total
        returns.append(total)
        total = 0.0 if ended else total
    begun = saved_arrays(run, "agent", "0")
    assert begun["reward_scale.count"] == len(returns)
    assert begun["reward_scale.mean"] == pytest.approx(np.mean(returns))
    assert begun["reward_scale.largest"] == pytest.approx(max(returns))


@pytest.mark.parametrize("fraction", [0.5, 0.0])
def test_they_are_seen_by_a_run_that_starts_from_weights(
    shown: Path, tmp_path: Path, fraction: float
) -> None:
    """And by the statistics that came with the weights, too."""
    normalized = {"agent": {"normalize_observations": True, "normalize_rewards": True}}
    first = train(tiny_config(tmp_path / "first", normalized)).run_directory
    start = {"train": {"init_from": str(first)}, "checkpoint": {"keep": 9}}
    given = config(tmp_path, shown, demonstration_fraction=fraction).merged(normalized)
    run = train(given.merged(start)).run_directory
    steps, begun = read_steps(given, environment()), saved_arrays(run, "agent", "0")
    before = saved_arrays(first, "agent", "best")
    for name in ("observation_input", "reward_scale"):
        assert begun[f"{name}.count"] == before[f"{name}.count"] + len(steps.reward), name


def test_bytes_beside_numbers_are_kept_in_bytes(tmp_path: Path) -> None:
    env = {"id": "tests.sac.images_for_tests:Spot-v0", "kwargs": {"sign": True}}
    given = tiny_config(tmp_path, {"env": env, "evaluation": {"env": "none"}})
    given = given.merged({"train": {"demonstrations": str(train(given).run_directory)}})
    state = RunState.new(given, make_vector_environment(given.env))
    steps = read_steps(given, make_vector_environment(given.env))
    assert state.demonstrations is not None
    rings = state.demonstrations.replay_buffer.rings
    assert rings.table.columns["observation"].shape == (len(steps.reward) + 1, 36 * 36 + 4)
    drawn = state.demonstrations.replay_buffer.sample(20).observation
    assert set(map(bytes, drawn)) <= set(map(bytes, steps.observation))


def test_prefilled_replay_begins_with_them(shown: Path, tmp_path: Path) -> None:
    changes = {
        "env": {"num_envs": 3},
        "agent": {"normalize_observations": True},
        "train": {"demonstrations": str(shown), "demonstration_fraction": 0},
        "checkpoint": {"keep": 9},
    }
    run = train(tiny_config(tmp_path, changes)).run_directory
    steps = read_steps(config(tmp_path, shown), environment())
    first = saved_arrays(run, "replay", "0")
    assert first["sizes"].tolist() == [15, 15, 15]
    observations = first["observation"].reshape(3, 16, 4)[:, :15].reshape(45, 4)
    np.testing.assert_array_equal(observations, steps.observation)
    assert saved_arrays(run, "replay")["sizes"].sum() == 45 + 60
    mean = saved_arrays(run, "agent", "0")["observation_input.mean"]
    np.testing.assert_allclose(mean, steps.observation.mean(axis=0, dtype=np.float64), rtol=1e-5)


@pytest.mark.parametrize("num_envs", [1, 2])
def test_a_run_that_has_gone_on_still_shows_what_it_did(tmp_path: Path, num_envs: int) -> None:
    teacher = tiny_config(tmp_path / "teacher", {"env": {"num_envs": num_envs}, "seed": 5})
    source = train(teacher).run_directory
    changes = {
        "agent": {"normalize_observations": True},
        "train": {"demonstrations": str(source)},
    }
    undisturbed = tiny_config(tmp_path / "undisturbed", changes).merged({"train": LONGER})
    expected = train(undisturbed).run_directory
    run = train(tiny_config(tmp_path / "runs", changes)).run_directory
    assert train(resume=source, overrides={"train": LONGER}).step == LONGER["total_steps"]
    assert train(resume=run, overrides={"train": LONGER}).step == LONGER["total_steps"]
    for name, array in saved_arrays(expected, "agent").items():
        np.testing.assert_array_equal(saved_arrays(run, "agent")[name], array)


def test_other_transitions_than_at_the_beginning_are_refused(shown: Path, tmp_path: Path) -> None:
    other = train(tiny_config(tmp_path / "other", {"seed": 6})).run_directory
    run = train(config(tmp_path / "runs", shown)).run_directory
    longer: dict[str, Any] = {"total_steps": 80}
    with pytest.raises(ConfigError, match="expected the transitions that the run began with"):
        train(resume=run, overrides={"train": {**longer, "demonstrations": str(other)}})
    with pytest.raises(ConfigError, match="expected some in each batch"):
        train(resume=run, overrides={"train": {**longer, "demonstrations": None}})
    moved = shown.parent / "moved"
    shown.rename(moved)
    try:
        with pytest.raises(ConfigError, match=r"expected the folder of a run.* got '.*'"):
            train(resume=run, overrides={"train": longer})
        again = {**longer, "demonstrations": str(moved)}
        assert train(resume=run, overrides={"train": again}).step == 80
    finally:
        moved.rename(shown)
    with pytest.raises(ConfigError, match="expected none in each batch"):
        train(resume=other, overrides={"train": {**longer, "demonstrations": str(shown)}})


def test_another_divergence_goes_on_with_other_draws(shown: Path, tmp_path: Path) -> None:
    def draws(number: int) -> list[float]:
        given = config(tmp_path, shown)
        state = RunState.new(given, environment())
        assert state.demonstrations is not None
        state.renew_noise(number)
        return state.demonstrations.replay_buffer.sample(20).observation[:, 0].tolist()

    assert draws(1) == draws(1) != draws(2)


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"id": "Pendulum-v1"}, r"expected observations of Box\(.*, got some of Box\("),
        ({"id": "Acrobot-v1"}, r"expected observations of Box\(.*\(6,\).* got some of .*\(4,\)"),
        (
            {"id": "CartPole-v1", "wrappers": [{"class_path": f"{__name__}.ThreeActions"}]},
            r"expected actions of Discrete\(3\), got some of Discrete\(2\)",
        ),
    ],
)
def test_other_spaces_are_told(
    env: dict[str, Any], message: str, shown: Path, tmp_path: Path
) -> None:
    given = tiny_config(tmp_path / "runs", {"env": env, "train": {"demonstrations": str(shown)}})
    with pytest.raises(ConfigError, match=rf"^train\.demonstrations: {message}"):
        train(given)
    assert not (tmp_path / "runs").exists()


class ThreeActions(gymnasium.Wrapper):
    """Says that it takes one action more."""

    def __init__(self, env: gymnasium.Env) -> None:
        super().__init__(env)
        self.action_space = gymnasium.spaces.Discrete(3)


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ({"demonstration_fraction": 0.5}, "expected train.demonstrations beside it, got 0.5"),
        (
            {"demonstrations": "a", "demonstration_fraction": 0.01, "batch_size": 8},
            r"expected a part of train.batch_size \(8\) that leaves .* got 0.01",
        ),
        ({"demonstrations": "a", "demonstration_fraction": 1}, ".*leaves one .* got 1"),
        ({"demonstrations": "a", "batch_size": 1}, ".*leaves one .* got 0.5"),
    ],
)
def test_a_part_of_nothing_is_refused(train: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=rf"train\.demonstration_fraction: {message}"):
        Config.from_dict({"train": train})


def test_replay_without_room_for_them_is_refused(shown: Path, tmp_path: Path) -> None:
    given = config(tmp_path / "runs", shown, demonstration_fraction=0, buffer_size=44)
    with pytest.raises(ConfigError, match=r"train\.buffer_size: expected at least 45, .* got 44"):
        train(given)
    assert not (tmp_path / "runs").exists()


def test_best_agent_without_its_replay_is_refused(shown: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"train\.demonstrations: .*best' holds no replay"):
        train(config(tmp_path, shown / "best"))
    policy = tmp_path / "policy"
    policy.mkdir()
    for name in ("policy.json", "policy.safetensors"):
        shutil.copy(shown / "best" / name, policy)
    with pytest.raises(ConfigError, match=r"train\.demonstrations: .*policy' holds no replay"):
        train(config(tmp_path, policy))


def test_numbers_that_are_not_finite_are_refused(
    shown: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = read_steps(config(tmp_path, shown), environment())
    for name in ("reward", "observation"):
        column = getattr(steps, name).copy()
        column[7] = np.nan
        spoilt = steps._replace(**{name: column})
        monkeypatch.setattr(demonstrations, "_of_run", lambda *_, spoilt=spoilt: (spoilt, [45]))
        with pytest.raises(ConfigError, match=f"finite numbers, got some that are not in {name}s"):
            train(config(tmp_path, shown))


# -- Minari: a data set made by its own API ---------------------------------------------------


def make_data_set(env_id: str, episodes: int) -> Any:
    """Play random episodes, of which the last is stopped in the middle."""
    minari = pytest.importorskip("minari")
    buffer = pytest.importorskip("minari.data_collector.episode_buffer").EpisodeBuffer
    env, buffers = gymnasium.make(env_id), []
    env.action_space.seed(1)
    for episode in range(episodes):
        observations, steps = [env.reset(seed=episode)[0]], []
        for step in range(10_000):
            action = env.action_space.sample()
            observation, *step_data, _ = env.step(action)
            observations.append(observation)
            steps.append((action, *step_data))
            if any(step_data[1:]) or (episode == episodes - 1 and step == 6):
                break
        actions, rewards, terminations, truncations = map(list, zip(*steps, strict=True))
        buffers.append(
            buffer(
                id=episode,
                observations=observations,
                actions=actions,
                rewards=rewards,
                terminations=terminations,
                truncations=truncations,
                infos={},
            )
        )
    return minari.create_dataset_from_buffers("ours/random-v0", buffers, env, eval_env=env_id)


@pytest.fixture
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.mark.extras
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("env_id", "unit"), [("CartPole-v1", 1), ("Pendulum-v1", 2)])
def test_steps_of_a_minari_data_set(
    env_id: str, unit: int, data_root: Path, tmp_path: Path
) -> None:
    episodes = list(make_data_set(env_id, 4).iterate_episodes())
    sources = ["ours/random-v0", data_root / "ours/random-v0", data_root / "ours/random-v0/data"]
    for source in sources:
        steps = read_steps(config(tmp_path, source), environment(id=env_id))
        start = 0
        for episode in episodes:
            part = slice(start, start := start + len(episode))
            np.testing.assert_array_equal(steps.observation[part], episode.observations[:-1])
            np.testing.assert_array_equal(steps.next_observation[part], episode.observations[1:])
            np.testing.assert_array_equal(steps.action[part] * unit, episode.actions)
            np.testing.assert_allclose(steps.reward[part], episode.rewards, rtol=1e-6)
            np.testing.assert_array_equal(steps.terminated[part], episode.terminations)
            ended = steps.terminated[part] | steps.truncated[part]
            assert np.flatnonzero(ended).tolist() == [len(episode) - 1]
        assert start == len(steps.reward)


@pytest.mark.extras
@pytest.mark.filterwarnings("ignore")
def test_run_learns_from_a_minari_data_set_and_is_resumed(
    data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_data_set("CartPole-v1", 5)
    changes = {"train": {"demonstrations": "ours/random-v0"}}
    undisturbed = train(tiny_config(tmp_path / "undisturbed", changes)).run_directory
    run = interrupted_run(monkeypatch, tmp_path / "killed", changes, [33, 50])
    assert_same_runs(undisturbed, run)


@pytest.mark.extras
@pytest.mark.filterwarnings("ignore")
def test_wrong_minari_data_sets_are_told(data_root: Path, tmp_path: Path) -> None:
    make_data_set("CartPole-v1", 2)
    with pytest.raises(ConfigError, match=r"^train\.demonstrations: expected observations of Box"):
        read_steps(config(tmp_path, "ours/random-v0"), environment(id="Pendulum-v1"))
    with pytest.raises(ConfigError, match=r"got 'no/such-v0': `minari download no/such-v0`"):
        read_steps(config(tmp_path, "no/such-v0"), environment())
    metadata = data_root / "ours/random-v0/data/metadata.json"
    document = json.loads(metadata.read_text())
    metadata.write_text(json.dumps({**document, "minari_version": "99.0"}))
    with pytest.raises(ConfigError, match="can't be read as a Minari data set"):
        read_steps(config(tmp_path, "ours/random-v0"), environment())
    del document["action_space"]
    metadata.write_text(json.dumps(document))
    with pytest.raises(ConfigError, match="does not say what its spaces are"):
        read_steps(config(tmp_path, "ours/random-v0"), environment())


def test_without_minari_its_extra_is_named(
    data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "minari", None)
    with pytest.raises(ConfigError, match=r"folder of a run, got 'ours/random-v0'.*\[minari\]"):
        read_steps(config(tmp_path, "ours/random-v0"), environment())
