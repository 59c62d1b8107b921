"""The policy for discrete actions: a categorical distribution, summed over exactly."""

from collections.abc import Callable, Sequence

import numpy as np

import autograd as torch
from autograd import Tensor, nn
from sac.networks import single_row as row
from sac.networks.mlp import MLP

# Of log|A|, the entropy of uniformly random actions; why this much is said in sac/config/schema.py.
TARGET_ENTROPY_FRACTION = 0.5


class CategoricalPolicy(nn.Module):
    """pi(a|s) over n actions. Source: Christodoulou 2019, arXiv:1910.07207."""

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
        self.num_actions = num_actions
        self.net = MLP([features, *hidden_sizes, num_actions], activation, weights)
        self._row_net = row.RowNetwork(self.net)

    @property
    def default_target_entropy(self) -> float:
        """A fraction of log|A|, the largest entropy there is."""
        return TARGET_ENTROPY_FRACTION * float(np.log(self.num_actions))

    def log_probs(self, observation: Tensor) -> Tensor:
        """Return log pi(.|s), finite for every logit; (batch, n)."""
        return torch.log_softmax(self.net(observation), dim=1)

    def soft_value(
        self, observation: Tensor, q_values: Callable[[Tensor], Tensor], alpha: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return V(s) = sum_a pi(a|s) (Q(s, a) - alpha log pi(a|s)), and the entropy (batch, 1)."""
        log_probs = self.log_probs(observation)
        probs = log_probs.exp()
        value = (probs * (q_values(observation) - alpha * log_probs)).sum(dim=1, keepdim=True)
        entropy = -(probs * log_probs).detach().sum(dim=1, keepdim=True)
        return value, entropy

    def sample(self, observation: Tensor, generator: torch.Generator) -> Tensor:
        """Return actions (batch,) int64: the largest logit after Gumbel noise."""
        logits = self.net(observation)
        uniform = torch.rand(*logits.shape, generator=generator, device=logits.device)
        # A uniform number of 0 gives noise of -inf, which picks no action, where 1 gave one of inf.
        return torch.argmax(logits - torch.log(-torch.log(uniform)), dim=1)

    def mode(self, observation: Tensor) -> Tensor:
        """Return the most probable actions (batch,) int64."""
        return torch.argmax(self.net(observation), dim=1)

    def sample_row(self, x: row.Row, generator: np.random.Generator) -> np.ndarray:
        """Return what `sample` does for one observation (features,), as an array ()."""
        logits = self._row_net(x)
        uniform = generator.random((1, self.num_actions), np.float32)[0]
        uniform = np.maximum(uniform, np.finfo(np.float32).tiny)  # its logarithm is finite
        return np.asarray(np.argmax(logits - np.log(-np.log(uniform))))

    def mode_row(self, x: row.Row) -> np.ndarray:
        """Return what `mode` does for one observation (features,), as an array ()."""
        return np.asarray(np.argmax(self._row_net(x)))
