"""Soft Q networks of discrete actions: all values Q(s, .) at once."""

import autograd as torch
from autograd import Tensor


class ActionAsOutput:
    """A network takes an observation, and gives the value of each action."""

    is_repeatable = True

    def __init__(self, features: int, num_actions: int) -> None:
        """Take the size of an observation and the number of actions."""
        self.inputs, self.outputs = features, num_actions

    def arguments(self, observation: Tensor, action: Tensor) -> tuple[Tensor, ...]:
        """Return what the networks take of a pair."""
        return (observation,)

    def chosen(self, values: Tensor, action: Tensor) -> Tensor:
        """Return the values of stored actions (batch, 1) int64, (networks, batch, 1)."""
        return torch.gather(values, -1, action.expand(*values.shape[:-1], 1))
