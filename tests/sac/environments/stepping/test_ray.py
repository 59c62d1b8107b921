"""Environments in Ray actors: the bits of async, losses, errors, and actors that play alone."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from sac import Config, train
from sac.config import EnvConfig
from sac.environments import VectorEnvironment, make_vector_environment
from sac.errors import (
    ConfigError,
    DivergenceError,
    EnvironmentSetupError,
    EnvironmentStepError,
    NotFiniteError,
    WorkerLostError,
)
from tests.sac.tiny_runs import assert_same_arrays, metrics, saved_arrays, tiny_config

pytestmark = pytest.mark.extras
MEMORY = 100_000_000


@pytest.fixture(scope="module", autouse=True)
def ray() -> Iterator[Any]:
    found = pytest.importorskip("ray", reason="the extra ray")
    found.init(num_cpus=2, include_dashboard=False, object_store_memory=MEMORY, log_to_driver=False)
    yield found
    found.shutdown()


def environment(num_envs: int = 2, **settings: Any) -> VectorEnvironment:
    config = EnvConfig(id="CartPole-v1", num_envs=num_envs, vectorization="ray", **settings)
    return make_vector_environment(config, seed=3)


def ray_config(root: Path, changes: dict[str, Any] | None = None, **env: Any) -> Config:
    settings = {"env": {"num_envs": 2, "vectorization": "ray", **env}}
    return tiny_config(root, settings).merged(changes or {})


def test_in_step_the_bits_are_those_of_async(tmp_path: Path) -> None:
    runs = [
        train(tiny_config(tmp_path / kind, {"env": {"num_envs": 2, "vectorization": kind}}))
        for kind in ("async", "ray")
    ]
    first, second = (run.run_directory for run in runs)
    assert metrics(first, "time/") == metrics(second, "time/")
    for name in ("agent", "replay"):
        assert_same_arrays(saved_arrays(first, name), saved_arrays(second, name))


def test_in_step_a_resume_is_exact(tmp_path: Path) -> None:
    whole = train(ray_config(tmp_path / "whole")).run_directory
    part = train(ray_config(tmp_path / "part", {"train": {"total_steps": 34}})).run_directory
    train(resume=part, overrides={"train": {"total_steps": 60}})
    assert_same_arrays(saved_arrays(whole, "agent"), saved_arrays(part, "agent"))


def test_an_actor_that_dies_is_lost_and_started_anew() -> None:
    vector = environment()
    vector.reset()
    vector.step(np.zeros(2, np.int64))
    vector.actors._ray.kill(vector.actors.actors[1])
    with pytest.raises(WorkerLostError, match="the Ray actor of environment 1 died"):
        vector.step(np.zeros(2, np.int64))
    state = vector.state()
    assert state is not None
    assert state["recordings"][0] is not None and state["recordings"][1] is None
    restored = vector.restart(state, 1)
    assert list(restored.lost) == [1]
    assert vector.step(np.zeros(2, np.int64)).valid.all()
    vector.close()


class Stubborn(gymnasium.Env[Any, Any]):
    """Raises, dies or hangs in its third step."""

    observation_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, end: str) -> None:
        self.end, self.steps = end, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action: Any) -> Any:
        self.steps += 1
        if self.steps == 3 and self.end == "raise":
            raise RuntimeError("no third step")
        if self.steps == 3 and self.end == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        return np.zeros(2, np.float32), 1.0, False, False, {}


def test_what_an_environment_raises_is_told() -> None:
    config = EnvConfig(num_envs=2, vectorization="ray")
    vector = make_vector_environment(config, source=lambda: Stubborn("raise"), seed=0)
    vector.reset()
    for _ in range(2):
        vector.step(np.zeros(2, np.int64))
    with pytest.raises(EnvironmentStepError, match="environment 0 raised RuntimeError: no third"):
        vector.step(np.zeros(2, np.int64))


def test_what_a_constructor_raises_is_told() -> None:
    config = EnvConfig(id="Pendulum-v1", kwargs={"gravity": 9}, vectorization="ray")
    with pytest.raises(EnvironmentSetupError, match=r"Ray actor: TypeError: .*'gravity'"):
        make_vector_environment(config, seed=0)


def test_playing_alone_keeps_updates_lag_and_order(tmp_path: Path) -> None:
    run = train(ray_config(tmp_path, {"train": {"total_steps": 400}}, max_lag=8))
    rows = [row for row in metrics(run.run_directory) if "rollout/policy_lag" in row]
    assert rows and all(0 <= float(row["rollout/policy_lag"]) <= 3 * 8 for row in rows)
    assert run.step in (400, 401)
    updates = saved_arrays(run.run_directory, "agent")["updates"]
    assert int(updates) == run.step - 10  # learning_starts
    replay = saved_arrays(run.run_directory, "replay")
    assert len(replay["reward"]) == run.step + 2  # and the newest next observation of each


def test_playing_alone_never_acts_with_older_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sac.training.actors import ActorCollector

    lags: list[float] = []
    hear = ActorCollector._hear

    def watched(self: ActorCollector, seconds: float) -> None:
        lags.extend(self._agent.updates - play.updates for play in self._plays.values())
        hear(self, seconds)

    monkeypatch.setattr(ActorCollector, "_hear", watched)
    train(ray_config(tmp_path, {"train": {"total_steps": 300}}, max_lag=6))
    assert 0 < max(lags) <= 6


def test_playing_alone_survives_a_lost_actor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sac.training.actors import ActorCollector

    stored = ActorCollector._stored

    def killing(self: ActorCollector) -> Any:
        if self._transitions == 100 and not self.restarts:
            self._actors._ray.kill(self._actors.actors[0])
        return stored(self)

    monkeypatch.setattr(ActorCollector, "_stored", killing)
    run = train(ray_config(tmp_path, {"train": {"total_steps": 400}}, max_lag=8))
    assert metrics(run.run_directory)[-1]["rollout/worker_restarts"] == "1.0"
    assert "its episode ends truncated" in capsys.readouterr().out


def test_playing_alone_ends_at_one_loss_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sac.training import actors

    stored = actors.ActorCollector._stored

    kills = iter([0])

    def killing(self: actors.ActorCollector) -> Any:
        if self._transitions == 100 and next(kills, None) is not None:
            self._actors._ray.kill(self._actors.actors[0])
        return stored(self)

    monkeypatch.setattr(actors.ActorCollector, "_stored", killing)
    monkeypatch.setattr(actors, "MOST_LOSSES", 0)
    with pytest.raises(WorkerLostError, match=r"environment 0 is lost.* the 1th time") as caught:
        train(ray_config(tmp_path, {"train": {"total_steps": 400}}, max_lag=8))
    assert str(caught.value).count("That was") == 1  # not that all were started anew, three times


def test_playing_alone_has_time_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sac.training.actors import ActorCollector

    left: list[float] = []
    hear = ActorCollector._hear

    def watched(self: ActorCollector, seconds: float) -> None:
        left.extend(play.until - time.monotonic() for play in self._plays.values() if not left)
        hear(self, seconds)

    monkeypatch.setattr(ActorCollector, "_hear", watched)
    train(ray_config(tmp_path, max_lag=8, step_timeout=20))
    assert left[0] > 20 * 2  # two steps a play


class Blind(Stubborn):
    """Gives a reward that is no number in its third step."""

    def step(self, action: Any) -> Any:
        observation, reward, *ends = super().step(action)
        return observation, float("nan") if self.steps == 3 else reward, *ends


def test_playing_alone_numbers_are_judged_as_in_step(tmp_path: Path) -> None:
    config = ray_config(tmp_path, num_envs=1, max_lag=8)
    with pytest.raises(DivergenceError, match=r"^environment 0 gave the reward nan"):
        train(config, env=lambda: Blind("blind"))
    assert list(tmp_path.rglob("divergence-1"))


def test_an_error_names_its_environment_here() -> None:
    from sac.training.actors import _raised

    there = NotFiniteError("environment 0 gave nan", quantity="the reward of environment 0")
    here = _raised(2, there)
    assert isinstance(here, NotFiniteError) and str(here) == "environment 2 gave nan"
    assert here.quantity == "the reward of environment 2"


def test_playing_alone_resumes_with_truncated_episodes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = train(ray_config(tmp_path, max_lag=8)).run_directory
    assert "neither the bits of this run nor its resume are exact" in capsys.readouterr().out
    again = train(resume=run, overrides={"train": {"total_steps": 120}})
    assert again.step in (120, 121)
    assert "could not be gone on with and ends truncated" in capsys.readouterr().out


@pytest.mark.slow
def test_a_lost_node_is_survived(tmp_path: Path, ray: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from ray.cluster_utils import Cluster

    from sac.training.actors import ActorCollector

    ray.shutdown()
    head = {"num_cpus": 1, "object_store_memory": MEMORY, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    nodes = [cluster.add_node(num_cpus=1, object_store_memory=MEMORY) for _ in range(2)]
    stored = ActorCollector._stored

    def losing(self: ActorCollector) -> Any:
        if self._transitions >= 600 and not removed:
            asked = [actor.__ray_call__.remote(node_of) for actor in self._actors.actors]
            used = ray.get(asked)
            # One that has an actor: which of the nodes get one is Ray's choice.
            removed.append(next(node for node in nodes if node.node_id in used))
            cluster.remove_node(removed[0], allow_graceful=False)
        return stored(self)

    removed: list[Any] = []
    monkeypatch.setattr(ActorCollector, "_stored", losing)
    try:
        config = ray_config(
            tmp_path,
            {"train": {"total_steps": 3000}},
            num_envs=6,
            max_lag=30,
            ray_address=cluster.address,
        )
        result = train(config)
        assert result.step >= 3000
        assert float(metrics(result.run_directory)[-1]["rollout/worker_restarts"]) >= 1
    finally:
        ray.shutdown()
        cluster.shutdown()
        ray.init(num_cpus=2, include_dashboard=False, object_store_memory=MEMORY)


def node_of(actor: Any) -> str:
    import ray

    node: str = ray.get_runtime_context().get_node_id()
    return node


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"env": {"max_lag": 5}}, "env.max_lag: expected env.vectorization: ray"),
        ({"env": {"ray_address": "auto"}}, "env.ray_address: expected env.vectorization: ray"),
        (
            {"env": {"max_lag": 3, "vectorization": "ray", "num_envs": 4}},
            "env.max_lag: expected 0, or at least 4",
        ),
        (
            {"env": {"max_lag": 9, "vectorization": "ray"}, "evaluation": {"env": "same"}},
            "evaluation.env: expected copy or none with env.max_lag 9",
        ),
    ],
)
def test_refusals(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        tiny_config(tmp_path, changes)
    assert words in str(caught.value)
