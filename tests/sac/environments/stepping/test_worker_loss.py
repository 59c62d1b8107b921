"""Workers that die or hang: noticed and started anew, the others where they were; or the end."""

import functools
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from sac.config import EnvConfig
from sac.environments import VectorEnvironment, make_vector_environment
from sac.errors import EnvironmentSetupError, WorkerLostError
from sac.training import collector as collector_module
from sac.training.collector import MAX_RESTARTS, Collector
from sac.training.train import train
from tests.sac.environments.test_environments import run_script
from tests.sac.environments_for_tests import DYING, CopyingCountingEnv, DyingEnv
from tests.sac.tiny_runs import checkpoint_steps, metrics, one_step_each, tiny_config
from tests.sac.training.test_collector import Everything, FixedAgent

MODULE = "tests.sac.environments_for_tests"
SEED, CULPRIT = 5, 1  # environment 1 has the seed 6
LONG = 17  # steps of an episode


@pytest.fixture
def folder(tmp_path: Path) -> str:
    path = tmp_path / "failures"
    path.mkdir()
    return str(path)


@pytest.fixture
def opened() -> Iterator[list[VectorEnvironment]]:
    environments: list[VectorEnvironment] = []
    yield environments
    for environment in environments:
        environment.close()
    assert not multiprocessing.active_children()


def make(
    opened: list[VectorEnvironment], vectorization: Any, step_timeout: float = 60.0, **kwargs: Any
) -> tuple[Collector, "EverythingAndEnds"]:
    config = EnvConfig(num_envs=3, vectorization=vectorization, step_timeout=step_timeout)
    maker = functools.partial(DyingEnv, **kwargs)
    opened.append(make_vector_environment(config, source=maker, seed=SEED))
    replay = EverythingAndEnds()
    agent: Any = FixedAgent()
    randomly = one_step_each(opened[-1])
    return Collector(opened[-1], agent, replay, random_actions=randomly), replay  # type: ignore[arg-type]


class EverythingAndEnds(Everything):
    """Also keeps which episodes were ended from outside."""

    def __init__(self) -> None:
        super().__init__()
        self.truncated: list[list[int]] = []

    def truncate(self, envs: list[int]) -> None:
        self.truncated.append(list(envs))


def rows_of(replay: Everything, seed: int) -> list[list[float]]:
    """Observation and next observation of all transitions of one environment."""
    return [[*row[0], *row[5]] for row in replay.rows if row[0][0] == seed]


def check_that_others_go_on(
    opened: list[VectorEnvironment], folder: str, message: str, lost_at: int, **keys: Any
) -> None:
    disturbed, replay = make(opened, "async", folder=folder, **keys)
    whole, expected = make(opened, "sync", folder=folder, kind="none", at=10**9)
    collected = [disturbed.collect(random=False).transitions for _ in range(31)]
    assert sorted(collected) == [0, *[3] * 30]
    assert collected[lost_at] == 0
    for _ in range(30):
        whole.collect(random=False)
    for i in (0, 2):
        assert rows_of(replay, SEED + i) == rows_of(expected, SEED + i)
    assert rows_of(replay, SEED + CULPRIT) == rows_of(expected, SEED + CULPRIT)[:lost_at]
    assert replay.truncated == [[CULPRIT]]
    assert disturbed.restarts == 1
    (incident,) = disturbed.incidents
    assert message in incident
    assert incident.endswith(f"the episode of environment {CULPRIT} ends truncated")


def test_dead_worker_is_started_anew(opened: list[VectorEnvironment], folder: str) -> None:
    message = "(exit status by environment: {1: 9})"
    check_that_others_go_on(opened, folder, message, lost_at=7)


def test_hung_worker_is_started_anew(opened: list[VectorEnvironment], folder: str) -> None:
    message = "environment 1 took longer than env.step_timeout, 5 seconds"
    check_that_others_go_on(opened, folder, message, lost_at=7, kind="hang", step_timeout=5.0)


def test_worker_that_dies_in_a_reset_is_started_anew(
    opened: list[VectorEnvironment], folder: str
) -> None:
    """All episodes end in the same step here: that step counts for none."""
    disturbed, replay = make(opened, "async", folder=folder, kind="death in reset", at=1)
    collected = [disturbed.collect(random=False).transitions for _ in range(20)]
    assert collected == [3] * (LONG - 1) + [0] + [3] * 3
    assert replay.truncated == [[0, 1, 2]]
    assert [row[0][2] for row in replay.rows[-6:]] == [1.0] * 3 + [2.0] * 3


def test_worker_that_dies_in_the_first_reset_is_started_anew(
    opened: list[VectorEnvironment], folder: str
) -> None:
    disturbed, replay = make(opened, "async", folder=folder, kind="death in reset", at=0)
    collected = [disturbed.collect(random=False).transitions for _ in range(3)]
    assert collected == [0, 3, 3]
    assert replay.truncated == []


def test_worker_that_is_killed_between_two_steps_is_started_anew(
    opened: list[VectorEnvironment], folder: str
) -> None:
    disturbed, _ = make(opened, "async", folder=folder, kind="none")
    disturbed.collect(random=False)
    for number, use in enumerate((disturbed.state, lambda: disturbed.collect(random=False)), 1):
        process: Any = opened[0]._env.processes[CULPRIT]  # type: ignore[attr-defined]
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        use()
        assert disturbed.restarts == number
        assert "{1: -9}" in disturbed.incidents[-1]
    assert disturbed.state()["restarts"] == 2


def test_new_episode_has_a_seed_of_its_own_each_time(
    opened: list[VectorEnvironment], folder: str
) -> None:
    disturbed, _ = make(opened, "async", folder=folder, kind="none")
    disturbed.collect(random=False)
    state = opened[-1].state()
    assert state is not None
    state["recordings"][CULPRIT] = None
    seeds = []
    for number in (1, 2, 1):
        opened[-1].close()
        restored = opened[-1].restart(state, number)
        assert restored.observation is not None
        seeds.append(restored.observation[CULPRIT, 0])
    assert seeds[0] == seeds[2]
    assert len({SEED + CULPRIT, *seeds}) == 3


class SlowAndDeadEnv(CopyingCountingEnv):
    """The first waits for a minute, the second dies at once."""

    def step(self, action: np.ndarray) -> Any:
        if self.seed % 10 == SEED:
            time.sleep(60)
        os._exit(9)


def test_dead_worker_is_noticed_while_another_is_busy(
    opened: list[VectorEnvironment], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sac.environments.stepping.workers.SALVAGE_SECONDS", 0.1)
    config = EnvConfig(num_envs=2, vectorization="async", step_timeout=None)
    environment = make_vector_environment(config, source=SlowAndDeadEnv, seed=SEED)
    opened.append(environment)
    environment.reset()
    start = time.monotonic()
    with pytest.raises(WorkerLostError, match=r"\{1: 9\}"):
        environment.step(np.zeros((2, 1), np.float32))
    assert time.monotonic() - start < 50
    assert environment.state()["recordings"] == [None, None]  # type: ignore[index]


@pytest.fixture
def known_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its seed an environment knows whether it is to die, in a training and after a restart."""
    monkeypatch.setattr("sac.training.setup.integer_seed", lambda sequence: SEED)
    monkeypatch.setattr("sac.environments.stepping.vector.integer_seed", lambda sequence: SEED + 10)


@pytest.mark.usefixtures("known_seeds")
def test_worker_that_keeps_dying_is_given_up(opened: list[VectorEnvironment], folder: str) -> None:
    disturbed, replay = make(opened, "async", folder=folder, times=100)
    with pytest.raises(WorkerLostError, match="the 4th time within 1,000 transitions"):
        for _ in range(100):
            disturbed.collect(random=False)
    assert disturbed.restarts == MAX_RESTARTS
    state = disturbed.state()
    assert state["environment"]["lengths"].tolist()[0] == len(rows_of(replay, SEED)) % LONG
    recordings = state["environment"]["recordings"]
    assert [recording is None for recording in recordings] == [False, True, False]


@pytest.mark.usefixtures("known_seeds")
def test_restarts_of_long_ago_are_forgotten(
    opened: list[VectorEnvironment], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector_module, "RESTART_WINDOW", 20)
    disturbed, _ = make(opened, "async", folder=folder, times=4)
    for _ in range(60):
        disturbed.collect(random=False)
    assert disturbed.restarts == 4


def test_environment_of_the_user_is_not_started_anew(folder: str) -> None:
    maker = functools.partial(DyingEnv, folder=folder)
    vector = gymnasium.vector.AsyncVectorEnv(
        [maker] * 2, autoreset_mode=gymnasium.vector.AutoresetMode.DISABLED, context="forkserver"
    )
    environment = make_vector_environment(EnvConfig(), source=vector, seed=SEED)
    agent: Any = FixedAgent()
    randomly = one_step_each(environment)
    collector = Collector(environment, agent, Everything(), random_actions=randomly)  # type: ignore[arg-type]
    with pytest.raises(WorkerLostError, match=r"\{1: 9\}"):
        for _ in range(10):
            collector.collect(random=False)


MORE = {"train": {"total_steps": 120}}


def dying(root: Path, folder: str, **kwargs: Any) -> Any:
    env = {
        "id": f"{MODULE}:{DYING}",
        "kwargs": {"folder": folder, **kwargs},
        "num_envs": 3,
        "vectorization": "async",
    }
    return tiny_config(root, {"env": env})


@pytest.mark.usefixtures("known_seeds")
def test_training_goes_on_and_counts(
    tmp_path: Path, folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = train(dying(tmp_path / "runs", folder)).run_directory
    assert "{1: 9}" in capsys.readouterr().out
    counts = [row["rollout/worker_restarts"] for row in metrics(run) if "train/alpha" in row]
    assert counts == sorted(counts)
    assert set(counts) == {"0.0", "1.0"}
    assert checkpoint_steps(run)[-1] == 60


@pytest.mark.usefixtures("known_seeds")
def test_training_whose_worker_keeps_dying_ends_and_is_resumed(
    tmp_path: Path, folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(WorkerLostError, match="the 4th time"):
        train(dying(tmp_path / "runs", folder, times=4, at=9).merged(MORE))
    (run,) = (tmp_path / "runs").iterdir()
    assert checkpoint_steps(run)[-1] > 20
    assert f"is saved in {run}, to be resumed" in capsys.readouterr().out
    assert train(resume=run, trust=True).step == 120
    assert "{1: 9}" not in capsys.readouterr().out
    assert metrics(run)[-1]["rollout/worker_restarts"] == "3.0"


def test_constructor_that_fails_in_the_restart_is_told(
    opened: list[VectorEnvironment], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    disturbed, _ = make(opened, "async", folder=folder)

    def fails() -> Any:
        raise EnvironmentSetupError("no memory")

    opened[0]._remake = fails
    with pytest.raises(EnvironmentSetupError, match="no memory"):
        for _ in range(10):
            disturbed.collect(random=False)
    assert disturbed.state()["environment"]["recordings"][0] is not None


def test_workers_that_nobody_closed_do_not_hold_up_the_end(tmp_path: Path) -> None:
    script = """
        from sac.config import EnvConfig
        from sac.environments import make_vector_environment

        if __name__ == "__main__":
            config = EnvConfig(id="CartPole-v1", num_envs=2, vectorization="async")
            environment = make_vector_environment(config, seed=1)
            environment.reset()
            print("reset")
    """
    assert run_script(script, tmp_path, tmp_path) == "reset\n"
