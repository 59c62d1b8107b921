"""Uniform draws: each stored transition with the same probability, with replacement."""

import numpy as np
from numpy.random import Generator

from sac.replay.rings import Rings


def draw_rows(rings: Rings, batch_size: int, generator: Generator) -> np.ndarray:
    """Draw the rows of stored transitions; IndexError where nothing is stored."""
    if not len(rings):
        raise IndexError("cannot sample from an empty replay buffer")
    return rings.transition_rows(generator.integers(len(rings), size=batch_size))
