"""Values learned by classification, of targets that a Gaussian spreads over bins.

Source: Farebrother et al. 2024, "Stop Regressing", arXiv:2403.03950 (HL-Gauss).
"""

import math

import numpy as np

import autograd as torch
from autograd import Tensor
from autograd.functional.fused import lowest
from sac.config import AgentConfig
from sac.critics import ActionReading
from sac.critics.soft_q import SoftQCritic, mean_of_rows

WIDTHS = 0.75  # of a bin: the standard deviation of the Gaussian


class HLGaussCritic(SoftQCritic):
    """Networks of logits of bins: a target is one value, spread over those around it.

    Bins lie between -`value_bound` and `value_bound`: rewards must be scaled to fit, as
    `agent.normalize_rewards` does.
    """

    is_repeatable = True
    gives_values = False

    def _outputs(self, reading: ActionReading, config: AgentConfig) -> int:
        self.bound, n = float(config.value_bound), config.num_atoms
        edges = np.linspace(-self.bound, self.bound, n + 1, dtype=np.float32)
        self.spread = math.sqrt(2) * WIDTHS * 2 * self.bound / n
        centres = (edges[1:] + edges[:-1]) / 2
        self.register_buffer("edges", torch.tensor(edges[None]), persistent=False)
        self.register_buffer("centres", torch.tensor(centres[None]), persistent=False)
        return n

    def losses(self, outputs: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        """Return the cross-entropy of each network (networks,); equations 3 and 9."""
        value = target.clamp(-self.bound, self.bound)
        below = torch.erf((self.edges - value) / self.spread)
        shares = (below[:, 1:] - below[:, :-1]) / (below[:, -1:] - below[:, :1])
        log_shares = torch.log_softmax(outputs, dim=-1)
        return mean_of_rows(-(shares * log_shares).sum(dim=-1, keepdim=True), weight)

    def expected(self, outputs: Tensor) -> Tensor:
        """Return the mean of the bins that logits stand for."""
        return (torch.softmax(outputs, dim=-1) * self.centres).sum(dim=-1, keepdim=True)

    def target_mean(self, target: Tensor) -> Tensor:
        """Return a target as it is."""
        return target

    def value(self, *inputs: Tensor) -> Tensor:
        """Return the smallest of the networks' means."""
        return lowest(self.expected(self.soft_q_nets(*inputs, **self.mode)))

    def target_value(self, *inputs: Tensor) -> Tensor:
        """Return the smallest of the target networks' means."""
        return lowest(self.expected(self.target_soft_q_nets(*inputs, **self.batch_mode)))
