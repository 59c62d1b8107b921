"""The soft Q network for discrete actions: all values Q(s, .) at once."""

from collections.abc import Callable, Sequence

import numpy as np

import autograd as torch
from autograd import Tensor, nn
from sac.networks.mlp import MLP


class DiscreteSoftQNetwork(nn.Module):
    """Q(s, a) for every one of n actions."""

    def __init__(
        self,
        features: int,
        num_actions: int,
        hidden_sizes: Sequence[int],
        activation: str,
        weights: np.random.Generator,
    ) -> None:
        """Draw the weights from `weights`."""
        super().__init__()
        self.net = MLP([features, *hidden_sizes, num_actions], activation, weights)

    def forward(self, observation: Tensor) -> Tensor:
        """Return Q(s, .), (batch, n)."""
        return self.net(observation)

    @staticmethod
    def read(forward: Callable[..., Tensor], observation: Tensor, action: Tensor) -> Tensor:
        """Return the values of stored actions (batch, 1) int64 by a network, or by several."""
        values = forward(observation)
        return torch.gather(values, -1, action.expand(*values.shape[:-1], 1))
