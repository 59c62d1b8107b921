"""What a critic learns from, and what it asks of a policy."""

from typing import Any, NamedTuple, Protocol

from autograd import Tensor

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
