"""A run that is killed and resumed ends as one that never was: the same bits everywhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import VectorEnv
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sac.training.collector import Collector
from sac.training.loop import TrainingLoop
from sac.training.run_state import RunState
from sac.training.train import train
from tests.sac.agents_for_tests import ACTION_SPACES
from tests.sac.environments_for_tests import NATIVE
from tests.sac.tiny_runs import assert_same_arrays, metrics, saved_arrays, tiny_config

# protobuf's generated code, not ours
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

MODULE = "tests.sac.training.test_exact_resume"
SPACE = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)


class Killed(BaseException):
    """Stands for SIGKILL: nothing is saved on the way out."""


class NoisyEnv(gymnasium.Env):
    """Random in every step, partly by a generator that Gymnasium knows nothing of.

    What it counts goes through all its episodes, and its ends are random too.
    """

    observation_space = action_space = SPACE

    def __init__(self, end: float = 0.08) -> None:
        self.own = np.random.default_rng(7)
        self.end = end
        self.mean = np.zeros(2)
        self.count = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        return self.observe(), {}

    def step(self, action: np.ndarray) -> Any:
        self.count += 1
        self.mean += 0.1 * (action - self.mean)
        reward = float(self.own.normal() + self.mean.sum())
        terminated = bool(self.np_random.random() < self.end)
        return self.observe(), reward, terminated, self.count % 11 == 0, {}

    def observe(self) -> np.ndarray:
        noise = self.np_random.normal(size=2) / (1 + self.count)
        return np.clip(noise + self.mean, -1, 1).astype(np.float32)


class SecretiveEnv(NoisyEnv):
    """Draws fresh entropy in each step, which nobody can bring back."""

    def step(self, action: np.ndarray) -> Any:
        observation, reward, _, _, info = super().step(action)
        noise = np.random.default_rng().random()
        return observation, reward + noise, False, False, info


class CarelessEnv(NoisyEnv):
    """Draws from the generator of the whole process and from one that is hidden from seeds."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = [{"rng": np.random.RandomState()}]
        self.hidden[0]["rng"].seed(np.random.randint(1000))

    def step(self, action: np.ndarray) -> Any:
        observation, reward, *rest = super().step(action)
        noise = np.random.random() + self.hidden[0]["rng"].random()
        return observation, reward + noise, *rest


class Drifting(gymnasium.ObservationWrapper):
    """Carries a statistic from episode to episode."""

    def __init__(self, env: gymnasium.Env) -> None:
        super().__init__(env)
        self.mean: Any = np.zeros(2, np.float32)
        self.count = 0

    def observation(self, observation: np.ndarray) -> np.ndarray:
        self.count += 1
        self.mean = self.mean + (observation - self.mean) / self.count
        return observation - self.mean


class PartsEnv(NoisyEnv):
    """Takes actions of every kind in a Dict, and holds no array of them itself."""

    action_space = ACTION_SPACES["parts"]  # type: ignore[assignment]

    def step(self, action: Any) -> Any:
        assert self.action_space.contains(action), action
        binary, whole = action["deep"]
        return super().step(0.2 * action["arm"] + 0.1 * whole[0] + binary - 0.3 * action["grip"])


PARTS = "PartsForTests-v0"
PARTS_ENV: Any = PartsEnv
gymnasium.register(PARTS, PARTS_ENV, disable_env_checker=True)
NOISY, SECRETIVE = "NoisyForTests-v0", "SecretiveForTests-v0"
CARELESS = "CarelessForTests-v0"
CARELESS_ENV: Any = CarelessEnv
DRIFTING = "DriftingForTests-v0"
DRIFTING_ENV: Any = lambda: Drifting(NoisyEnv())  # noqa: E731
gymnasium.register(DRIFTING, DRIFTING_ENV, disable_env_checker=True)
gymnasium.register(CARELESS, CARELESS_ENV, disable_env_checker=True)
NOISY_ENV: Any = NoisyEnv  # Gymnasium's types ask for makers that take any keyword
SECRETIVE_ENV: Any = SecretiveEnv
gymnasium.register(NOISY, NOISY_ENV, disable_env_checker=True)
gymnasium.register(SECRETIVE, SECRETIVE_ENV, disable_env_checker=True, max_episode_steps=50)

WRAPPERS = [
    {"class_path": "gymnasium.wrappers.FrameStackObservation", "kwargs": {"stack_size": 3}},
    {"class_path": "gymnasium.wrappers.RecordEpisodeStatistics"},
]
CASES: dict[str, dict[str, Any]] = {
    "pendulum": {"env": {"id": "Pendulum-v1"}},
    "cartpole-async": {"env": {"num_envs": 3, "vectorization": "async"}},
    "noisy": {"env": {"id": f"{MODULE}:{NOISY}", "num_envs": 2}},
    # Logs after each step, most of which are without an update.
    "quarter-of-an-update": {"train": {"updates_per_step": 0.25}, "logging": {"every_steps": 1}},
    "two-updates": {"train": {"updates_per_step": 2}},
    "wrapped-ring": {"env": {"num_envs": 2}, "train": {"buffer_size": 15}},
    "normalized": {"agent": {"normalize_observations": True, "alpha": 0.1}},
    "wrappers": {"env": {"id": f"{MODULE}:{DRIFTING}", "wrappers": WRAPPERS}},
    "careless": {"env": {"id": f"{MODULE}:{CARELESS}"}},
    # Checkpoints while an evaluation waits, and between two episodes.
    "same": {
        "env": {"id": f"{MODULE}:{CARELESS}"},
        "evaluation": {"env": "same", "every_steps": 7},
        "checkpoint": {"every_steps": 1},
    },
    "n-step-redq": {
        "env": {"num_envs": 2},
        "agent": {"critic": "redq", "num_soft_q_nets": 4},
        "train": {"n_step": 3, "buffer_size": 25, "random_action_repeat": 4},
    },
    "pink": {"env": {"id": f"{MODULE}:{NOISY}", "num_envs": 2}, "train": {"noise": "pink"}},
    "repeated": {"env": {"id": f"{MODULE}:{NOISY}"}, "train": {"noise": "repeated"}},
    "prioritized": {
        "env": {"num_envs": 2},
        "train": {"priority_alpha": 0.6, "n_step": 3, "buffer_size": 25, "updates_per_step": 2},
    },
    "crossq-dropout": {
        "agent": {
            "critic": "crossq",
            "critic_norm": "batch",
            "policy_norm": "batch",
            "critic_dropout": 0.2,
            "policy_delay": 3,
            "final_lr_fraction": 0.1,
        },
        "train": {"reset_at": [25, 45]},
        "logging": {"every_steps": 1},
    },
    "parts": {
        "env": {"id": f"{MODULE}:{PARTS}", "num_envs": 2},
        "agent": {"alpha_per_part": True},
        "train": {"random_action_repeat": 3, "noise": "pink"},
    },
    "parts-async": {
        "env": {"id": f"{MODULE}:{PARTS}", "num_envs": 2, "vectorization": "async"},
        "train": {"random_action_repeat": 3},
    },
    "cartpole-pink": {"train": {"noise": "pink"}},
    "flashsac": {
        "env": {"id": "Pendulum-v1", "num_envs": 2},
        "agent": {
            "critic": "categorical",
            "network": "flashsac",
            "unit_weights": True,
            "normalize_rewards": True,
            "policy_delay": 2,
            "weight_decay": 0.1,
        },
    },
}


def killed_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Let the run end without a word in the first step at or after `step`."""
    collect = Collector.collect

    def collect_or_die(self: Collector, *, random: bool) -> Any:
        if self._transitions >= step:
            raise Killed
        return collect(self, random=random)

    monkeypatch.setattr(Collector, "collect", collect_or_die)
    monkeypatch.setattr(TrainingLoop, "_rescue", lambda self: None)


def train_until_killed(monkeypatch: pytest.MonkeyPatch, step: int, **arguments: Any) -> None:
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_at(patch, step)
        train(**arguments)


def interrupted_run(
    monkeypatch: pytest.MonkeyPatch, root: Path, changes: dict[str, Any], kills: list[int]
) -> Path:
    train_until_killed(monkeypatch, kills[0], config=tiny_config(root, changes))
    (run,) = root.iterdir()
    for step in kills[1:]:
        train_until_killed(monkeypatch, step, resume=run)
    assert train(resume=run).step >= 60
    return run


def curves(run: Path) -> dict[str, list[tuple[int, float]]]:
    """All that TensorBoard shows of a run, and how often, but for the times."""
    accumulator = EventAccumulator(str(run))
    accumulator.Reload()
    return {
        tag: [(event.step, event.value) for event in accumulator.Scalars(tag)]
        for tag in accumulator.Tags()["scalars"]
        if not tag.startswith("time/")
    }


def assert_same_runs(first: Path, second: Path) -> None:
    """Compare all numbers but times, weights, moments, alpha, the replay and its episodes."""
    assert metrics(first, "time/") == metrics(second, "time/")
    assert curves(first) == curves(second)
    for name in ("agent", "policy", "replay"):
        assert_same_arrays(saved_arrays(first, name), saved_arrays(second, name))
    assert_same_arrays(saved_arrays(first, "agent", "best"), saved_arrays(second, "agent", "best"))


@pytest.mark.parametrize(
    ("case", "device"),
    [
        *(pytest.param(case, "cpu", id=case) for case in CASES),
        *(
            pytest.param(case, "standin", id=f"{case}-standin")
            for case in ("pendulum", "normalized", "prioritized")
        ),
        pytest.param("pendulum", "gpu", id="pendulum-gpu", marks=pytest.mark.gpu),
    ],
    indirect=["device"],
)
def test_killed_twice_and_resumed(
    case: str, device: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {**CASES[case], "device": device}
    undisturbed = train(tiny_config(tmp_path / "undisturbed", changes)).run_directory
    run = interrupted_run(monkeypatch, tmp_path / "killed", changes, [33, 50])
    assert_same_runs(undisturbed, run)


def test_killed_before_the_first_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = train(tiny_config(tmp_path / "undisturbed")).run_directory
    run = interrupted_run(monkeypatch, tmp_path / "killed", {}, [13])
    assert_same_runs(undisturbed, run)


def test_killed_before_anything_was_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed = train(tiny_config(tmp_path / "undisturbed")).run_directory

    def die(*args: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(RunState, "save", die)
        train(tiny_config(tmp_path / "killed"))
    (run,) = (tmp_path / "killed").iterdir()
    assert not (run / "checkpoints").exists()
    train(resume=run)
    assert_same_runs(undisturbed, run)


def test_longer_run_goes_on_where_the_shorter_one_ended(tmp_path: Path) -> None:
    changes = {"evaluation": {"every_steps": 20}}
    whole = train(tiny_config(tmp_path / "whole", changes)).run_directory
    shorter = tiny_config(tmp_path / "parts", {**changes, "train": {"total_steps": 40}})
    run = train(shorter).run_directory
    train(resume=run, overrides={"train": {"total_steps": 60}})
    assert_same_runs(whole, run)


def lost_episode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], **arguments: Any
) -> Path:
    config = tiny_config(tmp_path, {"env": settings})
    train_until_killed(monkeypatch, 27, config=config, **arguments)
    (run,) = tmp_path.iterdir()
    train(resume=run, **arguments)
    return run


def test_episode_that_plays_otherwise_ends_truncated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = lost_episode(tmp_path, monkeypatch, {"id": f"{MODULE}:{SECRETIVE}"})
    message = "the episode of environment 0 could not be gone on with and ends truncated: "
    assert f"{message}the outcome of step 1 of 20 was another" in capsys.readouterr().out
    truncated = saved_arrays(run, "replay")["truncated"]
    assert np.flatnonzero(truncated).tolist() == [19]


def make_native(num_envs: int = 2) -> VectorEnv:
    return gymnasium.make_vec(NATIVE, num_envs, "vector_entry_point", mode="Disabled")


@pytest.mark.parametrize(
    ("env", "arguments"),
    [({"id": NATIVE, "vectorization": "native", "num_envs": 2}, {}), ({}, {"env": make_native})],
    ids=["native", "given"],
)
def test_vector_environment_of_its_own_making_ends_its_episodes_truncated(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    env: dict[str, Any],
    arguments: dict[str, Callable[..., Any]],
) -> None:
    run = lost_episode(tmp_path, monkeypatch, env, **arguments)
    assert "environment 1 could not be gone on with" in capsys.readouterr().out
    assert saved_arrays(run, "replay")["truncated"].any()


def test_environment_of_another_make_is_told(tmp_path: Path, capsys: Any) -> None:
    def make(layers: int) -> gymnasium.Env:
        env: gymnasium.Env = gymnasium.make("CartPole-v1")
        for _ in range(layers):
            env = gymnasium.Wrapper(env)
        return env

    config = tiny_config(tmp_path)
    run = train(config, env=lambda: make(0)).run_directory
    train(resume=run, env=lambda: make(1), overrides={"train": {"total_steps": 70}})
    told = capsys.readouterr().out
    assert "the episode of environment 0 could not be gone on with" in told
    assert "the state of the evaluation's environment could not be brought back" in told
