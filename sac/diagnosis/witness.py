"""A witness between an evaluation and its environment, which remembers what the checks need."""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sac.environments import Episode, Step, VectorEnvironment


@dataclass(frozen=True)
class Played:
    """An episode: its beginning, its outcome, its end."""

    observation: NDArray  # the first, encoded
    action: NDArray  # the first, in policy units
    discounted_return: float
    length: int
    truncated: bool
    last_observation: NDArray
    late_reward: float  # mean of a step in its second half
    success: bool | None  # None if the environment does not report it


class Witness:
    """A vector environment for `run_episodes` that notes its episodes in `played`."""

    def __init__(self, environment: VectorEnvironment, gamma: float) -> None:
        self.num_envs = environment.num_envs
        self.played: list[Played] = []
        self._environment = environment
        self._gamma = gamma
        self._seconds: list[float] = []

    @property
    def seconds_per_step(self) -> float | None:
        """Return the usual time of a step of one environment, without the agent's part."""
        # The median, as the machine may do something else now and then.
        return float(np.median(self._seconds)) if self._seconds else None

    def reset(self, seed: int | None = None) -> NDArray:
        """Reset the environment."""
        self._observation = self._environment.reset(seed)
        self._starts: list[tuple[NDArray, NDArray] | None] = [None] * self.num_envs
        self._discounts = np.ones(self.num_envs)
        self._returns = np.zeros(self.num_envs)
        self._rewards: list[list[float]] = [[] for _ in range(self.num_envs)]
        return self._observation

    def step(self, actions: NDArray) -> Step:
        """Step the environment, and note the beginnings and ends of episodes."""
        began = time.perf_counter()
        step = self._environment.step(actions)
        seconds = time.perf_counter() - began
        self._seconds.append(seconds / max(1, int(step.valid.sum())))
        for i in np.flatnonzero(step.valid).tolist():
            if self._starts[i] is None:
                units = self._environment.action_codec.to_policy(actions)
                self._starts[i] = self._observation[i].copy(), units[i]
            self._rewards[i].append(float(step.reward[i]))
        self._returns += np.where(step.valid, self._discounts * step.reward, 0.0)
        self._discounts *= np.where(step.valid, self._gamma, 1.0)
        for episode in step.episodes:
            self._end(episode, step)
        self._observation = step.observation
        return step

    def _end(self, episode: Episode, step: Step) -> None:
        index, length = episode.env_index, episode.length
        start = self._starts[index]
        assert start is not None, "an episode has at least one step"
        self.played.append(
            Played(
                *start,
                discounted_return=float(self._returns[index]),
                length=length,
                truncated=episode.truncated,
                last_observation=step.next_observation[index].copy(),
                late_reward=float(np.mean(self._rewards[index][length // 2 :])),
                success=episode.success,
            )
        )
        self._starts[index], self._rewards[index] = None, []
        self._returns[index], self._discounts[index] = 0.0, 1.0
