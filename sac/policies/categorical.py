"""The policy for discrete actions: a categorical distribution, summed over exactly."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as torch
from autograd import Tensor, nn
from autograd.generator import from_numpy_generator
from sac.config import AgentConfig
from sac.errors import ConfigError
from sac.networks.architecture import Described, batch_mode
from sac.networks.single_row import Row, RowNetwork
from sac.policies.network import policy_network
from sac.spaces import ActionCodec

# Of log|A|, the entropy of uniformly random actions; why this much is said in sac/config/agent.py.
TARGET_ENTROPY_FRACTION = 0.5
TINY = float(np.finfo(np.float32).tiny)  # its logarithm is finite


def no_std(std: float) -> ConfigError:
    """Return the error for a standard deviation as the target of choices alone."""
    return ConfigError(
        f"agent.target_std: expected null for actions without a continuous part, which have a "
        f"target_entropy alone, got {std:g}; set agent.target_std: null"
    )


class CategoricalPolicy(nn.Module):
    """pi(a|s) over n actions. Source: Christodoulou 2019, arXiv:1910.07207."""

    is_repeatable = True

    def __init__(
        self, features: int, num_actions: int, config: AgentConfig, weights: np.random.Generator
    ) -> None:
        """Draw the weights from `weights`."""
        super().__init__()
        self.num_actions, self.noise_size = num_actions, 2 * num_actions
        self.net = policy_network(config).build(
            features, num_actions, generator=from_numpy_generator(weights)
        )
        self._batch_mode = batch_mode(self.net)
        self._row_net = RowNetwork(self.net)

    @property
    def default_target_entropy(self) -> float:
        """Return a fraction of log|A|, the largest entropy there is."""
        return TARGET_ENTROPY_FRACTION * float(np.log(self.num_actions))

    def check_target_entropy(self, target_entropy: float) -> None:
        """Raise ConfigError for an entropy that no policy has inside its range.

        At either end alpha would fall or rise without end.
        """
        n = self.num_actions
        if not 0 < target_entropy < np.log(n):
            raise ConfigError(
                f"agent.target_entropy: expected auto, or nats above 0 and below log({n}) = "
                f"{np.log(n):.4g}, the entropy of random choice among the {n} actions, got "
                f"{target_entropy:g}"
            )

    def entropy_of(self, std: float) -> float:
        """Raise ConfigError: a categorical distribution has no standard deviation."""
        raise no_std(std)

    @property
    def entropy_tolerance(self) -> float:
        """Return how many nats from its target an entropy still counts as at it."""
        return 0.25 * float(np.log(self.num_actions))

    def generators(self) -> dict[str, torch.Generator]:
        """Return none: the soft value is a sum, not a sample."""
        return {}

    def log_probs(self, observation: Tensor, **mode: Any) -> Tensor:
        """Return log pi(.|s), finite for every logit; (batch, n). `mode` of the network."""
        return torch.log_softmax(self.net(observation, **mode), dim=1)

    def soft_value(
        self,
        observation: Tensor,
        q_values: Callable[[Tensor], Tensor],
        alpha: Tensor,
        *,
        is_learning: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """Return V(s) = sum_a pi(a|s) (Q(s, a) - alpha log pi(a|s)), and the entropy (batch, 1).

        `is_learning`: the policy is learned from the result.
        """
        mode = self._batch_mode if is_learning else {}
        log_probs = self.log_probs(observation, **mode)
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

    def perturbed(self, observation: Tensor, noise: Tensor) -> Tensor:
        """Return actions (batch,) int64 by standard normal numbers (batch, 2 n) of the caller's."""
        return torch.argmax(self.net(observation) - torch.log(exponentials(noise)), dim=1)

    def mode(self, observation: Tensor) -> Tensor:
        """Return the most probable actions (batch,) int64."""
        return torch.argmax(self.net(observation), dim=1)

    def sample_row(self, x: Row, generator: np.random.Generator) -> np.ndarray:
        """Return what `sample` does for one observation (features,), as an array ()."""
        logits = self._row_net(x)
        uniform = generator.random((1, self.num_actions), np.float32)[0]
        uniform = np.maximum(uniform, np.finfo(np.float32).tiny)  # its logarithm is finite
        return np.asarray(np.argmax(logits - np.log(-np.log(uniform))))

    def perturbed_row(self, x: Row, noise: Row) -> np.ndarray:
        """Return the action of `perturbed` for one observation (features,), as an array ()."""
        return np.asarray(np.argmax(self._row_net(x) - np.log(exponentials(noise[None]))[0]))

    def mode_row(self, x: Row) -> np.ndarray:
        """Return what `mode` does for one observation (features,), as an array ()."""
        return np.asarray(np.argmax(self._row_net(x)))

    def describe(self, actions: NDArray, outputs: NDArray) -> Iterator[tuple[str, NDArray]]:
        """Yield what actions (batch,) and the network's outputs (batch, n) show, by name."""
        yield "action", actions
        yield "logit", outputs.ravel()

    def mode_steps(self) -> Described:
        """Return the steps that `mode` takes, each as its kind and its arrays."""
        return [*self.net.described(), ("choose", {"sizes": torch.tensor([self.num_actions])})]

    def shortfall(self, observation: Tensor, actions: NDArray, codec: ActionCodec) -> NDArray:
        """Return by how much the logits of the environment's actions (batch,) are below the best.

        That is 0 for the mode, and nearly 0 where two actions are nearly as likely.
        """
        logits = self.net(observation).numpy(force=True)
        return logits.max(axis=1) - logits[np.arange(len(logits)), codec.to_policy(actions)]


def exponentials(noise: Any) -> Any:
    """Return numbers (batch, n) with the exponential distribution, of standard normal (batch, 2 n).

    Minus their logarithm has the Gumbel distribution: the argmax of logits with it added is a
    sample. So noise that changes slowly makes choices that do, each with the policy's odds.
    """
    n = noise.shape[1] // 2
    return (0.5 * (noise[:, :n] ** 2 + noise[:, n:] ** 2)).clip(TINY, None)
