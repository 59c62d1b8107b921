"""Batches of transitions with the rewards of several steps."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import autograd as torch
from sac.replay.batch import Batch
from sac.replay.rings import Rings, Stored


class NStep:
    """Makes a reward of the discounted sum of up to `n` of its episode.

    The target is r_1 + gamma r_2 + ... + gamma^(k-1) r_k + gamma^k V(s_k), where k is n, or fewer
    at the end of an episode and of what is stored. Source: Sutton and Barto 2018, section 7.1. The
    later actions are those of older policies, which the target does not correct for.
    """

    def __init__(self, rings: Rings, gamma: float, n: int) -> None:
        self._rings = rings
        self._gamma = gamma
        self._n = n

    def batch(self, rows: np.ndarray, read: Callable[..., Stored]) -> Batch:
        """Return the batch of these rows; `read` returns what is stored, as `Rings.read` does."""
        ends, reward, discount = self._returns(rows)
        stored = read(rows, ends)
        if isinstance(stored.reward, torch.Tensor):
            place = partial(torch.as_tensor, device=stored.reward.device)
            reward, discount = place(reward), place(discount)
        return Batch(
            observation=stored.observation,
            action=stored.action,
            reward=reward,
            discount=discount,
            next_observation=stored.next_observation,
        )

    def _returns(self, rows: np.ndarray) -> tuple[np.ndarray, Any, Any]:
        """Return the last row of each sum, the sums and the discounts of what follows, (n, 1)."""
        table = self._rings.table
        rewards = table.columns["reward"]
        ends = rows.copy()
        total = rewards.take(table.locate(rows)).astype(np.float64)
        power = np.full(len(rows), self._gamma)
        going = np.arange(len(rows))  # the numbers of those that may go on
        for step in range(1, self._n):
            following, goes_on = self._rings.successors(ends[going])
            going, following = going[goes_on], following[goes_on]
            if not len(going):
                break
            ends[going] = following
            total[going] += self._gamma**step * rewards.take(table.locate(following))
            power[going] *= self._gamma
        terminated = table.columns["terminated"].take(table.locate(ends))
        discount = np.where(terminated, 0, power)
        reward, discount = (array.astype(np.float32)[:, None] for array in (total, discount))
        return ends, reward, discount
