"""What a critic is: the part of the agent that owns values, their loss and their targets."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import autograd as torch
from autograd import Tensor, nn, optim

Metrics = dict[str, Any]  # tensors stay tensors: their mean is taken when they are logged


class Transitions(NamedTuple):
    """A batch as the networks take it."""

    observation: Tensor  # (batch, features)
    action: Tensor  # (batch, size) in [-1, 1], or (batch, 1) int64
    reward: Tensor  # (batch, 1)
    discount: Tensor  # (batch, 1): what the next value counts; 0 where the episode terminated
    next_observation: Tensor  # (batch, features)
    weight: Tensor | None = None  # (batch, 1): what a transition's loss counts; None: 1


class Policy(Protocol):
    """What a critic asks of a policy."""

    def soft_value(self, observation: Tensor, value: Any, alpha: Tensor) -> tuple[Tensor, Tensor]:
        """Return V(s) = E_a[Q(s, a) - alpha log pi(a|s)] by `value`, and the entropy."""
        ...


class Critic(Protocol):
    """A critic as the agent, its state and its watchers know it.

    A subclass that overrides any of it runs as it is written, without being captured, unless it
    says `is_repeatable = True` itself: then its methods must do the same tensor operations in
    every update, with all random numbers from the generators that it was given.
    """

    is_repeatable: bool
    soft_q_nets: nn.MLPStack
    target_soft_q_nets: nn.MLPStack
    optimizer: optim.Optimizer

    def loss(self, batch: Transitions, policy: Policy, alpha: Tensor) -> tuple[Tensor, Metrics]:
        """Return the loss to step down, and metrics; those named *_loss must be finite."""
        ...

    def target(self, batch: Transitions, policy: Policy, alpha: Tensor) -> Tensor:
        """Return what the values are drawn to, (batch, 1); `loss` computes it under `no_grad`."""
        ...

    def error(self, batch: Transitions, target: Tensor) -> tuple[Tensor, Metrics]:
        """Return what `loss` does, against a target."""
        ...

    def q_values(self, observation: Tensor, action: Tensor) -> Tensor:
        """Return the values of stored actions by every network, (networks, batch, 1)."""
        ...

    def hidden(self, observation: Tensor, action: Tensor) -> list[Tensor]:
        """Return the outputs of each hidden layer, (networks, batch, units)."""
        ...

    def value(self, *inputs: Tensor) -> Tensor:
        """Return what the policy climbs, (batch, 1), or (batch, n) for discrete actions."""
        ...

    def follow(self) -> None:
        """Let the targets follow, after the step."""
        ...

    def parameters(self) -> Iterator[nn.Parameter]:
        """Yield all parameters, those of the targets too."""
        ...

    def state_dict(self) -> Mapping[str, Tensor]:
        """Return all weights by name."""
        ...

    def generators(self) -> dict[str, torch.Generator]:
        """Return the generators that the critic draws from, by name."""
        ...
