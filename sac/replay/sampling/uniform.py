"""Uniform sampling of single transitions."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from sac.replay.batch import Batch
from sac.replay.rings import Rings, Stored


def draw_rows(rings: Rings, batch_size: int, generator: Generator) -> np.ndarray:
    """Draw the rows of stored transitions; IndexError where nothing is stored."""
    if not len(rings):
        raise IndexError("cannot sample from an empty replay buffer")
    return rings.transition_rows(generator.integers(len(rings), size=batch_size))


class UniformSampler:
    """Draws each stored transition with the same probability, with replacement."""

    def __init__(self, rings: Rings, gamma: float) -> None:
        self._rings = rings
        self._gamma = gamma

    def sample(
        self, batch_size: int, generator: Generator, read: Callable[[np.ndarray], Stored]
    ) -> Batch:
        """Draw a batch; `read` returns what is stored in rows, as `Rings.read` does."""
        stored = read(draw_rows(self._rings, batch_size, generator))
        return Batch(
            observation=stored.observation,
            action=stored.action,
            reward=stored.reward,
            discount=self._gamma * (1 - stored.terminated),
            next_observation=stored.next_observation,
        )
