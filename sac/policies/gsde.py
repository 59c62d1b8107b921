"""Generalised state-dependent exploration: noise that is a function of the state.

Source: Raffin et al. 2021, arXiv:2005.05719.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import autograd as torch
from autograd import Tensor
from autograd.functional.fused import affine
from autograd.nn import BlockStack, init
from autograd.nn.steps import Affine, Mode, Shapes
from sac.config import AgentConfig
from sac.networks.architecture import Stack
from sac.policies.network import policy_network
from sac.policies.squashed_gaussian import SquashedGaussianPolicy

LEAST_VARIANCE = 1e-6  # where all features are 0


@dataclass(frozen=True)
class NoiseHead(Affine):
    """Means, affine in the features x, and log standard deviations of noise that is linear in x.

    With weights of the noise that are normal with the standard deviations `std`, the noise has the
    variance sum_j x_j^2 std_j^2.
    """

    log_std: float = 0.0  # at first, of each weight of the noise

    def parts(self, inputs: int) -> Shapes:
        """Return the parameters of one network, by name."""
        return {**super().parts(inputs), "log_std": (self.units, inputs)}

    def outputs(self, inputs: int) -> int:
        """Return two numbers for each action."""
        return 2 * self.units

    def reset(self, parts: Mapping[str, Tensor], generator: Any) -> None:
        """Draw the weights of the means; those of the noise begin alike."""
        super().reset(parts, generator)
        init.constant_(parts["log_std"], self.log_std)

    def __call__(self, x: Tensor, own: Mapping[str, Tensor], mode: Mode) -> Tensor:
        """Return means and log standard deviations, side by side."""
        return torch.cat([super().__call__(x, own, mode), log_std_of(x, own)], dim=-1)


def log_std_of(x: Tensor, own: Mapping[str, Tensor]) -> Tensor:
    """Return the log standard deviations of the noise that a `NoiseHead` gives features x."""
    variance = affine(x * x, (own["log_std"] * 2.0).exp(), None) + LEAST_VARIANCE
    return variance.log() * 0.5


class StateDependentPolicy(SquashedGaussianPolicy):
    """A squashed Gaussian whose noise, for as long as its weights are kept, follows the state.

    An action is tanh(mean(x) + W x), where the weights W of the noise are drawn once for many
    steps: `noise_size` normal numbers for `perturbed`. Updates draw from the same distribution,
    action by action.
    """

    is_repeatable = True
    net: BlockStack

    def _network(self, features: int, config: AgentConfig, generator: torch.Generator) -> Stack:
        assert config.gsde_log_std is not None
        head = NoiseHead(self.action_size, log_std=config.gsde_log_std)
        net = policy_network(config).build(features, 0, last=head, generator=generator)
        assert isinstance(net, BlockStack)
        self.noise_size = math.prod(net.layers()[0][-1].weight.shape)
        return net

    def perturbed(self, observation: Tensor, noise: Tensor) -> Tensor:
        """Return actions (batch, size) whose noise has weights from `noise` (batch, noise_size).

        That are standard normal numbers.
        """
        x, own = self.net.before_last(observation)
        mean = affine(x, own["weight"], own["bias"]).squeeze(0)
        std = own["log_std"].exp()  # (1, size, features)
        weights = noise.reshape(len(noise), *std.shape[1:]) * std
        drawn = (weights * x.squeeze(0).unsqueeze(1)).sum(dim=-1)
        log_std = log_std_of(x, own).squeeze(0)
        within = (log_std.clamp(self.log_std_min, self.log_std_max) - log_std).exp()
        return torch.tanh(mean + drawn * within)
