"""What an update learns from: a batch of transitions."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

import autograd as torch


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Transitions to learn from, as NumPy arrays or as tensors on the agent's device."""

    observation: np.ndarray  # (batch, *observation_shape)
    action: np.ndarray  # (batch, *action_shape) in policy units; (batch, 1) int64 if discrete
    reward: np.ndarray  # (batch, 1) float32; of k steps their discounted sum
    discount: np.ndarray  # (batch, 1) float32: gamma^k, and 0 where the episode terminated
    next_observation: np.ndarray  # (batch, *observation_shape)
    weight: np.ndarray | None = None  # (batch, 1) float32, of each one's loss; None: 1 for all

    def arrays(self) -> dict[str, Any]:
        """Return the arrays by name, the weight only where there is one."""
        named = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: array for name, array in named if array is not None}

    def map(self, change: Callable[[Any], Any]) -> "Batch":
        """Return the batch of what `change` makes of each array."""
        return Batch(**{name: change(array) for name, array in self.arrays().items()})

    def joined(self, other: "Batch") -> "Batch":
        """Return a batch with another's transitions, from the same place, after its own.

        Both have weights, or none has.
        """
        first, second = self.arrays(), other.arrays()
        on_device = isinstance(self.reward, torch.Tensor)
        join: Callable[[Any], Any] = torch.cat if on_device else np.concatenate
        return Batch(**{name: join([first[name], second[name]]) for name in first})
