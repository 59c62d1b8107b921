"""Which row holds what: a ring of rows for each environment.

Row after row of a ring holds the transitions of its environment, where the next observation of a
row is the observation of the row after it. One more row than transitions holds the next observation
of the newest one. Where another observation follows in that row (an episode ended, and its true
last observation is not the first of the next), the next observation moves aside.

Of stacks of frames a row holds the newest frame, and the rows before it the older ones. The oldest
transitions of a ring, whose own frames may be overwritten, are then not drawn.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sac.errors import CheckpointError
from sac.replay.aside import AsideObservations
from sac.replay.frames import Frames, joined, stacked
from sac.replay.storage.interface import Column, Storage
from sac.spaces.packing import Packing


class Stored(NamedTuple):
    """Transitions as they are stored; the caller owns the arrays."""

    observation: Any  # (n, *observation_shape)
    action: Any  # (n, *action_shape); (n, 1) where an action is one number
    reward: Any  # (n, 1) float32
    terminated: Any  # (n, 1) float32, 1 where the episode ended for good
    next_observation: Any  # (n, *observation_shape)


class Rings:
    """The newest transitions of each environment, `capacity` of all environments together."""

    def __init__(
        self,
        capacity: int,
        num_envs: int,
        observation: Column,
        action: Column,
        storage: Storage,
        frames: Frames | None = None,
        packing: Packing | None = None,
    ) -> None:
        """Make the tables; MemoryError where they do not fit into it.

        `frames`: observations are stacks of them, and the column holds the newest. `packing`: it
        holds rows of bytes.
        """
        self.packing = packing
        self.capacity, self.num_envs, self.frames = capacity, num_envs, frames
        self._spare = 0 if frames is None else frames.spare
        # The capacities of the rings differ by one at most and, without those that are spare, sum
        # up to `capacity`.
        shares = [(capacity + i) // num_envs for i in range(num_envs)]
        self._capacities = np.array(shares) + self._spare
        self._first = np.concatenate(([0], np.cumsum(self._capacities + 1)[:-1]))
        self._last = self._first + self._capacities
        self._head = self._first.copy()  # the row that the environment's next transition takes
        self._sizes = np.zeros(num_envs, np.int64)
        self.rows = capacity + num_envs * (self._spare + 1)
        columns = {
            "observation": observation,
            "action": action,
            "reward": Column.of((), np.float32),
            "terminated": Column.of((), np.bool_),
            "truncated": Column.of((), np.bool_),
            # Row of each transition's next observation; from `rows` on, a number of those aside.
            "next_row": Column.of((), np.int32),
            **({} if frames is None else {"depth": Column.of((), np.uint16)}),
        }
        self.table = storage.table("ring", columns, self.rows, self.rows)
        self._observation_dtype = observation.dtype
        self._aside = AsideObservations(observation, storage, self.rows)
        self.changes: list[int] | None = None  # rows since a mirror's read; None: all
        self._stored = 0

    def __len__(self) -> int:
        return self._stored

    def add(
        self,
        observation: np.ndarray,
        action: np.ndarray,
        reward: np.ndarray,
        terminated: np.ndarray,
        truncated: np.ndarray,
        next_observation: np.ndarray,
        valid: np.ndarray,
    ) -> tuple[list[int], list[int]]:
        """Store one transition of each environment for which `valid` is true.

        Every array is batched over environments. `next_observation` is the true successor, also
        at the end of an episode. Returns the row of each, and the rows that hold none to draw from
        now on. SpaceError for stacks that are none of one copy of each frame.
        """
        new: list[int] = []
        gone: list[int] = []
        if self.packing is None:
            observation = np.asarray(observation, self._observation_dtype)
        else:
            observation = self.packing.pack(observation)
            next_observation = self.packing.pack(next_observation)
        # One after the other: for a few environments, that is quicker than operations on all.
        for env in np.flatnonzero(valid).tolist():
            row = int(self._head[env])
            following = int(self._first[env]) if row == self._last[env] else row + 1
            place, following_place = self.table.claim(row), self.table.claim(following)
            now, later = observation[env], next_observation[env]
            depth = 0
            if self.frames is not None:
                depth = self._depth(env, row, now, later)
                now, later = now[-1], later[-1]
            replaced = self.table.columns["observation"][place]
            self._keep_replaced_aside(env, row, replaced, now)
            columns = self.table.columns  # now, as room for more rows may be other arrays
            self._drop(int(columns["next_row"][following_place]))
            columns["next_row"][following_place] = 0
            columns["observation"][place] = now
            columns["observation"][following_place] = later
            columns["action"][place] = action[env]
            columns["reward"][place] = reward[env]
            columns["terminated"][place] = terminated[env]
            columns["truncated"][place] = truncated[env]
            columns["next_row"][place] = following
            if self.frames is not None:
                columns["depth"][place] = depth
            self._head[env] = following
            drawn = self._capacities[env] - self._spare
            if self._sizes[env] < self._capacities[env]:
                self._sizes[env] += 1
                self._stored += self._sizes[env] <= drawn
            new.append(row)
            gone.append(following)
            if self._spare and self._sizes[env] > drawn:
                gone.append(self._back(row, drawn))
            if self.changes is not None:
                self.changes += row, following
        return new, gone

    def _depth(self, env: int, row: int, now: np.ndarray, later: np.ndarray) -> int:
        """Return how many frames before the newest one belong to the episode."""
        assert self.frames is not None
        if not self._sizes[env]:
            return self.frames.depth(now, later, None, 0)
        before = np.array([self._before(env, row)])
        depth = self.table.columns["depth"][self.table.locate(before)][0]
        return self.frames.depth(now, later, self.next_observations(before)[0], int(depth))

    def _back(self, row: Any, count: Any) -> Any:
        """Return the row, or rows, so many before in the ring."""
        envs = self._last.searchsorted(row)
        first = self._first[envs]
        return first + (row - first - count) % (self._capacities[envs] + 1)

    def _keep_replaced_aside(
        self, env: int, row: int, replaced: np.ndarray, observation: np.ndarray
    ) -> None:
        """Move the next observation of the last transition aside where the new row replaces it."""
        if self._sizes[env] and replaced.tobytes() != observation.tobytes():
            number = self._aside.keep(replaced)
            place = self.table.claim(self._before(env, row))
            self.table.columns["next_row"][place] = self.rows + number

    def _drop(self, next_row: int) -> None:
        """Free what a transition that is about to be overwritten keeps aside."""
        if next_row >= self.rows:
            self._aside.give_back(next_row - self.rows)

    def _before(self, env: int, row: int) -> int:
        """Return the row before a row in the ring of an environment."""
        return row - 1 if row > self._first[env] else int(self._last[env])

    def truncate(self, envs: Sequence[int]) -> None:
        """End the episodes of these environments with the newest transition of each."""
        for env in envs:
            if self._sizes[env]:
                place = self.table.claim(self._before(env, int(self._head[env])))
                columns = self.table.columns
                columns["truncated"][place] = ~columns["terminated"][place]

    def transition_rows(self, indices: np.ndarray) -> np.ndarray:
        """Return the rows of the stored transitions of these numbers, counted ring by ring.

        A ring's transitions are all its rows up to its size, but the head, which holds none.
        """
        if self._spare:
            sizes = self._drawn_sizes()
            ends = np.cumsum(sizes)
            envs = ends.searchsorted(indices, side="right")
            return self._back(self._head[envs], ends[envs] - indices)
        if len(self._head) == 1:
            # Until the ring is full, no transition lies behind the head.
            is_full = self._stored == self.capacity
            return indices + (indices >= self._head[0]) if is_full else indices
        ends = np.cumsum(self._sizes)
        envs = ends.searchsorted(indices, side="right")
        rows = indices + (self._first - (ends - self._sizes)).take(envs)
        return rows + (rows >= self._head.take(envs))

    def preceding(self, row: int) -> int:
        """Return the row before a row in its ring."""
        return self._before(int(self._last.searchsorted(row)), row)

    def bounds(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return first row, number of rows and newest transition's row of each one's ring."""
        envs = self._last.searchsorted(rows)
        first, length = self._first[envs], self._capacities[envs] + 1
        return first, length, first + (self._head[envs] - 1 - first) % length

    def rows_in_order(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of all transitions, ring after ring, the oldest of each first.

        Also the places in them of each ring's newest, where there is one.
        """
        sizes = self._drawn_sizes()
        rings = zip(self._first, self._head, sizes, self._capacities + 1, strict=True)
        rows = [
            first + (head - first - size + np.arange(size)) % length
            for first, head, size, length in rings
        ]
        return np.concatenate(rows), np.cumsum(sizes)[sizes > 0] - 1

    @property
    def room(self) -> np.ndarray:
        """How many transitions of each ring may be drawn at most: not those that are spare."""
        return self._capacities - self._spare

    def _drawn_sizes(self) -> np.ndarray:
        return np.minimum(self._sizes, self.room)

    def used_rows(self) -> np.ndarray:
        """Return the rows in use: each ring's transitions and its newest next observation's row."""
        ends = self._first + self._sizes + (self._sizes > 0)
        return np.concatenate(
            [np.arange(first, end) for first, end in zip(self._first, ends, strict=True)]
        )

    def successors(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows after these, and whether each holds the next step of the same episode.

        It does not where the episode ended, where nothing newer is stored, and where the next
        observation is not the one that the environment went on from.
        """
        places, columns = self.table.locate(rows), self.table.columns
        envs = self._last.searchsorted(rows)
        following = np.where(rows == self._last[envs], self._first[envs], rows + 1)
        goes_on = following != self._head[envs]
        goes_on &= ~(columns["terminated"].take(places) | columns["truncated"].take(places))
        goes_on &= columns["next_row"].take(places) < self.rows
        return following, goes_on

    def read(self, rows: np.ndarray, ends: np.ndarray | None = None) -> Stored:
        """Return the transitions in these rows, with the next observations of the rows `ends`."""
        places, columns, count = self.table.locate(rows), self.table.columns, len(rows)
        observation = self._observations(rows)
        after = rows if ends is None else ends
        next_observation = self._successors_of(after, observation if ends is None else None)
        action = columns["action"].take(places, axis=0)
        terminated = columns["terminated"].take(places).astype(np.float32)
        return Stored(
            observation=self._unpacked(observation),
            action=action.reshape(count, 1) if action.ndim == 1 else action,
            reward=columns["reward"].take(places).reshape(count, 1),
            terminated=terminated.reshape(count, 1),
            next_observation=self._unpacked(next_observation),
        )

    def _unpacked(self, observation: np.ndarray) -> np.ndarray:
        return observation if self.packing is None else self.packing.unpack(observation)

    def _observations(self, rows: np.ndarray) -> np.ndarray:
        if self.frames is None:
            return self.table.columns["observation"].take(self.table.locate(rows), axis=0)
        frame_rows = self.frame_rows(rows)
        places = self.table.locate(np.maximum(frame_rows, 0).reshape(-1))
        return stacked(self.table.columns["observation"].take(places, axis=0), frame_rows)

    def frame_rows(self, rows: np.ndarray) -> np.ndarray:
        """Return the rows of the frames of these transitions' observations, (n, frames).

        Negative: the frame is all zeros.
        """
        assert self.frames is not None
        ages = self.frames.ages(self.table.columns["depth"].take(self.table.locate(rows)))
        return np.where(ages < 0, -1, self._back(rows[:, None], ages))

    def next_observations(self, rows: np.ndarray) -> np.ndarray:
        """Return the next observations of the transitions in these rows."""
        return self._unpacked(self._successors_of(rows, None))

    def _successors_of(self, rows: np.ndarray, observation: np.ndarray | None) -> np.ndarray:
        """Return next observations as they are stored; `observation`: those before, if known."""
        next_rows = self.table.columns["next_row"].take(self.table.locate(rows))
        newest = self._next_observation(next_rows)
        if self.frames is None:
            return newest
        return joined(self._observations(rows) if observation is None else observation, newest)

    def _next_observation(self, next_rows: np.ndarray) -> np.ndarray:
        observation = self.table.columns["observation"]
        if next_rows.max() < self.rows:
            return observation.take(self.table.locate(next_rows), axis=0)
        is_aside = next_rows >= self.rows
        # The other rows for now; those that are aside get the place 0, and are replaced below.
        places = np.where(is_aside, 0, self.table.locate(np.where(is_aside, 0, next_rows)))
        next_observation = observation.take(places, axis=0)
        next_observation[is_aside] = self._aside.read(next_rows[is_aside] - self.rows)
        return next_observation

    def next_rows(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of the next observations; from `rows` on, of those returned beside."""
        next_rows = self.table.columns["next_row"].take(self.table.locate(rows))
        is_aside = next_rows >= self.rows
        aside = self._aside.read(next_rows[is_aside] - self.rows)
        next_rows[is_aside] = self.rows + np.arange(len(aside))
        return next_rows, aside

    def state_dict(self) -> dict[str, Any]:
        """Return the counters, which with the tables' rows are all that is stored."""
        return {"sizes": self._sizes.tolist(), "head": self._head.tolist()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state_dict` with loaded tables; CheckpointError if they do not fit."""
        try:
            sizes, head = (np.array(state[name], np.int64) for name in ("sizes", "head"))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise CheckpointError(f"replay.json is damaged: {error!r}") from error
        if len(self.table) != self.rows or not self._are_sound(sizes, head):
            raise CheckpointError(
                "the replay does not fit this buffer: was it saved with another "
                f"train.buffer_size than {self.capacity}?"
            )
        self._sizes, self._head = sizes, head
        self._stored = int(self._drawn_sizes().sum())
        self._load_next_rows()
        self.changes = None

    def _are_sound(self, sizes: np.ndarray, head: np.ndarray) -> bool:
        if not sizes.shape == head.shape == self._sizes.shape:
            return False
        in_ring = (head >= self._first) & (head <= self._last)
        sound = (sizes >= 0) & (sizes <= self._capacities)
        is_full = sizes == self._capacities
        sound &= np.where(is_full, in_ring, head == self._first + sizes)
        return bool(sound.all())

    def _load_next_rows(self) -> None:
        """Find what is kept aside; CheckpointError where a next row is none."""
        rows = self.used_rows()
        if not self.table.has(rows):
            raise CheckpointError("replay.json lacks segments that hold transitions")
        next_rows = self.table.columns["next_row"].take(self.table.locate(rows))
        is_aside = next_rows >= self.rows
        sound = is_aside | (next_rows == self._following(rows))
        if not sound.all() or not self._aside.load(next_rows[is_aside] - self.rows):
            raise CheckpointError("the replay names next observations that are not there")

    def _following(self, rows: np.ndarray) -> np.ndarray:
        """Return the row after each in its ring, and 0 for a head, which holds no transition."""
        following = rows + 1
        is_last = np.isin(rows, self._last)
        following[is_last] = self._first[np.searchsorted(self._last, rows[is_last])]
        following[np.isin(rows, self._head)] = 0
        return following
