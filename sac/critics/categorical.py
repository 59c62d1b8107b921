"""A categorical critic, learned by cross-entropy, as in XQC and FlashSAC.

Sources: Bellemare et al. 2017, arXiv:1707.06887; Palenicek et al. 2025, arXiv:2509.25174;
arXiv:2604.04539.
"""

from collections.abc import Sequence

import numpy as np

import autograd as torch
from autograd import Tensor
from autograd.functional.fused import lowest, of_lowest, spread_atoms
from sac.config import AgentConfig
from sac.critics import ActionReading
from sac.critics.soft_q import SoftQCritic, mean_of_rows
from sac.critics.transitions import Policy, Transitions


class CategoricalCritic(SoftQCritic):
    """Networks of logits of atoms: the target is the distribution of the one with the lower mean.

    Values are those of atoms between -`value_bound` and `value_bound`: rewards must be scaled to
    fit, as `agent.normalize_rewards` does.
    """

    is_repeatable = True
    gives_values = False

    def _outputs(self, reading: ActionReading, config: AgentConfig) -> int:
        self.bound, n = config.value_bound, config.num_atoms
        atoms = np.linspace(-self.bound, self.bound, n, dtype=np.float32)
        self.register_buffer("atoms", torch.tensor(atoms[None]), persistent=False)
        return n

    def target(
        self, batch: Transitions, policy: Policy, alpha: Tensor
    ) -> tuple[Tensor, Sequence[Tensor]]:
        """Return shares of atoms (batch, n): those of (s', a') at r + gamma (z - alpha log pi)."""
        shares: list[Tensor] = []

        def places(*inputs: Tensor) -> Tensor:
            outputs = self.target_soft_q_nets(*inputs, **self.batch_mode)
            powers = torch.softmax(outputs, dim=-1)
            shares.append(of_lowest(powers, self._mean(powers)))
            return self.atoms.expand(len(shares[0]), -1)

        found, pair = self.backup(batch, policy, alpha, places)
        share = shares[0][len(found) :] if self.is_joint else shares[0]
        return spread_atoms(share, found, -self.bound, self.bound), pair

    def losses(self, outputs: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        """Return the cross-entropy of each network (networks,)."""
        log_shares = torch.log_softmax(outputs, dim=-1)
        return mean_of_rows(-(target * log_shares).sum(dim=-1, keepdim=True), weight)

    def expected(self, outputs: Tensor) -> Tensor:
        """Return the mean of the atoms that logits stand for."""
        return self._mean(torch.softmax(outputs, dim=-1))

    def target_mean(self, target: Tensor) -> Tensor:
        """Return the mean of atoms of which a target is the shares."""
        return self._mean(target)

    def _mean(self, shares: Tensor) -> Tensor:
        return (shares * self.atoms).sum(dim=-1, keepdim=True)

    def value(self, *inputs: Tensor) -> Tensor:
        """Return the smallest of the networks' means."""
        return lowest(self.expected(self.soft_q_nets(*inputs, **self.mode)))
