"""Transitions of others, to learn from beside a run's own."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from sac.errors import ConfigError
from sac.replay.batch import Batch
from sac.replay.buffer import ReplayBuffer
from sac.replay.frames import Frames, parts_of_episodes


class Steps(NamedTuple):
    """Transitions, episode after episode, as a replay stores them."""

    observation: np.ndarray  # (n, *observation_shape)
    action: np.ndarray  # (n, *action_shape) in policy units
    reward: np.ndarray  # (n,) float32
    terminated: np.ndarray  # (n,) bool
    truncated: np.ndarray  # (n,) bool
    next_observation: np.ndarray  # (n, *observation_shape)

    def digest(self) -> str:
        """Return what other transitions would not have."""
        found = hashlib.sha256()
        for column in self:
            found.update(f"{column.dtype.str} {column.shape}".encode())
            found.update(np.ascontiguousarray(column).data)
        return found.hexdigest()


def fill(replay_buffer: ReplayBuffer, steps: Steps) -> None:
    """Store transitions in equal parts in the rings, each part in its order.

    Parts of stacked frames begin with an episode; one whose first frames are no longer there is
    left out. ConfigError where a ring has no room for its own.
    """
    rings = replay_buffer.rings
    if rings.frames is not None:
        steps = _of_whole_stacks(steps, rings.frames)
    n = len(steps.reward)
    num_envs = rings.num_envs
    sizes = (n + np.arange(num_envs)) // num_envs
    ends = np.cumsum(sizes)
    if rings.frames is not None:
        ends = parts_of_episodes(ends, steps.terminated | steps.truncated)
        sizes = np.diff(ends, prepend=0)
        if (sizes > rings.room).any():
            raise ConfigError(
                f"train.buffer_size: expected more than {rings.capacity}, of which each of "
                f"{num_envs} environments has a part, as demonstrations of stacked frames are "
                f"divided between episodes: the largest part has {sizes.max()} transitions"
            )
    truncated = steps.truncated.copy()
    truncated[ends - 1] |= ~steps.terminated[ends - 1]  # its episode may go on in another ring
    columns = steps._replace(truncated=truncated)
    for step in range(int(sizes.max())):
        valid = step < sizes
        rows = np.where(valid, ends - sizes + step, 0)
        replay_buffer.add(*(column[rows] for column in columns), valid)


def _of_whole_stacks(steps: Steps, frames: Frames) -> Steps:
    """Return the steps of episodes that begin as `frames` do; ConfigError if none does."""
    ends = np.flatnonzero(steps.terminated | steps.truncated) + 1
    ends = np.union1d(ends, len(steps.reward))
    first = np.append(0, ends[:-1])
    is_whole = np.repeat(frames.begin(steps.observation[first]), ends - first)
    if not is_whole.any():
        raise ConfigError(
            "train.demonstrations: expected an episode with its first frames, which are stored "
            f"once, and padded as the environment's ({frames.padding}), got none; a "
            "train.demonstration_fraction above 0 takes other stacks, too"
        )
    return steps if is_whole.all() else Steps(*(column[is_whole] for column in steps))


class Demonstrations:
    """A replay of demonstrations, of which every batch has a share.

    Source: RLPD, Ball et al. 2023, arXiv:2302.02948.
    """

    def __init__(
        self, replay_buffer: ReplayBuffer, steps: Steps, share: int, sizes: Sequence[int]
    ) -> None:
        """Fill the empty `replay_buffer`, of which `share` transitions are in a batch.

        `sizes` of the parts of `steps` that their source may append to.
        """
        fill(replay_buffer, steps)
        self.replay_buffer = replay_buffer
        self.share, self.sizes = share, list(sizes)
        self._digest = steps.digest()

    def add_to(self, batch: Batch, uniform_weight: float = 1.0) -> Batch:
        """Return a batch with a draw of its share after it.

        `uniform_weight` is what a uniform draw, as is that of demonstrations, weighs on the scale
        of the batch's own weights. As there, the largest of all is then 1.
        """
        shown = self.replay_buffer.sample(self.share)
        if batch.weight is None:
            return batch.joined(shown)
        unit, weight = max(uniform_weight, 1.0), shown.reward * 0 + uniform_weight
        return replace(batch, weight=batch.weight / unit).joined(
            replace(shown, weight=weight / unit)
        )

    def state(self) -> dict[str, Any]:
        """Return what `load_state` needs."""
        generator = self.replay_buffer.generator_state()
        return {"digest": self._digest, "sizes": self.sizes, "generator": generator}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from a `state`; ConfigError where it is one of other transitions."""
        if state["digest"] != self._digest:
            raise ConfigError(
                "train.demonstrations: expected the transitions that the run began with, got "
                f"{len(self.replay_buffer):,} others: the run or data set is another one, or has "
                "replaced some of them since; give the one of that time"
            )
        self.replay_buffer.load_generator_state(state["generator"])
