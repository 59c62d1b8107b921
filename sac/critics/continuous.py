"""Soft Q networks of continuous actions: Q(s, a) of a pair."""

from autograd import Tensor


class ActionAsInput:
    """A network takes observation and action, and gives one value."""

    is_repeatable = True
    outputs = 1

    def __init__(self, features: int, action_size: int) -> None:
        """Take the sizes of an observation and of an action."""
        self.inputs = features + action_size

    def arguments(self, observation: Tensor, action: Tensor) -> tuple[Tensor, ...]:
        """Return what the networks take of a pair."""
        return observation, action

    def chosen(self, values: Tensor, action: Tensor) -> Tensor:
        """Return the values of stored actions (batch, size): what the networks gave."""
        return values
