"""A policy that acts at random, to compare trained ones with."""

from dataclasses import dataclass

import numpy as np

from sac.spaces import ActionCodec


@dataclass(frozen=True)
class RandomPolicy:
    """Draws actions uniformly; has the methods that an evaluation needs of an agent."""

    action_codec: ActionCodec

    def sample(self, observations: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Return random actions in policy units (num_envs, *shape)."""
        return self.action_codec.uniform(len(observations), generator)
