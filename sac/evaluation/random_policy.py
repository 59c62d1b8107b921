"""A policy that acts at random, to compare trained ones with."""

import numpy as np

from sac.spaces import ActionCodec


class RandomPolicy:
    """Draws actions uniformly; has the methods that an evaluation needs of an agent."""

    def __init__(self, action_codec: ActionCodec) -> None:
        self.action_codec = action_codec

    def sample(self, observations: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Return random actions in policy units (num_envs, *shape)."""
        return self.action_codec.uniform(len(observations), generator)
