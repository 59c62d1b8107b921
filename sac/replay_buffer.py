"""Uniform experience replay that stores each observation once.

Every environment has a ring of its own: row after row of transitions, where the next observation of
a row is the observation of the row after it. One more row than transitions holds the next
observation of the newest one. Where the following observation turns out to be another (an episode
ended, and its true last observation is not the first of the next), it is moved to a store beside.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import DTypeLike

from sac.errors import CheckpointError, ConfigError
from sac.seeding import generator_to_json, restore_generator

MAX_CAPACITY = 2**30  # rows are numbered in int32, with room for the observations kept aside
FIRST_ASIDE_ROWS = 16


class Batch(NamedTuple):
    """Transitions drawn from the replay; the caller owns the arrays."""

    observation: np.ndarray  # (batch, *observation_shape)
    action: np.ndarray  # (batch, *action_shape) in policy units; (batch, 1) int64 if discrete
    reward: np.ndarray  # (batch, 1) float32
    terminated: np.ndarray  # (batch, 1) float32, 1 where the episode ended for good
    next_observation: np.ndarray  # (batch, *observation_shape)


class ReplayBuffer:
    """The last `capacity` transitions of all environments together, drawn uniformly.

    Memory is reserved at once and touched as it fills. ConfigError if it is more than there is.
    """

    def __init__(
        self,
        capacity: int,
        num_envs: int,
        observation_shape: tuple[int, ...],
        observation_dtype: DTypeLike,
        action_shape: tuple[int, ...],
        action_dtype: DTypeLike,
        generator: Generator,
    ) -> None:
        if not num_envs <= capacity <= MAX_CAPACITY:
            raise ConfigError(
                f"train.buffer_size: expected from {num_envs} (one transition for each of the "
                f"environments) to {MAX_CAPACITY}, got {capacity}"
            )
        self.capacity = capacity
        self.num_envs = num_envs
        self._generator = generator
        # The capacities of the rings differ by one at most and sum up to `capacity`.
        self._capacities = np.array([(capacity + i) // num_envs for i in range(num_envs)])
        self._first = np.concatenate(([0], np.cumsum(self._capacities + 1)[:-1]))
        self._last = self._first + self._capacities
        self._head = self._first.copy()  # the row that the environment's next transition takes
        self._sizes = np.zeros(num_envs, np.int64)
        self._all_envs = np.arange(num_envs)
        self._allocate(observation_shape, observation_dtype, action_shape, action_dtype)
        self._count_stored()

    def _allocate(
        self,
        observation_shape: tuple[int, ...],
        observation_dtype: DTypeLike,
        action_shape: tuple[int, ...],
        action_dtype: DTypeLike,
    ) -> None:
        rows = self.capacity + self.num_envs
        try:
            self._observation = np.zeros((rows, *observation_shape), observation_dtype)
            self._action = np.zeros((rows, *action_shape), action_dtype)
            self._reward = np.zeros(rows, np.float32)
            self._terminated = np.zeros(rows, np.bool_)
            self._truncated = np.zeros(rows, np.bool_)
            # Row of each transition's next observation; from `rows` on, a row of the store beside.
            self._next_row = np.zeros(rows, np.int32)
        except MemoryError as error:
            raise ConfigError(
                f"train.buffer_size: {self.capacity} transitions need more memory than there is "
                f"({error}); expected a smaller buffer or smaller observations"
            ) from error
        self._rows = rows
        self._aside = np.zeros((FIRST_ASIDE_ROWS, *observation_shape), observation_dtype)
        self._free_aside = deque(range(FIRST_ASIDE_ROWS))  # the longest unused first
        self._is_discrete = np.issubdtype(self._action.dtype, np.integer)

    def __len__(self) -> int:
        return self._stored

    @property
    def nbytes(self) -> int:
        """Bytes reserved by all arrays."""
        return sum(value.nbytes for value in vars(self).values() if isinstance(value, np.ndarray))

    def add(
        self,
        observation: np.ndarray,
        action: np.ndarray,
        reward: np.ndarray,
        terminated: np.ndarray,
        truncated: np.ndarray,
        next_observation: np.ndarray,
        valid: np.ndarray,
    ) -> None:
        """Store one transition of each environment for which `valid` is true.

        Every array is batched over environments. `next_observation` is the true successor, also
        at the end of an episode.
        """
        envs = self._all_envs if valid.all() else np.flatnonzero(valid)
        if not len(envs):
            return
        rows = self._head[envs]
        observation = np.asarray(observation, self._observation.dtype)[envs]
        self._keep_replaced_aside(envs, rows, observation)
        following = np.where(rows == self._last[envs], self._first[envs], rows + 1)
        self._drop(following)
        self._observation[rows] = observation
        self._observation[following] = np.asarray(next_observation)[envs]
        self._action[rows] = np.asarray(action)[envs]
        self._reward[rows] = np.asarray(reward)[envs]
        self._terminated[rows] = np.asarray(terminated)[envs]
        self._truncated[rows] = np.asarray(truncated)[envs]
        self._next_row[rows] = following
        self._head[envs] = following
        if self._stored < self.capacity:
            self._sizes[envs] = np.minimum(self._sizes[envs] + 1, self._capacities[envs])
            self._count_stored()

    def truncate(self, envs: Sequence[int]) -> None:
        """End the episodes of these environments with the newest transition of each."""
        for env in envs:
            if self._sizes[env]:
                row = self._head[env] - 1
                newest = row if row >= self._first[env] else self._last[env]
                self._truncated[newest] = not self._terminated[newest]

    def sample(self, batch_size: int) -> Batch:
        """Draw transitions uniformly, with replacement, from all that are stored."""
        if not self._stored:
            raise IndexError("cannot sample from an empty replay buffer")
        rows = self._rows_of(self._generator.integers(self._stored, size=batch_size))
        action = self._action.take(rows, axis=0)
        return Batch(
            observation=self._observation.take(rows, axis=0),
            action=action.reshape(batch_size, 1) if self._is_discrete else action,
            reward=self._reward.take(rows).reshape(batch_size, 1),
            terminated=self._terminated.take(rows).astype(np.float32).reshape(batch_size, 1),
            next_observation=self._next_observation_of(rows),
        )

    def _rows_of(self, indices: np.ndarray) -> np.ndarray:
        """Return the rows of the stored transitions of these numbers, counted ring by ring.

        A ring's transitions are all its rows up to its size, but the head, which holds none.
        """
        if self.num_envs == 1:
            return indices + (indices >= self._head[0])
        envs = self._ends.searchsorted(indices, side="right")
        rows = indices + self._shifts.take(envs)
        return rows + (rows >= self._head.take(envs))

    def _next_observation_of(self, rows: np.ndarray) -> np.ndarray:
        next_rows = self._next_row.take(rows)
        # Rows of the store beside are beyond the rings: clipped here, replaced below.
        next_observation = self._observation.take(next_rows, axis=0, mode="clip")
        is_aside = next_rows >= self._rows
        if is_aside.any():
            next_observation[is_aside] = self._aside[next_rows[is_aside] - self._rows]
        return next_observation

    def _count_stored(self) -> None:
        self._ends = np.cumsum(self._sizes)
        self._shifts = self._first - (self._ends - self._sizes)
        self._stored = int(self._ends[-1])

    def _keep_replaced_aside(
        self, envs: np.ndarray, rows: np.ndarray, observation: np.ndarray
    ) -> None:
        """Save the next observation of the last transition where the new row would change it."""
        changed = (self._observation[rows] != observation).reshape(len(rows), -1).any(axis=1)
        for position in np.flatnonzero(changed & (self._sizes[envs] > 0)):
            env, row = envs[position], rows[position]
            previous = row - 1 if row > self._first[env] else self._last[env]
            if not self._free_aside:
                self._grow_aside(2 * len(self._aside))
            aside = self._free_aside.popleft()
            self._aside[aside] = self._observation[row]
            self._next_row[previous] = self._rows + aside

    def _drop(self, rows: np.ndarray) -> None:
        """Give back what the transitions of `rows`, about to be overwritten, keep aside."""
        next_rows = self._next_row[rows]
        self._free_aside.extend((next_rows[next_rows >= self._rows] - self._rows).tolist())
        self._next_row[rows] = 0

    def _grow_aside(self, size: int) -> None:
        grown = np.zeros((size, *self._aside.shape[1:]), self._aside.dtype)
        grown[: len(self._aside)] = self._aside
        self._free_aside.extend(range(len(self._aside), size))
        self._aside = grown

    def generator_state(self) -> dict[str, Any]:
        """Return the state of the sampling generator, as a JSON document."""
        return generator_to_json(self._generator)

    def load_generator_state(self, document: dict[str, Any]) -> None:
        """Continue sampling from a `generator_state`; CheckpointError on a wrong one."""
        restore_generator(self._generator, document)

    def state_dict(self) -> dict[str, np.ndarray]:
        """Return all that is stored, and no empty row; parts may be views of the buffer."""
        is_aside = self._next_row >= self._rows
        aside_rows = self._next_row[is_aside] - self._rows
        columns = {**self._columns(), "is_aside": is_aside}
        return {
            **{name: self._used(column) for name, column in columns.items()},
            "aside_observation": self._aside[aside_rows],  # one for each true is_aside, in order
            "sizes": self._sizes.copy(),
            "head": self._head.copy(),
        }

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Replace the content by a `state_dict`; CheckpointError where that does not fit."""
        self._load_bookkeeping(state)
        is_aside = np.zeros(self._rows, np.bool_)
        for name, column in {**self._columns(), "is_aside": is_aside}.items():
            self._fill_used(column, _checked(state, name, self._used(column)))
        count = int(is_aside.sum())
        if is_aside[self._head].any():
            raise CheckpointError("the replay keeps an observation for a row without transition")
        self._aside = self._aside[:0]
        self._free_aside.clear()
        self._grow_aside(max(FIRST_ASIDE_ROWS, count))
        numbers = [self._free_aside.popleft() for _ in range(count)]
        expected = self._aside[numbers]
        self._aside[numbers] = _checked(state, "aside_observation", expected)
        self._next_row[:] = np.arange(1, self._rows + 1)
        self._next_row[self._last] = self._first
        self._next_row[is_aside] = np.add(self._rows, numbers)
        self._next_row[self._head] = 0

    def _load_bookkeeping(self, state: dict[str, np.ndarray]) -> None:
        sizes = _checked(state, "sizes", self._sizes)
        head = _checked(state, "head", self._head)
        is_full = sizes == self._capacities
        in_ring = (head >= self._first) & (head <= self._last)
        sound = (sizes >= 0) & (sizes <= self._capacities)
        sound &= np.where(is_full, in_ring, head == self._first + sizes)
        if not sound.all():
            raise CheckpointError(
                "the replay does not fit this buffer: was it saved with another "
                f"train.buffer_size than {self.capacity}?"
            )
        self._sizes[:], self._head[:] = sizes, head
        self._count_stored()

    def _columns(self) -> dict[str, np.ndarray]:
        return {
            "observation": self._observation,
            "action": self._action,
            "reward": self._reward,
            "terminated": self._terminated,
            "truncated": self._truncated,
        }

    def _used_parts(self) -> list[slice]:
        """Rows in use of each ring: its transitions and the row of the newest next observation."""
        ends = self._first + self._sizes + (self._sizes > 0)
        return [slice(first, end) for first, end in zip(self._first, ends, strict=True)]

    def _used(self, column: np.ndarray) -> np.ndarray:
        parts = [column[part] for part in self._used_parts()]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _fill_used(self, column: np.ndarray, source: np.ndarray) -> None:
        begin = 0
        for part in self._used_parts():
            end = begin + part.stop - part.start
            column[part] = source[begin:end]
            begin = end


def _checked(state: dict[str, np.ndarray], name: str, like: np.ndarray) -> np.ndarray:
    """Return `state[name]`, which must have the shape and dtype of `like`."""
    if name not in state:
        raise CheckpointError(f"the replay lacks {name!r}; it has {sorted(state)}")
    array = state[name]
    if array.shape != like.shape or array.dtype != like.dtype:
        raise CheckpointError(
            f"the replay's {name}: expected {like.dtype} {like.shape}, "
            f"got {array.dtype} {array.shape}"
        )
    return array
