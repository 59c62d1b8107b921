"""Batches of single transitions."""

from collections.abc import Callable

import numpy as np

from sac.replay.batch import Batch
from sac.replay.rings import Stored


class OneStep:
    """Makes a target of one reward and the value of the next observation."""

    def __init__(self, gamma: float) -> None:
        self._gamma = gamma

    def batch(self, rows: np.ndarray, read: Callable[..., Stored]) -> Batch:
        """Return the batch of these rows; `read` returns what is stored, as `Rings.read` does."""
        stored = read(rows)
        return Batch(
            observation=stored.observation,
            action=stored.action,
            reward=stored.reward,
            discount=self._gamma * (1 - stored.terminated),
            next_observation=stored.next_observation,
        )
