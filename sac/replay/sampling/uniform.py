"""Uniform sampling of single transitions."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from sac.replay.batch import Batch
from sac.replay.rings import Rings, Stored


class UniformSampler:
    """Draws each stored transition with the same probability, with replacement."""

    def __init__(self, rings: Rings, gamma: float) -> None:
        self._rings = rings
        self._gamma = gamma

    def sample(
        self, batch_size: int, generator: Generator, read: Callable[[np.ndarray], Stored]
    ) -> Batch:
        """Draw a batch; `read` returns what is stored in rows, as `Rings.read` does."""
        stored_count = len(self._rings)
        if not stored_count:
            raise IndexError("cannot sample from an empty replay buffer")
        rows = self._rings.transition_rows(generator.integers(stored_count, size=batch_size))
        stored = read(rows)
        return Batch(
            observation=stored.observation,
            action=stored.action,
            reward=stored.reward,
            discount=self._gamma * (1 - stored.terminated),
            next_observation=stored.next_observation,
        )
