"""Soft Q networks of choices: all values Q(s, .) at once, or choices as an input."""

from collections.abc import Sequence

import numpy as np

import autograd as torch
from autograd import Tensor


def one_hot(choice: Tensor, n: int) -> Tensor:
    """Return float32 one-hots (batch, n) of whole numbers (batch, 1) of any dtype."""
    return (choice == torch.arange(n, device=choice.device)).to(torch.float32)


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


class ChoicesAsOutput:
    """A network takes observation and continuous columns, and values each joint choice.

    The last category counts fastest. Source: Delalleau et al. 2019, arXiv:1912.11077.
    """

    is_repeatable = True

    def __init__(self, features: int, continuous: int, sizes: Sequence[int]) -> None:
        """Take the size of an observation, the continuous columns, and the categories' sizes."""
        self.continuous = continuous
        self.inputs, self.outputs = features + continuous, int(np.prod(sizes))
        self.strides = [int(np.prod(sizes[i + 1 :])) for i in range(len(sizes))]

    def arguments(self, observation: Tensor, action: Tensor) -> tuple[Tensor, ...]:
        """Return what the networks take of a pair."""
        columns = (action[:, : self.continuous],) if self.continuous else ()
        return observation, *columns

    def chosen(self, values: Tensor, action: Tensor) -> Tensor:
        """Return the values of stored actions (batch, columns), (networks, batch, 1)."""
        index = action[:, self.continuous : self.continuous + 1] * self.strides[0]
        for i, stride in enumerate(self.strides[1:], start=self.continuous + 1):
            index = index + action[:, i : i + 1] * stride
        return torch.gather(values, -1, index.to(torch.int64).expand(*values.shape[:-1], 1))


class ChoicesAsInput:
    """A network takes observation, continuous columns and one-hots, and gives one value."""

    is_repeatable = True
    outputs = 1

    def __init__(self, features: int, continuous: int, sizes: Sequence[int]) -> None:
        """Take the size of an observation, the continuous columns, and the categories' sizes."""
        self.continuous, self.sizes = continuous, tuple(sizes)
        self.inputs = features + continuous + sum(sizes)

    def arguments(self, observation: Tensor, action: Tensor) -> tuple[Tensor, ...]:
        """Return what the networks take of a pair."""
        columns = [action[:, : self.continuous]] if self.continuous else []
        for i, n in enumerate(self.sizes, start=self.continuous):
            columns.append(one_hot(action[:, i : i + 1], n))
        return observation, torch.cat(columns, dim=1)

    def chosen(self, values: Tensor, action: Tensor) -> Tensor:
        """Return the values of stored actions: what the networks gave."""
        return values
