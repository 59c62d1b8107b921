"""Uniform experience replay that stores each observation once.

Every environment has a ring of its own: row after row of transitions, where the next observation of
a row is the observation of the row after it. One more row than transitions holds the next
observation of the newest one. Where the following observation turns out to be another (an episode
ended, and its true last observation is not the first of the next), it is moved to a store beside.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import DTypeLike

import autograd as torch
from sac.errors import ConfigError
from sac.replay import rings as replay_state
from sac.replay.gpu_mirror import ReplayMirror
from sac.replay.storage.tables import DiskStorage, MemoryStorage, Storage, column
from sac.seeding import generator_to_json, restore_generator

MAX_CAPACITY = 2**30  # rows are numbered in int32, with room for the observations kept aside
FIRST_ASIDE_ROWS = 16


class Batch(NamedTuple):
    """Transitions drawn from the replay; the caller owns the arrays, which may be tensors."""

    observation: np.ndarray  # (batch, *observation_shape)
    action: np.ndarray  # (batch, *action_shape) in policy units; (batch, 1) int64 if discrete
    reward: np.ndarray  # (batch, 1) float32
    terminated: np.ndarray  # (batch, 1) float32, 1 where the episode ended for good
    next_observation: np.ndarray  # (batch, *observation_shape)


class ReplayBuffer:
    """The last `capacity` transitions of all environments together, drawn uniformly.

    They lie in memory, which is reserved at once and touched as it fills (ConfigError if it is more
    than there is), or where `storage` keeps them.
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
        storage: Storage | None = None,
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
        self._rows = capacity + num_envs
        self._is_discrete = np.issubdtype(action_dtype, np.integer)
        self.storage = MemoryStorage() if storage is None else storage
        observation = column(observation_shape, observation_dtype)
        columns = {
            "observation": observation,
            "action": column(action_shape, action_dtype),
            "reward": column((), np.float32),
            "terminated": column((), np.bool_),
            "truncated": column((), np.bool_),
            # Row of each transition's next observation; from `_rows` on, a row kept aside.
            "next_row": column((), np.int32),
        }
        self._observation_dtype = observation.dtype
        try:
            self._ring = self.storage.table("ring", columns, self._rows, self._rows)
            self._aside = self.storage.table(
                "aside", {"observation": observation}, FIRST_ASIDE_ROWS, self._rows
            )
        except MemoryError as error:
            raise ConfigError(
                f"train.buffer_size: {self.capacity} transitions need more memory than there is "
                f"({error}); expected a smaller buffer or smaller observations"
            ) from error
        self._free_aside = deque(range(FIRST_ASIDE_ROWS))  # the longest unused first
        self._mirror: ReplayMirror | None = None
        self._count_stored()

    def __len__(self) -> int:
        return self._stored

    @property
    def is_on_disk(self) -> bool:
        """Whether the rows lie in files that checkpoints refer to."""
        return isinstance(self.storage, DiskStorage)

    @property
    def nbytes(self) -> int:
        """Bytes reserved by all arrays."""
        own = [value for value in vars(self).values() if isinstance(value, np.ndarray)]
        tables = [*self._ring.columns.values(), *self._aside.columns.values()]
        return sum(array.nbytes for array in own + tables)

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
        following = np.where(rows == self._last[envs], self._first[envs], rows + 1)
        places = self._ring.claim(np.concatenate((rows, following)))
        place, following_place = places[: len(envs)], places[len(envs) :]
        observation = np.asarray(observation, self._observation_dtype)[envs]
        self._keep_replaced_aside(envs, rows, place, observation)
        columns = self._ring.columns
        self._drop(columns["next_row"], following_place)
        columns["observation"][place] = observation
        columns["observation"][following_place] = np.asarray(next_observation)[envs]
        columns["action"][place] = np.asarray(action)[envs]
        columns["reward"][place] = np.asarray(reward)[envs]
        columns["terminated"][place] = np.asarray(terminated)[envs]
        columns["truncated"][place] = np.asarray(truncated)[envs]
        columns["next_row"][place] = following
        if self._mirror is not None:
            self._mirror.note_change(np.concatenate((rows, following)))
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
                place = self._ring.claim(np.array([newest]))
                columns = self._ring.columns
                columns["truncated"][place] = ~columns["terminated"][place]

    def sample(self, batch_size: int) -> Batch:
        """Draw transitions uniformly, with replacement, from all that are stored."""
        if self._mirror is None or not self._stored:
            return self.peek(batch_size, self._generator)
        rows = self._rows_of(self._generator.integers(self._stored, size=batch_size))
        return Batch(**self._mirror.draw(rows))

    def peek(self, batch_size: int, generator: Generator) -> Batch:
        """Draw as `sample` does by another generator: the training's own stays where it is."""
        if not self._stored:
            raise IndexError("cannot sample from an empty replay buffer")
        rows = self._rows_of(generator.integers(self._stored, size=batch_size))
        places, columns = self._ring.locate(rows), self._ring.columns
        action = columns["action"].take(places, axis=0)
        terminated = columns["terminated"].take(places).astype(np.float32)
        return Batch(
            observation=columns["observation"].take(places, axis=0),
            action=action.reshape(batch_size, 1) if self._is_discrete else action,
            reward=columns["reward"].take(places).reshape(batch_size, 1),
            terminated=terminated.reshape(batch_size, 1),
            next_observation=self._next_observation_of(columns["next_row"].take(places)),
        )

    def mirror_on(self, device: torch.device) -> None:
        """Let `sample` draw on a GPU, from a copy there; MemoryError where it has not the memory.

        It returns the same transitions as without, as tensors.
        """
        self._mirror = ReplayMirror(self, device)

    @property
    def rows(self) -> int:
        """How many rows there are: one more for each environment than transitions."""
        return self._rows

    @property
    def columns(self) -> Mapping[str, np.ndarray]:
        """The arrays of the rings, in which `locate` finds a row."""
        return self._ring.columns

    def locate(self, rows: np.ndarray) -> np.ndarray:
        """Return where in `columns` rows lie."""
        return self._ring.locate(rows)

    def used_rows(self) -> np.ndarray:
        """Return all rows that hold something."""
        return replay_state.used_rows(self)

    def next_rows(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of the next observations; from `rows` on, of those returned beside."""
        next_rows = self._ring.columns["next_row"].take(self._ring.locate(rows))
        is_aside = next_rows >= self._rows
        places = self._aside.locate(next_rows[is_aside] - self._rows)
        aside = self._aside.columns["observation"][places]
        next_rows[is_aside] = self._rows + np.arange(len(aside))
        return next_rows, aside

    def _rows_of(self, indices: np.ndarray) -> np.ndarray:
        """Return the rows of the stored transitions of these numbers, counted ring by ring.

        A ring's transitions are all its rows up to its size, but the head, which holds none.
        """
        if self.num_envs == 1:
            return indices + (indices >= self._head[0])
        envs = self._ends.searchsorted(indices, side="right")
        rows = indices + self._shifts.take(envs)
        return rows + (rows >= self._head.take(envs))

    def _next_observation_of(self, next_rows: np.ndarray) -> np.ndarray:
        is_aside = next_rows >= self._rows
        if not is_aside.any():
            return self._ring.columns["observation"].take(self._ring.locate(next_rows), axis=0)
        # The other rows for now; those that are aside get the place 0, and are replaced below.
        places = np.where(is_aside, 0, self._ring.locate(np.where(is_aside, 0, next_rows)))
        next_observation = self._ring.columns["observation"].take(places, axis=0)
        places = self._aside.locate(next_rows[is_aside] - self._rows)
        next_observation[is_aside] = self._aside.columns["observation"][places]
        return next_observation

    def _count_stored(self) -> None:
        self._ends = np.cumsum(self._sizes)
        self._shifts = self._first - (self._ends - self._sizes)
        self._stored = int(self._ends[-1])

    def _keep_replaced_aside(
        self, envs: np.ndarray, rows: np.ndarray, places: np.ndarray, observation: np.ndarray
    ) -> None:
        """Save the next observation of the last transition where the new row would change it."""
        replaced = self._ring.columns["observation"][places]
        changed = (replaced != observation).reshape(len(rows), -1).any(axis=1)
        for position in np.flatnonzero(changed & (self._sizes[envs] > 0)):
            env, row = envs[position], rows[position]
            previous = row - 1 if row > self._first[env] else self._last[env]
            if not self._free_aside:
                self._grow_aside(2 * len(self._aside))
            aside = self._free_aside.popleft()
            place = self._aside.claim(np.array([aside]))
            self._aside.columns["observation"][place] = replaced[position]
            place = self._ring.claim(np.array([previous]))
            self._ring.columns["next_row"][place] = self._rows + aside

    def _drop(self, next_row: np.ndarray, places: np.ndarray) -> None:
        """Give back what the transitions there, about to be overwritten, keep aside."""
        next_rows = next_row[places]
        self._free_aside.extend((next_rows[next_rows >= self._rows] - self._rows).tolist())
        next_row[places] = 0

    def _grow_aside(self, rows: int) -> None:
        self._free_aside.extend(range(len(self._aside), rows))
        self._aside.extend(rows)

    def generator_state(self) -> dict[str, Any]:
        """Return the state of the sampling generator, as a JSON document."""
        return generator_to_json(self._generator)

    def load_generator_state(self, document: dict[str, Any]) -> None:
        """Continue sampling from a `generator_state`; CheckpointError on a wrong one."""
        restore_generator(self._generator, document)

    def state_dict(self) -> dict[str, np.ndarray]:
        """Return all that is stored, and no empty row; parts may be views of the buffer."""
        return replay_state.state_dict(self)

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Replace the content by a `state_dict`; CheckpointError where that does not fit."""
        replay_state.load_state_dict(self, state)
        if self._mirror is not None:
            self._mirror.note_change(None)
