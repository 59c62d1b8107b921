"""The soft Q network for continuous actions: Q(s, a) of a pair."""

from collections.abc import Callable, Sequence

import numpy as np

from autograd import Tensor, nn
from sac.networks.mlp import MLP


class ContinuousSoftQNetwork(nn.Module):
    """Q(s, a), actions in [-1, 1]."""

    def __init__(
        self,
        features: int,
        action_size: int,
        hidden_sizes: Sequence[int],
        activation: str,
        weights: np.random.Generator,
    ) -> None:
        """Draw the weights from `weights`."""
        super().__init__()
        self.net = MLP([features + action_size, *hidden_sizes, 1], activation, weights)

    def forward(self, observation: Tensor, action: Tensor) -> Tensor:
        """Return Q(s, a), (batch, 1)."""
        return self.net(observation, action)

    @staticmethod
    def read(forward: Callable[..., Tensor], observation: Tensor, action: Tensor) -> Tensor:
        """Return the values of stored actions (batch, 1) by a network, or by several at once."""
        return forward(observation, action)
