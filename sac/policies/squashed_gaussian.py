"""The policy for continuous actions: a Gaussian squashed by tanh into [-1, 1]."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as torch
from autograd import Tensor, nn
from autograd.functional.fused import soft_value, squashed_gaussian
from autograd.generator import from_numpy_generator
from sac.config import AgentConfig
from sac.errors import ConfigError
from sac.networks.architecture import Described, Stack, batch_mode
from sac.networks.single_row import Row, RowNetwork
from sac.policies.network import policy_network
from sac.spaces import ActionCodec


class SquashedGaussianPolicy(nn.Module):
    """pi(a|s) of a = tanh(u), u ~ N(mean(s), std(s)).

    Source: Haarnoja et al. 2018, arXiv:1812.05905, appendix C. Log-probabilities are those of
    actions in [-1, 1], so that neither alpha nor a loss depends on the environment's units.
    """

    is_repeatable = True

    def __init__(
        self,
        features: int,
        action_size: int,
        config: AgentConfig,
        weights: np.random.Generator,
        noise: torch.Generator,
    ) -> None:
        """Draw the weights from `weights`, and the actions of `soft_value` from `noise`."""
        super().__init__()
        self.action_size = self.noise_size = action_size
        self.log_std_min, self.log_std_max = config.log_std_min, config.log_std_max
        # As arrays: NumPy takes longer to see what a number of Python's is than to compare it.
        self._log_std_bounds = (
            np.array(self.log_std_min, np.float32),
            np.array(self.log_std_max, np.float32),
        )
        self.noise = noise
        self.net = self._network(features, config, from_numpy_generator(weights))
        self._batch_mode = batch_mode(self.net)
        self._row_net = RowNetwork(self.net)

    def _network(self, features: int, config: AgentConfig, generator: torch.Generator) -> Stack:
        """Return the network of means and log standard deviations, (batch, 2 size)."""
        return policy_network(config).build(features, 2 * self.action_size, generator=generator)

    @property
    def default_target_entropy(self) -> float:
        """Return minus the number of action dimensions (arXiv:1812.05905, appendix D)."""
        return -float(self.action_size)

    def check_target_entropy(self, target_entropy: float) -> None:
        """Raise ConfigError for an entropy that no action within bounds can have."""
        check_entropy_of_bounded(target_entropy, self.action_size * math.log(2))

    def entropy_of(self, std: float) -> float:
        """Return the entropy of a Gaussian of this standard deviation in every dimension."""
        return gaussian_entropy(self.action_size, std)

    @property
    def entropy_tolerance(self) -> float:
        """Return how many nats from its target an entropy still counts as at it."""
        return 0.5 * self.action_size

    def generators(self) -> dict[str, torch.Generator]:
        """Return the generator of the actions inside updates."""
        return {"policy": self.noise}

    def rsample(
        self, observation: Tensor, generator: torch.Generator, **mode: Any
    ) -> tuple[Tensor, Tensor]:
        """Return a reparameterised action (batch, size) and its log-probability (batch, 1).

        `mode` of the network.
        """
        noise = torch.randn(
            len(observation), self.action_size, generator=generator, device=observation.device
        )
        return self._reparameterised(observation, noise, **mode)

    def perturbed(self, observation: Tensor, noise: Tensor) -> Tensor:
        """Return what `sample` does, by standard normal numbers (batch, size) of the caller's."""
        return self._reparameterised(observation, noise)[0]

    def _reparameterised(
        self, observation: Tensor, noise: Tensor, **mode: Any
    ) -> tuple[Tensor, Tensor]:
        return squashed_gaussian(
            self.net(observation, **mode),
            noise,
            log_std_min=self.log_std_min,
            log_std_max=self.log_std_max,
        )

    def soft_value(
        self,
        observation: Tensor,
        q_value: Callable[[Tensor, Tensor], Tensor],
        alpha: Tensor,
        *,
        is_learning: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """Return V(s) = E_a[Q(s, a) - alpha log pi(a|s)] by one sample, and the entropy.

        `is_learning`: the policy is learned from the result.
        """
        mode = self._batch_mode if is_learning else {}
        action, log_prob = self.rsample(observation, self.noise, **mode)
        return soft_value(q_value(observation, action), log_prob, alpha)

    def sample(self, observation: Tensor, generator: torch.Generator) -> Tensor:
        """Return actions (batch, size) in [-1, 1]."""
        return self.rsample(observation, generator)[0]

    def mode(self, observation: Tensor) -> Tensor:
        """Return tanh of the mean: the deterministic policy (batch, size)."""
        return torch.tanh(self.net(observation)[:, : self.action_size])

    def sample_row(self, x: Row, generator: np.random.Generator) -> Row:
        """Return what `sample` does for one observation (features,), as an array (size,)."""
        return self.perturbed_row(x, generator.standard_normal(self.action_size, np.float32))

    def perturbed_row(self, x: Row, noise: Row) -> Row:
        """Return the action of `perturbed` for one observation (features,), as an array (size,)."""
        n = self.action_size
        parameters = self._row_net(x)
        lowest, highest = self._log_std_bounds
        log_std = np.minimum(np.maximum(parameters[n:], lowest), highest)
        return np.tanh(parameters[:n] + np.exp(log_std) * noise)

    def mode_row(self, x: Row) -> Row:
        """Return what `mode` does for one observation (features,), as an array (size,)."""
        return np.tanh(self._row_net(x)[: self.action_size])

    def describe(self, actions: NDArray, outputs: NDArray) -> Iterator[tuple[str, NDArray]]:
        """Yield what actions (batch, ...) and outputs show, by name, (batch, size)."""
        yield "action", actions.reshape(len(actions), -1)
        yield "log_std", np.clip(outputs[:, self.action_size :], self.log_std_min, self.log_std_max)

    def mode_steps(self) -> Described:
        """Return the steps that `mode` takes, each as its kind and its arrays.

        Of the last layer only the means: the rest is the noise's.
        """
        *hidden, (kind, last) = self.net.described()
        means = {name: array[: self.action_size] for name, array in last.items()}
        return [*hidden, (kind, means), ("tanh", {})]

    def shortfall(self, observation: Tensor, actions: NDArray, codec: ActionCodec) -> NDArray:
        """Return by how much the environment's actions differ from the mode."""
        mode = self.mode(observation).numpy(force=True)
        return codec.distance(mode.reshape(len(mode), *codec.shape), actions)


def check_entropy_of_bounded(target_entropy: float, most: float) -> None:
    """Raise ConfigError for an entropy of `most` and more: alpha would rise without end."""
    if target_entropy >= most:
        raise ConfigError(
            f"agent.target_entropy: expected auto, or nats below {most:.4g}, the entropy of random "
            f"actions in [-1, 1], got {target_entropy:g}"
        )


def gaussian_entropy(size: int, std: float) -> float:
    """Return the entropy of a Gaussian of this standard deviation in each of `size` dimensions."""
    return 0.5 * size * float(np.log(2 * np.pi * np.e * std**2))
