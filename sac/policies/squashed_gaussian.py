"""The policy for continuous actions: a Gaussian squashed by tanh into [-1, 1]."""

from collections.abc import Callable, Sequence

import numpy as np

import autograd as torch
from autograd import Tensor, nn
from autograd.functional.fused import soft_value, squashed_gaussian
from sac.networks import single_row as row
from sac.networks.mlp import MLP


class SquashedGaussianPolicy(nn.Module):
    """pi(a|s) of a = tanh(u), u ~ N(mean(s), std(s)).

    Source: Haarnoja et al. 2018, arXiv:1812.05905, appendix C. Log-probabilities are those of
    actions in [-1, 1], so that neither alpha nor a loss depends on the environment's units.
    """

    def __init__(
        self,
        features: int,
        action_size: int,
        hidden_sizes: Sequence[int],
        activation: str,
        log_std_range: tuple[float, float],
        weights: np.random.Generator,
        noise: torch.Generator,
    ) -> None:
        """Draw the weights from `weights`, and the actions of `soft_value` from `noise`."""
        super().__init__()
        self.action_size = action_size
        self.log_std_min, self.log_std_max = log_std_range
        # As arrays: NumPy takes longer to see what a number of Python's is than to compare it.
        self._log_std_bounds = tuple(np.array(bound, np.float32) for bound in log_std_range)
        self.noise = noise
        self.net = MLP([features, *hidden_sizes, 2 * action_size], activation, weights)
        self._row_net = row.RowNetwork(self.net)

    @property
    def default_target_entropy(self) -> float:
        """Minus the number of action dimensions (arXiv:1812.05905, appendix D)."""
        return -float(self.action_size)

    def rsample(self, observation: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return a reparameterised action (batch, size) and its log-probability (batch, 1)."""
        parameters = self.net(observation)
        noise = torch.randn(
            len(observation), self.action_size, generator=generator, device=observation.device
        )
        return squashed_gaussian(
            parameters, noise, log_std_min=self.log_std_min, log_std_max=self.log_std_max
        )

    def soft_value(
        self, observation: Tensor, q_value: Callable[[Tensor, Tensor], Tensor], alpha: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return V(s) = E_a[Q(s, a) - alpha log pi(a|s)] by one sample, and the entropy."""
        action, log_prob = self.rsample(observation, self.noise)
        return soft_value(q_value(observation, action), log_prob, alpha)

    def sample(self, observation: Tensor, generator: torch.Generator) -> Tensor:
        """Return actions (batch, size) in [-1, 1]."""
        return self.rsample(observation, generator)[0]

    def mode(self, observation: Tensor) -> Tensor:
        """Return tanh of the mean: the deterministic policy (batch, size)."""
        return torch.tanh(self.net(observation)[:, : self.action_size])

    def sample_row(self, x: row.Row, generator: np.random.Generator) -> row.Row:
        """Return what `sample` does for one observation (features,), as an array (size,)."""
        n = self.action_size
        parameters = self._row_net(x)
        lowest, highest = self._log_std_bounds
        log_std = np.minimum(np.maximum(parameters[n:], lowest), highest)
        noise = generator.standard_normal(n, np.float32)
        return np.tanh(parameters[:n] + np.exp(log_std) * noise)

    def mode_row(self, x: row.Row) -> row.Row:
        """Return what `mode` does for one observation (features,), as an array (size,)."""
        return np.tanh(self._row_net(x)[: self.action_size])
