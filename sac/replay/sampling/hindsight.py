"""Hindsight replay: transitions learn of goals that their episode reached later.

Source: Andrychowicz et al. 2017, arXiv:1707.01495, with its strategy "future".
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

import autograd as torch
from sac.errors import ConfigError
from sac.replay.batch import Batch
from sac.replay.rings import Rings

OPEN, NONE = -1, -2  # in the place of an end: the newest of its ring, so far; none is known
CHECKED = 10  # first transitions, whose rewards are compared with those that are computed

OfGoals = Callable[[NDArray, NDArray], NDArray]


class Goals(NamedTuple):
    """Where goals lie in stored observations, and what they are worth.

    `reward` and, unless None, `terminated` take achieved and desired goals (n, size) as they are
    stored and return (n,).
    """

    achieved: slice
    desired: slice
    reward: OfGoals
    terminated: OfGoals | None


class Hindsight:
    """Replaces the desired goals of a share of each batch, and what follows from them.

    The new goal is what was achieved after a step of the same episode, drawn uniformly from the
    transition's own to the last that is stored. Nothing of it is stored.
    """

    def __init__(self, rings: Rings, goals: Goals, per_transition: int, gamma: float) -> None:
        """Replace `per_transition` goals for each one that stays, on average."""
        self._rings = rings
        self._goals = goals
        self._share = per_transition / (per_transition + 1)
        self._gamma = gamma
        self._ends = np.full(rings.rows, NONE, np.int64)  # last row of each one's episode
        self._is_checked = False

    def added(self, rows: Sequence[int]) -> None:
        """Take note of rows with new transitions, the newest of their rings.

        ConfigError where none of the first rewards is the one that is computed.
        """
        for row in rows:
            before = self._rings.preceding(row)
            if self._ends[before] == OPEN and not self._rings.successors(np.array([before]))[1][0]:
                self._close(before)
            self._ends[row] = OPEN
        if not self._is_checked and len(self._rings) >= CHECKED:
            self._check_rewards()

    def _close(self, end: int) -> None:
        row = end
        while self._ends[row] == OPEN:
            self._ends[row] = end
            row = self._rings.preceding(row)

    def loaded(self) -> None:
        """Find the ends of all episodes in rings that were loaded.

        Their run checked its first rewards; the first that are stored may be later ones.
        """
        self._is_checked = len(self._rings) >= CHECKED
        self._ends[:] = NONE
        rows, newest = self._rings.rows_in_order()
        ends = np.where(self._rings.successors(rows)[1], NONE, rows)
        ends[newest] = OPEN
        places = np.where(ends == NONE, len(rows), np.arange(len(rows)))
        self._ends[rows] = ends[np.minimum.accumulate(places[::-1])[::-1]]

    def relabelled(self, batch: Batch, rows: np.ndarray, generator: Generator) -> Batch:
        """Return a batch of these rows with other goals for a share of them, drawn at random."""
        chosen = np.flatnonzero(generator.random(len(rows)) < self._share)
        if not len(chosen):
            return batch
        rows, goals = rows[chosen], self._goals
        goal = self._rings.next_observations(self._later(rows, generator))[:, goals.achieved]
        reached = self._rings.next_observations(rows)[:, goals.achieved]
        changes = {"reward": goals.reward(reached, goal)}
        if goals.terminated is not None:
            changes["discount"] = self._gamma * ~goals.terminated(reached, goal)
        return _changed(batch, chosen, goals.desired, goal, changes)

    def _later(self, rows: np.ndarray, generator: Generator) -> np.ndarray:
        """Draw rows from each one's own to the last one of its episode."""
        first, length, newest = self._rings.bounds(rows)
        ends = self._ends[rows]
        ends = np.where(ends == OPEN, newest, ends)
        steps = (generator.random(len(rows)) * ((ends - rows) % length + 1)).astype(np.int64)
        return first + (rows - first + steps) % length

    def _check_rewards(self) -> None:
        stored = self._rings.read(self._rings.transition_rows(np.arange(CHECKED)))
        reached = stored.next_observation[:, self._goals.achieved]
        computed = self._goals.reward(reached, stored.observation[:, self._goals.desired])
        if not np.isclose(computed, stored.reward[:, 0], rtol=1e-3, atol=1e-3).any():
            raise ConfigError(
                "train.hindsight: expected the rewards that compute_reward gives for the goals, "
                f"but none of the first {CHECKED} is: such as {stored.reward[0, 0]:g} where it "
                f"gives {computed[0]:g}. Leave out wrappers that change rewards "
                "(agent.reward_scale scales what is learned from), or parts of the reward that "
                "goals don't tell"
            )
        self._is_checked = True


def _changed(
    batch: Batch, chosen: np.ndarray, desired: slice, goal: np.ndarray, changes: dict[str, NDArray]
) -> Batch:
    """Return a batch with goals and numbers in the place of those of the chosen transitions."""
    columns = {name: numbers.astype(np.float32)[:, None] for name, numbers in changes.items()}
    if isinstance(batch.reward, torch.Tensor):
        place = partial(torch.as_tensor, device=batch.reward.device)
        chosen, goal = place(chosen), place(goal)
        columns = {name: place(column) for name, column in columns.items()}
    for observation in (batch.observation, batch.next_observation):
        observation[chosen, desired] = goal
    arrays = batch.arrays()
    for name, column in columns.items():
        arrays[name][chosen] = column
    return replace(batch, **arrays)
