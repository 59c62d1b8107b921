"""The critic of SAC: soft Q networks, their targets, and the smallest of their values."""

import copy

import numpy as np

import autograd as torch
from autograd import Tensor, nn, no_grad, optim
from autograd.functional.fused import discounted, half_mse, polyak_update_
from autograd.generator import from_numpy_generator
from sac.config import AgentConfig
from sac.critics import ActionReading
from sac.critics.transitions import Metrics, Policy, Transitions
from sac.errors import ConfigError
from sac.seeding import Streams


class SoftQCritic(nn.Module):
    """Clipped double Q-learning with an entropy bonus: Haarnoja et al. 2018, arXiv:1812.05905.

    The base of other critics, which override the target, the value or the error. The agent asks
    for `loss`, `value`, `follow` and the `optimizer`; metrics named *_loss must be finite.
    """

    is_repeatable = True

    def __init__(
        self,
        reading: ActionReading,
        config: AgentConfig,
        weights: np.random.Generator,
        streams: Streams,
        device: torch.device,
    ) -> None:
        """Draw the weights of the soft Q networks, one after the other, from `weights`."""
        super().__init__()
        self._prepare(config, streams, device)
        self.tau = config.tau
        self.has_entropy_in_target = config.entropy_in_target
        self.reading = reading
        self.soft_q_nets = nn.MLPStack(
            [reading.inputs, *config.hidden_sizes, reading.outputs],
            config.activation,
            config.num_soft_q_nets,
            name="{}.net.",
            generator=from_numpy_generator(weights),
        )
        self.target_soft_q_nets = copy.deepcopy(self.soft_q_nets).requires_grad_(False)
        self.to(device)
        # Adam works element by element: one optimizer takes the steps of one for each network.
        self.optimizer: optim.Optimizer = optim.Adam(
            self.soft_q_nets.parameters(), lr=config.soft_q_lr
        )

    def _prepare(self, config: AgentConfig, streams: Streams, device: torch.device) -> None:
        """Set what a critic has beside its networks; ConfigError for settings without a use."""
        if config.min_over is not None:
            raise ConfigError(
                "agent.min_over: agent.critic sac takes the minimum over all num_soft_q_nets; "
                "leave min_over out, or set agent.critic: redq"
            )

    def loss(self, batch: Transitions, policy: Policy, alpha: Tensor) -> tuple[Tensor, Metrics]:
        """J_Q = sum_i E[1/2 (Q_i(s, a) - (r + gamma V(s')))^2]; arXiv:1812.05905, eq. 5."""
        with no_grad():
            target = self.target(batch, policy, alpha)
        return self.error(batch, target.detach())

    def target(self, batch: Transitions, policy: Policy, alpha: Tensor) -> Tensor:
        """Return r + gamma V(s'), (batch, 1), by the target networks.

        Without `agent.entropy_in_target` V is E_a[Q] alone: arXiv:2509.09838.
        """
        alpha = alpha if self.has_entropy_in_target else alpha * 0.0
        next_value, _ = policy.soft_value(batch.next_observation, self.target_value, alpha)
        target = discounted(batch.reward, batch.discount, next_value)
        assert target.shape == batch.reward.shape, target.shape
        return target

    def error(self, batch: Transitions, target: Tensor) -> tuple[Tensor, Metrics]:
        """Return the loss of all networks together, against one target, and metrics of each.

        Of a batch with weights also `td_error` (batch, 1), which the replay's priorities follow.
        """
        q_values = self.q_values(batch.observation, batch.action)  # (networks, batch, 1)
        metrics: Metrics = {"target_q_mean": target}
        if batch.weight is None:
            losses = half_mse(q_values, target)  # (networks,)
        else:
            error = q_values - target
            losses = (0.5 * batch.weight * error**2).mean(dim=(1, 2))
            metrics["td_error"] = error.detach().abs().mean(dim=0)
        parts = zip(losses.detach().unbind(), q_values.detach().unbind(), strict=True)
        for i, (loss, q_value) in enumerate(parts, start=1):
            metrics |= {f"q{i}_loss": loss, f"q{i}_mean": q_value}
        return losses.sum(), metrics

    def q_values(self, observation: Tensor, action: Tensor) -> Tensor:
        """Return the values of stored actions by every network, (networks, batch, 1)."""
        return self.reading.read(self.soft_q_nets, observation, action)

    def hidden(self, observation: Tensor, action: Tensor) -> list[Tensor]:
        """Return the outputs of each hidden layer, (networks, batch, units)."""
        return self.soft_q_nets.hidden(*self.reading.arguments(observation, action))

    def value(self, *inputs: Tensor) -> Tensor:
        """Return min_i Q_i, which the policy climbs."""
        return self.soft_q_nets.min(*inputs)

    def target_value(self, *inputs: Tensor) -> Tensor:
        """Return min_i Q_i of the target networks."""
        return self.target_soft_q_nets.min(*inputs)

    def follow(self) -> None:
        """Move the target networks by tau: target += tau * (online - target)."""
        polyak_update_(self.target_soft_q_nets.flat, self.soft_q_nets.flat, self.tau)

    def generators(self) -> dict[str, torch.Generator]:
        """Return none: the loss draws no random numbers of its own."""
        return {}

    @staticmethod
    def metric_names(config: AgentConfig) -> tuple[list[str], list[str]]:
        """Return the names of the losses, and of the other metrics."""
        numbers = range(1, config.num_soft_q_nets + 1)
        return [f"q{i}_loss" for i in numbers], [*(f"q{i}_mean" for i in numbers), "target_q_mean"]
