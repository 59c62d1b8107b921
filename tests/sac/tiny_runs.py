"""Runs of a second: a small configuration, what they wrote, and environments that fail or hang."""

import csv
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from sac.agent.agent import SACAgent
from sac.config import Config
from sac.config.keys import merge
from sac.exploration.random_actions import RandomActions
from sac.run.checkpoint import find_checkpoint, load_checkpoint
from sac.run.saved_replay import saved_replay
from tests.sac.environments_for_tests import CopyingCountingEnv
from tests.sac.replay.contents import contents

MODULE = "tests.sac.tiny_runs"
TINY: dict[str, Any] = {
    "env": {"id": "CartPole-v1"},
    "agent": {"hidden_sizes": [8]},
    "train": {"total_steps": 60, "learning_starts": 10, "batch_size": 8, "buffer_size": 1000},
    "evaluation": {"every_steps": 30, "episodes": 1},
    "checkpoint": {"every_steps": 20},
    "logging": {"every_steps": 10},
    "device": "cpu",
}


def tiny_config(root: Path, changes: Mapping[str, Any] | None = None) -> Config:
    """TINY with changes, its runs below `root`."""
    config = merge(TINY, {"logging": {"root": str(root)}})
    return Config.from_dict(config if changes is None else merge(config, changes))


def metrics(run: Path, *without: str) -> list[dict[str, str]]:
    """The rows of metrics.csv as text, without the columns of these prefixes and empty cells."""
    with open(run / "metrics.csv", newline="", encoding="utf-8") as file:
        return [
            {name: cell for name, cell in row.items() if cell and not name.startswith(without)}
            for row in csv.DictReader(file)
        ]


def steps_with(run: Path, tag: str) -> list[int]:
    """The steps at which a tag was logged."""
    return [int(row["step"]) for row in metrics(run) if tag in row]


def checkpoint_steps(run: Path) -> list[int]:
    """The steps of the checkpoints, but that of the beginning."""
    return sorted(int(folder.name) for folder in run.glob("checkpoints/*") if folder.name != "0")


def saved_arrays(run: Path, name: str, which: str = "last") -> dict[str, np.ndarray]:
    """The arrays of one file of a checkpoint, or those that its replay.json refers to."""
    checkpoint = load_checkpoint(find_checkpoint(run, which))
    if name != "replay":
        return dict(checkpoint.tensors[name])
    agent = SACAgent.load(checkpoint.folder)
    return contents(saved_replay(checkpoint, agent.observation_encoder, agent.action_codec))


def assert_same_arrays(first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray]) -> None:
    assert first.keys() == second.keys()
    for name, array in first.items():
        assert array.dtype == second[name].dtype, name
        np.testing.assert_array_equal(array, second[name], err_msg=name)


def tiny_options(root: Path, changes: Mapping[str, Any] | None = None) -> list[str]:
    """TINY with changes as options of the train command, the environment and the device aside."""
    sections = merge(merge(TINY, {"logging": {"root": root}}), changes or {})
    return [
        text
        for section, keys in sections.items()
        if section not in ("env", "device")
        for key, value in keys.items()
        for text in (f"--{section}.{key}", str(value))
    ]


class FailingEnv(CopyingCountingEnv):
    """Raises in its step number `fails_at`; hangs in its step number `hangs_at`, and says so.

    With MENDED among the environment variables, it no longer raises.
    """

    def __init__(
        self, fails_at: int | None = None, hangs_at: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.fails_at = fails_at
        self.hangs_at = hangs_at

    def step(self, action: np.ndarray) -> Any:
        if self.steps_in_all + 1 == self.fails_at and "MENDED" not in os.environ:
            raise ValueError("the simulation is unstable")
        if self.steps_in_all + 1 == self.hangs_at:
            print("hanging", file=sys.stderr, flush=True)
            while True:  # a signal that comes just before a long sleep would wait for its end
                time.sleep(0.05)
        return super().step(action)


class FailsOnce(CopyingCountingEnv):
    """Raises in its 30th step, unless there is a file `marker`, which it leaves there."""

    def __init__(self, marker: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.marker = Path(marker)

    def step(self, action: np.ndarray) -> Any:
        if self.steps_in_all == 29 and not self.marker.exists():
            self.marker.touch()
            raise ValueError("the simulation is unstable")
        return super().step(action)


gymnasium.register(
    "FailsOnceForTests-v0", lambda **kwargs: FailsOnce(**kwargs), disable_env_checker=True
)


class NoisyEnv(CopyingCountingEnv):
    """Prints in each step, and can't be closed."""

    def step(self, action: np.ndarray) -> Any:
        print("step", self.steps_in_all, flush=True)
        return super().step(action)

    def close(self) -> None:
        raise ConnectionError("the port is gone")


FAILING = "FailingForTests-v0"
NOISY = "PrintingForTests-v0"
gymnasium.register(FAILING, FailingEnv, disable_env_checker=True)
gymnasium.register(NOISY, NoisyEnv, disable_env_checker=True)


def one_step_each(environment: Any, seed: int = 0) -> RandomActions:
    """Random actions for a collector, a new one in each step."""
    return RandomActions(environment.action_codec, environment.num_envs, 1, seed)
