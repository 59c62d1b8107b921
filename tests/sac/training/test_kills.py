"""Trainings that are killed for real, by SIGKILL, again and again, end as one that never was."""

import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sac.config import Config
from sac.replay.storage import disk as replay_storage
from sac.training.collector import Collector
from sac.training.train import train
from tests.sac.faults import Faults, in_a_process_of_its_own, killing
from tests.sac.tiny_runs import checkpoint_steps, metrics, tiny_config
from tests.sac.training.test_exact_resume import assert_same_runs

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="kills a fork of itself"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]
KILLED = -signal.SIGKILL
KEPT: list[Any] = []
CHANGES: dict[str, Any] = {
    "env": {"id": "Pendulum-v1", "num_envs": 2},
    "train": {"buffer_size": 50, "total_steps": 120},
    "checkpoint": {"every_steps": 12, "keep": 2},
    "logging": {"every_steps": 4},
}


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_storage, "SEGMENT_BYTES", 256)


def train_on(config: Config, root: Path, before: Callable[[], Any]) -> None:
    """Start the one run below `root`, or resume it, without a word."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    before()
    runs = list(root.iterdir()) if root.exists() else []
    if runs and (runs[0] / "config.yaml").exists():
        train(resume=runs[0])
    else:
        for run in runs:
            run.rename(root.parent / f"stillborn-{run.name}-{time.monotonic_ns()}")
        train(config)


def kill_in_step(number: int) -> None:
    """Die in the step of this number from now."""
    collect, steps = Collector.collect, 0

    def collect_or_die(self: Collector, *, random: bool) -> Any:
        nonlocal steps
        steps += 1
        if steps == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return collect(self, random=random)

    Collector.collect = collect_or_die  # type: ignore[method-assign]  # of this process alone


def install(faults: Faults) -> None:
    """For as long as the process lives."""
    context = faults.installed()
    context.__enter__()
    KEPT.append(context)  # what nobody holds ends at once


def kill_at_some_time(seconds: float) -> None:
    """Die by the clock, wherever that is: a second thread needs no consent of the first."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # as final as SIGKILL


def deaths(seed: int) -> Any:
    """Ways to die, without end, drawn from a seed."""
    generator = np.random.default_rng(seed)
    while True:
        halfway = bool(generator.integers(2))
        yield partial(kill_in_step, int(generator.integers(1, 25)))
        # A start makes about 25 operations, and a checkpoint as many.
        at = int(generator.integers(1, 90))
        yield lambda at=at, halfway=halfway: install(killing(at, halfway=halfway))


def resume_until_done(config: Config, root: Path, ways: Any, enough: int = 10**9) -> int:
    """Return how often the run was killed; after `enough` times it is left in peace."""
    kills = 0
    while True:
        before = next(ways) if kills < enough else int
        status = in_a_process_of_its_own(partial(train_on, config, root, before))
        if status == 0:
            return kills
        assert status in (KILLED, -signal.SIGALRM), status
        kills += 1


@pytest.mark.parametrize("num_envs", [1, 2])
def test_killed_in_steps_and_checkpoints(tmp_path: Path, num_envs: int) -> None:
    config = tiny_config(tmp_path / "undisturbed", CHANGES).merged({"env": {"num_envs": num_envs}})
    undisturbed = train(config).run_directory
    root = tmp_path / "killed"
    config = config.merged({"logging": {"root": str(root)}})
    kills = resume_until_done(config, root, deaths(num_envs), enough=8)
    assert kills >= 4, "the deaths of this seed must come before the end"
    (run,) = root.iterdir()
    assert_same_runs(undisturbed, run)
    assert checkpoint_steps(run) == checkpoint_steps(undisturbed)
    assert not [path for path in run.iterdir() if path.name.startswith((".", "damaged"))]


@pytest.mark.slow
@pytest.mark.parametrize("env_id", ["Pendulum-v1", "CartPole-v1"])
def test_killed_fifty_times(tmp_path: Path, env_id: str) -> None:
    changes = {
        "env": {"id": env_id, "num_envs": 2},
        "train": {"total_steps": 1200, "buffer_size": 300},
        "evaluation": {"every_steps": 100},
    }
    config = tiny_config(tmp_path / "undisturbed", CHANGES).merged(changes)
    undisturbed = train(config).run_directory
    root = tmp_path / "killed"
    config = config.merged({"logging": {"root": str(root)}})
    generator = np.random.default_rng(9)

    def ways() -> Any:
        for way in deaths(5):
            yield way
            yield partial(kill_at_some_time, float(generator.uniform(0.02, 0.8)))

    kills = resume_until_done(config, root, ways(), enough=60)
    assert kills >= 50
    (run,) = root.iterdir()
    assert_same_runs(undisturbed, run)
    steps = [int(row["step"]) for row in metrics(run)]
    assert steps == sorted(set(steps))
