"""Several soft Q networks side by side, read together."""

from collections.abc import Sequence
from functools import reduce

import autograd as torch
from autograd import Tensor, nn
from autograd.backend.layout import FlatParameters
from autograd.functional.fused import min_mlps, mlps
from sac.critics.continuous import ContinuousSoftQNetwork
from sac.critics.discrete import DiscreteSoftQNetwork
from sac.networks.mlp import FUSED

SoftQNetwork = ContinuousSoftQNetwork | DiscreteSoftQNetwork


class SoftQEnsemble(nn.ModuleList):
    """Soft Q networks of one shape; one node computes all of them."""

    def __init__(self, nets: Sequence[SoftQNetwork]) -> None:
        """Take over the networks, which are of one kind."""
        super().__init__(nets)
        self.activation = nets[0].net.activation
        self.read = nets[0].read
        self.flatten()

    def flatten(self) -> None:
        """Move the parameters into one array, network after network; again after `to`."""
        self.flat = FlatParameters([list(net.parameters()) for net in self])

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return what every network returns, (networks, batch, outputs)."""
        if self.activation in FUSED:
            return mlps(inputs, self.flat, self.activation)
        return torch.stack([net(*inputs) for net in self])

    def q_values(self, observation: Tensor, action: Tensor) -> Tensor:
        """Return the values of stored actions by every network, (networks, batch, 1)."""
        return self.read(self, observation, action)

    def min_q(self, *inputs: Tensor) -> Tensor:
        """Return the smallest of the networks' outputs, element by element, (batch, outputs)."""
        if self.activation in FUSED:
            return min_mlps(inputs, self.flat, self.activation)
        return reduce(torch.minimum, [net(*inputs) for net in self])
