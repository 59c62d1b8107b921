"""Runs with one illness each, made by `train` in less than a second, and healthy ones."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from sac.config import Config
from sac.config.keys import merge
from sac.training.train import train

LENGTH = 10


class Patient(gymnasium.Env):
    """Shows a number and rewards an action near it; each argument brings an illness.

    Args:
        reward_factor: On all rewards.
        best_at_bound: Rewards the action itself, the larger the better.
        is_silent: No reward and no end but a time limit.
        feature_factor: On one of the two features.
        observation_factor: On both.
        bound: Of the actions; they are clipped to [-1, 1].
        hides_ends: Truncates where it should terminate, after 4 to 10 steps.
        leaves_space: Observations outside of the space that it declares.
        seconds: That a step takes.
        is_restless: Draws its rewards from fresh entropy, a little.
    """

    def __init__(
        self,
        reward_factor: float = 1.0,
        best_at_bound: bool = False,
        is_silent: bool = False,
        feature_factor: float = 1.0,
        observation_factor: float = 1.0,
        bound: float = 1.0,
        hides_ends: bool = False,
        leaves_space: bool = False,
        seconds: float = 0.0,
        is_restless: bool = False,
    ) -> None:
        self.is_restless = is_restless
        self.reward_factor = reward_factor
        self.best_at_bound = best_at_bound
        self.is_silent = is_silent
        self.factors = np.array([1.0, feature_factor], np.float32) * observation_factor
        self.hides_ends = hides_ends
        self.seconds = seconds
        extent = 0.01 if leaves_space else np.inf
        self.observation_space = spaces.Box(-extent, extent, (2,), np.float32)
        self.action_space = spaces.Box(-bound, bound, (1,), np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.steps = 0
        self.length = int(self.np_random.integers(4, LENGTH + 1)) if self.hides_ends else LENGTH
        return self._observe(), {}

    def step(self, action: Any) -> Any:
        if self.seconds:
            time.sleep(self.seconds)
        self.steps += 1
        taken = float(np.clip(action[0], -1, 1))
        reward = taken if self.best_at_bound else 1 - (taken - self.target) ** 2
        is_over = self.steps == self.length
        is_truncated = is_over and (self.hides_ends or self.is_silent)
        reward = 0.0 if self.is_silent else reward * self.reward_factor
        if self.is_restless:
            reward += 0.01 * np.random.default_rng().random()
        return self._observe(), reward, is_over and not is_truncated, is_truncated, {}

    def _observe(self) -> np.ndarray:
        self.target = float(self.np_random.uniform(-0.5, 0.5))
        return np.array([self.target, self.steps / LENGTH], np.float32) * self.factors


class PartsPatient(Patient):
    """Takes its action in a Dict, beside nine choices, each of which is best at its last."""

    def __init__(self) -> None:
        super().__init__()
        parts = {"x": self.action_space, "picks": spaces.MultiDiscrete([3] * 9)}
        self.action_space = spaces.Dict(parts)

    def step(self, action: Any) -> Any:
        observation, reward, *rest = super().step(action["x"])
        return observation, reward + float(np.mean(action["picks"] == 2)), *rest


PARTS_PATIENT = "PartsPatientForTests-v0"
PARTS: Any = PartsPatient
gymnasium.register(PARTS_PATIENT, PARTS, disable_env_checker=True)
PATIENT = "PatientForTests-v0"
gymnasium.register(PATIENT, lambda **kwargs: Patient(**kwargs), disable_env_checker=True)

HEALTHY: dict[str, Any] = {
    "env": {"id": PATIENT},
    "agent": {
        "hidden_sizes": [32],
        "gamma": 0.9,
        "tau": 0.05,
        "policy_lr": 3e-3,
        "soft_q_lr": 3e-3,
        "alpha_lr": 3e-2,
    },
    "train": {
        "total_steps": 700,
        "learning_starts": 100,
        "batch_size": 64,
        "buffer_size": 2000,
        "updates_per_step": 0.4,
    },
    "evaluation": {"every_steps": 0, "episodes": 5},
    "logging": {"every_steps": 10},
    "device": "cpu",
}
SHORT: dict[str, Any] = {"train": {"total_steps": 400}}


def env(**kwargs: Any) -> dict[str, Any]:
    """Return the change that gives the environment these arguments."""
    return {"env": {"kwargs": kwargs}}


def trained(root: Path, *changes: Mapping[str, Any], source: Any = None) -> Path:
    """Train HEALTHY with changes, below `root`, and return the run's directory."""
    config = merge(HEALTHY, {"logging": {"root": str(root)}})
    for change in changes:
        config = merge(config, change)
    return train(Config.from_dict(config), env=source).run_directory
