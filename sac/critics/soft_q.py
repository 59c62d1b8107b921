"""The critic of SAC: soft Q networks, their targets, and the smallest of their values."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd as torch
from autograd import Tensor, nn, no_grad, optim
from autograd.functional.fused import discounted, half_mse, polyak_update_
from autograd.generator import from_numpy_generator
from sac.config import AgentConfig
from sac.critics import ActionReading
from sac.critics.transitions import Metrics, Policy, Transitions
from sac.errors import ConfigError
from sac.networks.architecture import Architecture, Stack, batch_mode
from sac.networks.optimizers import adam
from sac.seeding import Streams, generator


class SoftQCritic(nn.Module):
    """Clipped double Q-learning with an entropy bonus: Haarnoja et al. 2018, arXiv:1812.05905.

    The base of other critics, which override the target, the value or the error. The agent asks
    for `loss`, `value`, `follow` and the `optimizer`; metrics named *_loss must be finite.

    Networks that normalise over a batch take (s, a) and (s', a') together, so that both have the
    same statistics (arXiv:1902.05605), and running ones where the policy climbs.
    """

    is_repeatable = True
    has_choices = False  # whether it draws random numbers in an update, dropout aside
    has_targets = True
    gives_values = True  # not distributions of them, which take a choice as an input
    target_soft_q_nets: Stack  # those that learn, where there are no others

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
        self._check(config)
        self.tau = config.tau
        self.has_entropy_in_target = config.entropy_in_target
        self.reading = reading
        self.soft_q_nets = _architecture(config).build(
            reading.inputs,
            self._outputs(reading, config),
            config.num_soft_q_nets,
            name="{}.net.",
            generator=from_numpy_generator(weights),
        )
        if self.has_targets:
            self.target_soft_q_nets = copy.deepcopy(self.soft_q_nets).requires_grad_(False)
        self.noise: torch.Generator | None = None
        if config.critic_dropout or self.has_choices:
            self.noise = from_numpy_generator(generator(streams.critic), device)
        # How networks run in an update: where the policy climbs, and on a batch to learn from.
        self.mode: dict[str, Any] = {"dropout": self.noise} if config.critic_dropout else {}
        statistics = batch_mode(self.soft_q_nets)
        self.is_joint, self.batch_mode = bool(statistics), self.mode | statistics
        self.to(device)
        # Adam works element by element: one optimizer takes the steps of one for each network.
        self.optimizer: optim.Optimizer = adam(
            self.soft_q_nets, config.soft_q_lr, config.adam_betas, config.weight_decay
        )

    def _check(self, config: AgentConfig) -> None:
        """Raise ConfigError for settings without a use."""
        if config.min_over is not None:
            raise ConfigError(
                f"agent.min_over: agent.critic {config.critic} takes the minimum over all "
                "num_soft_q_nets; leave min_over out, or set agent.critic: redq"
            )

    def _outputs(self, reading: ActionReading, config: AgentConfig) -> int:
        """Return how many numbers a network gives."""
        return reading.outputs

    # -- the loss -------------------------------------------------------------------------

    def loss(self, batch: Transitions, policy: Policy, alpha: Tensor) -> tuple[Tensor, Metrics]:
        """J_Q = sum_i E[1/2 (Q_i(s, a) - (r + gamma V(s')))^2]; arXiv:1812.05905, eq. 5."""
        with no_grad():
            target, pair = self.target(batch, policy, alpha)
        return self.error(batch, target.detach(), pair)

    def target(
        self, batch: Transitions, policy: Policy, alpha: Tensor
    ) -> tuple[Tensor, Sequence[Tensor]]:
        """Return r + gamma V(s'), (batch, 1), and what the networks took of (s', a')."""
        return self.backup(batch, policy, alpha, self.target_value)

    def backup(
        self, batch: Transitions, policy: Policy, alpha: Tensor, value: Callable[..., Tensor]
    ) -> tuple[Tensor, Sequence[Tensor]]:
        """Return r + gamma (value(s', a') - alpha log pi(a'|s')), and what was taken of (s', a').

        Values (batch, n) give n numbers for each transition. Without `agent.entropy_in_target` they
        stand alone: arXiv:2509.09838.
        """
        pair: list[Tensor] = []

        def next_value(*inputs: Tensor) -> Tensor:
            pair.extend(inputs)
            values = value(*self._joined(batch, inputs))
            return values[len(batch.reward) :] if self.is_joint else values

        alpha = alpha if self.has_entropy_in_target else alpha * 0.0
        values, _ = policy.soft_value(batch.next_observation, next_value, alpha)
        assert values.dim() == 2 and len(values) == len(batch.reward), values.shape
        return discounted(batch.reward, batch.discount, values), pair

    def _joined(self, batch: Transitions, pair: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return what the networks take of (s', a'), after that of (s, a) if they share a batch."""
        if not self.is_joint:
            return pair
        before = self.reading.arguments(batch.observation, batch.action)
        return [torch.cat(both) for both in zip(before, pair, strict=True)]

    def error(
        self, batch: Transitions, target: Tensor, pair: Sequence[Tensor] = ()
    ) -> tuple[Tensor, Metrics]:
        """Return the loss of all networks together, against one target, and metrics of each.

        `pair`: what the networks take of (s', a'), for those that share a batch.
        """
        if self.is_joint:
            outputs = self.soft_q_nets(*self._joined(batch, pair), **self.batch_mode)
        else:
            arguments = self.reading.arguments(batch.observation, batch.action)
            outputs = self.soft_q_nets(*arguments, **self.batch_mode)
        return self.measured(batch, outputs, target)

    def measured(
        self, batch: Transitions, outputs: Tensor, target: Tensor
    ) -> tuple[Tensor, Metrics]:
        """Return what `error` does for outputs (networks, rows, n); the first rows are (s, a).

        Of a batch with weights also `td_error` (batch, 1), which the replay's priorities follow.
        """
        if self.is_joint:
            outputs = outputs[:, : len(batch.reward)]
        outputs = self.reading.chosen(outputs, batch.action)
        losses = self.losses(outputs, target, batch.weight)  # (networks,)
        q_values = self.expected(outputs.detach())  # (networks, batch, 1)
        target = self.target_mean(target)
        metrics: Metrics = {"target_q_mean": target}
        if batch.weight is not None:
            metrics["td_error"] = (q_values - target).abs().mean(dim=0)
        parts = zip(losses.detach().unbind(), q_values.unbind(), strict=True)
        for i, (loss, q_value) in enumerate(parts, start=1):
            metrics |= {f"q{i}_loss": loss, f"q{i}_mean": q_value}
        return losses.sum(), metrics

    def losses(self, outputs: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        """Return the loss of each network (networks,)."""
        assert target.shape == outputs.shape[1:], target.shape
        if weight is None:
            return half_mse(outputs, target)
        return (0.5 * weight * (outputs - target) ** 2).mean(dim=(1, 2))

    # -- values ---------------------------------------------------------------------------

    def expected(self, outputs: Tensor) -> Tensor:
        """Return the values (..., batch, 1) that outputs (..., batch, n) mean."""
        return outputs

    def target_mean(self, target: Tensor) -> Tensor:
        """Return the values (batch, 1) that a target means."""
        return self.expected(target)

    def q_values(self, observation: Tensor, action: Tensor) -> Tensor:
        """Return the values of stored actions by every network, (networks, batch, 1)."""
        outputs = self.soft_q_nets(*self.reading.arguments(observation, action))
        return self.expected(self.reading.chosen(outputs, action))

    def hidden(self, observation: Tensor, action: Tensor) -> list[Tensor]:
        """Return the outputs of each hidden layer, (networks, batch, units)."""
        return self.soft_q_nets.hidden(*self.reading.arguments(observation, action))

    def value(self, *inputs: Tensor) -> Tensor:
        """Return min_i Q_i, which the policy climbs."""
        return self.soft_q_nets.min(*inputs, **self.mode)

    def target_value(self, *inputs: Tensor) -> Tensor:
        """Return min_i Q_i of the target networks."""
        return self.target_soft_q_nets.min(*inputs, **self.batch_mode)

    def follow(self) -> None:
        """Move the target networks by tau: target += tau * (online - target)."""
        if self.has_targets:
            polyak_update_(self.target_soft_q_nets.flat, self.soft_q_nets.flat, self.tau)

    def generators(self) -> dict[str, torch.Generator]:
        """Return the generator of what an update draws for the critic."""
        return {} if self.noise is None else {"critic": self.noise}

    @staticmethod
    def metric_names(config: AgentConfig) -> tuple[list[str], list[str]]:
        """Return the names of the losses, and of the other metrics."""
        numbers = range(1, config.num_soft_q_nets + 1)
        return [f"q{i}_loss" for i in numbers], [*(f"q{i}_mean" for i in numbers), "target_q_mean"]


def _architecture(config: AgentConfig) -> Architecture:
    sizes = config.critic_hidden_sizes
    return Architecture(
        kind=config.network,
        sizes=config.hidden_sizes if sizes is None else sizes,
        activation=config.activation,
        norm=config.critic_norm,
        dropout=config.critic_dropout,
        unit_rows=config.unit_weights,
    )


def mean_of_rows(losses: Tensor, weight: Tensor | None) -> Tensor:
    """Return the mean (networks,) of losses (networks, batch, 1), times weights if there are."""
    return (losses if weight is None else losses * weight).mean(dim=(1, 2))
