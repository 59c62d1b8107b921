"""The temperature alpha: what a nat of entropy is worth, learned or fixed."""

from collections.abc import Mapping
from typing import Any

import numpy as np

import autograd as torch
from autograd import Tensor, nn, optim


class LearnedTemperature(nn.Module):
    """alpha = exp(log_alpha), driven to where the policy's entropy meets its target."""

    is_repeatable = True

    def __init__(
        self, initial_alpha: float, target_entropy: float, lr: float, device: torch.device
    ) -> None:
        """Start at `initial_alpha`, with an Adam optimizer of its own."""
        super().__init__()
        log_alpha = torch.tensor([[float(np.log(initial_alpha))]], device=device)
        self.log_alpha = nn.Parameter(log_alpha)  # (1, 1), as the values that it multiplies
        self.target_entropy = target_entropy
        self.optimizer = optim.Adam([self.log_alpha], lr=lr)

    @property
    def alpha(self) -> Tensor:
        """The temperature (1, 1), outside the graph."""
        return self.log_alpha.detach().exp()

    def loss(self, entropy: Tensor) -> Tensor:
        """J(alpha) = E[log_alpha (H - H_target)] for entropies (batch, 1); (1, 1).

        Source: arXiv:1812.05905, equation 18, with log alpha in place of alpha: the sign of the
        gradient is the same, and its size does not shrink with alpha.
        """
        return self.log_alpha * (entropy.mean() - self.target_entropy)

    def update(self, entropy: Tensor) -> dict[str, Any]:
        """Take a step on the loss."""
        alpha_loss = self.loss(entropy.detach())
        self.optimizer.zero_grad()
        alpha_loss.backward()
        self.optimizer.step()
        return {"alpha_loss": alpha_loss.detach(), "target_entropy": self.target_entropy}


class PartTemperatures(nn.Module):
    """One alpha for each part of an action, driven as a LearnedTemperature is."""

    is_repeatable = True

    def __init__(
        self,
        initial_alpha: float,
        target_entropies: Mapping[str, float],
        lr: float,
        device: torch.device,
    ) -> None:
        """Start all at `initial_alpha`; `target_entropies` are by the names of the parts."""
        super().__init__()
        log_alpha = torch.full((1, len(target_entropies)), float(np.log(initial_alpha)))
        self.log_alpha = nn.Parameter(log_alpha.to(device))  # (1, parts)
        self.names = tuple(target_entropies)
        self.target_entropies = tuple(target_entropies.values())
        self.optimizer = optim.Adam([self.log_alpha], lr=lr)

    @property
    def alpha(self) -> Tensor:
        """The temperatures (1, parts), outside the graph."""
        return self.log_alpha.detach().exp()

    @property
    def target_entropy(self) -> float:
        """The entropy of all parts together where each meets its target."""
        return sum(self.target_entropies)

    def loss(self, entropy: Tensor) -> Tensor:
        """Return the sum of J(alpha) of all parts for their entropies (batch, parts)."""
        loss = self.log_alpha[:, :1] * (entropy[:, :1].mean() - self.target_entropies[0])
        for i, target in enumerate(self.target_entropies[1:], start=1):
            own = entropy[:, i : i + 1].mean() - target
            loss = loss + self.log_alpha[:, i : i + 1] * own
        return loss

    def update(self, entropy: Tensor) -> dict[str, Any]:
        """Take a step on the loss; `entropy` becomes that of all parts together."""
        alpha, alpha_loss = self.alpha, self.loss(entropy.detach())
        self.optimizer.zero_grad()
        alpha_loss.backward()
        self.optimizer.step()
        metrics = {"alpha_loss": alpha_loss.detach(), "target_entropy": self.target_entropy}
        for i, name in enumerate(self.names):
            metrics[f"alpha/{name}"] = alpha[:, i : i + 1]
            metrics[f"entropy/{name}"] = entropy[:, i : i + 1]
        return metrics | {"entropy": entropy.sum(dim=1, keepdim=True)}


class FixedTemperature(nn.Module):
    """A temperature that stays."""

    is_repeatable = True
    optimizer = None

    def __init__(self, alpha: float, device: torch.device) -> None:
        """Keep `alpha`."""
        super().__init__()
        self.alpha = torch.tensor([[float(alpha)]], device=device)

    def update(self, entropy: Tensor) -> dict[str, Any]:
        """Do nothing."""
        return {}
