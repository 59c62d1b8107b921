"""The replay against a plain list of transitions, its memory, its sampling and its state."""

from collections import deque
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sac.errors import CheckpointError, ConfigError
from sac.replay.batch import Batch
from sac.replay.buffer import ReplayBuffer
from tests.sac.tiny_runs import assert_same_arrays

OBSERVATION_SHAPE = (2,)
GAMMA = 0.9


class EveryIndex(np.random.Generator):
    """A generator whose `integers` counts, so that sampling `len(buffer)` gives each row once."""

    def integers(self, low: Any, *args: Any, **kwargs: Any) -> Any:
        return np.arange(low)


class Transition(NamedTuple):
    observation: float
    action: float
    reward: float
    terminated: bool
    next_observation: float


class Oracle:
    """What the replay should hold: one plain list for each environment, the oldest dropped."""

    def __init__(self, capacity: int, num_envs: int) -> None:
        shares = sorted((capacity + i) // num_envs for i in range(num_envs))
        self.rings = [deque[Transition](maxlen=share) for share in shares]

    def transitions(self) -> list[Transition]:
        return sorted(transition for ring in self.rings for transition in ring)


def make_buffer(capacity: int, num_envs: int = 1, **changes: Any) -> ReplayBuffer:
    arguments: dict[str, Any] = {
        "observation_shape": OBSERVATION_SHAPE,
        "observation_dtype": np.float32,
        "action_shape": (1,),
        "action_dtype": np.float32,
        "generator": np.random.default_rng(0),
        "gamma": GAMMA,
        **changes,
    }
    return ReplayBuffer(capacity, num_envs, **arguments)


def every_transition(buffer: ReplayBuffer) -> list[Transition]:
    batch = buffer.peek(len(buffer), EveryIndex(np.random.PCG64(0)))
    assert set(batch.discount.ravel().tolist()) <= {0, np.float32(GAMMA)}
    np.testing.assert_array_equal(batch.observation[:, 0], -batch.observation[:, 1])
    np.testing.assert_array_equal(batch.next_observation[:, 0], -batch.next_observation[:, 1])
    columns = (
        batch.observation[:, 0],
        batch.action[:, 0],
        batch.reward[:, 0],
        batch.discount[:, 0] == 0,
        batch.next_observation[:, 0],
    )
    return sorted(Transition(*row) for row in zip(*(c.tolist() for c in columns), strict=True))


class Worlds:
    """Environments whose observations are numbers; `outcomes` drawn from outside steer them."""

    def __init__(self, buffer: ReplayBuffer, oracle: Oracle) -> None:
        self.buffer, self.oracle = buffer, oracle
        self.count = 0.0
        self.current = [self.new() for _ in oracle.rings]
        self.is_over = [False] * len(oracle.rings)

    def new(self) -> float:
        self.count += 1.0
        return self.count

    def step(self, outcomes: list[str]) -> None:
        """Take one vector step: each environment goes on, ends, is cut, or repeats itself."""
        rows, valid = [], []
        for env, outcome in enumerate(outcomes):
            successor = self.current[env] if outcome == "same" else self.new()
            row = Transition(
                self.current[env], self.new(), self.new(), outcome == "terminated", successor
            )
            rows.append(row)
            valid.append(not (self.is_over[env] or outcome == "invalid"))
            if valid[env]:
                self.oracle.rings[env].append(row)
            ended = outcome in ("terminated", "truncated")
            # Autoreset in the same step, in the next one (a dummy transition), or without a word.
            self.is_over[env] = ended and not self.is_over[env] and int(successor) % 2 == 0
            self.current[env] = self.new() if ended or outcome == "cut" else successor
        add(self.buffer, rows, [o == "truncated" for o in outcomes], valid)


def add(
    buffer: ReplayBuffer, rows: list[Transition], truncated: list[bool], valid: list[bool]
) -> None:
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    observation, action, reward, terminated, next_observation = columns
    buffer.add(
        np.stack([observation, -observation], axis=1),
        action[:, None],
        reward,
        terminated,
        np.array(truncated),
        np.stack([next_observation, -next_observation], axis=1),
        np.array(valid),
    )


OUTCOMES = ["on", "on", "on", "same", "terminated", "truncated", "cut", "invalid"]


@settings(max_examples=150, deadline=None)
@given(data=st.data(), num_envs=st.integers(1, 4), extra=st.integers(0, 9))
def test_holds_what_a_plain_list_would(data: st.DataObject, num_envs: int, extra: int) -> None:
    capacity = num_envs + extra
    buffer, oracle = make_buffer(capacity, num_envs), Oracle(capacity, num_envs)
    worlds = Worlds(buffer, oracle)
    step = st.lists(st.sampled_from(OUTCOMES), min_size=num_envs, max_size=num_envs)
    for outcomes in data.draw(st.lists(step, min_size=1, max_size=40)):
        worlds.step(outcomes)
        expected = oracle.transitions()
        assert len(buffer) == len(expected)
        if expected:
            assert every_transition(buffer) == expected


def run_worlds(buffer: ReplayBuffer, num_envs: int, steps: int) -> Worlds:
    worlds = Worlds(buffer, Oracle(buffer.rings.capacity, num_envs))
    generator = np.random.default_rng(5)
    for _ in range(steps):
        worlds.step(generator.choice(["on", "on", "truncated", "terminated"], num_envs).tolist())
    return worlds


def test_a_replay_in_memory_takes_over_nothing() -> None:
    buffer = make_buffer(20)
    run_worlds(buffer, 1, 5)
    with pytest.raises(CheckpointError, match="in memory"):
        make_buffer(20).load(buffer.commit())


def test_newest_transition_can_be_sampled_at_once() -> None:
    buffer = make_buffer(10)
    add(buffer, [Transition(1, 2, 3, False, 4)], [False], [True])
    batch = buffer.sample(5)
    assert len(buffer) == 1
    np.testing.assert_array_equal(batch.observation, [[1, -1]] * 5)
    np.testing.assert_array_equal(batch.next_observation, [[4, -4]] * 5)


def test_kept_observations_are_recycled() -> None:
    buffer = make_buffer(50)
    worlds = Worlds(buffer, Oracle(50, 1))
    for _ in range(2000):
        worlds.step(["truncated"])
    assert len(buffer.rings._aside._table) <= 64
    assert every_transition(buffer) == worlds.oracle.transitions()


def test_batch_shapes_and_dtypes() -> None:
    buffer = make_buffer(10, 2, action_shape=(2, 3))
    zeros = np.zeros(2)
    buffer.add(np.ones((2, 2)), np.ones((2, 2, 3)), zeros, zeros, zeros, np.ones((2, 2)), zeros + 1)
    batch = buffer.sample(4)
    shapes = {name: array.shape for name, array in batch.arrays().items()}
    assert shapes == {
        "observation": (4, 2),
        "action": (4, 2, 3),
        "reward": (4, 1),
        "discount": (4, 1),
        "next_observation": (4, 2),
    }
    assert {array.dtype for array in batch.arrays().values()} == {np.dtype(np.float32)}


def test_discrete_actions_are_a_column_of_int64() -> None:
    buffer = make_buffer(10, 2, action_shape=(), action_dtype=np.int64)
    zeros = np.zeros(2)
    buffer.add(np.ones((2, 2)), np.array([3, 4]), zeros, zeros, zeros, np.ones((2, 2)), zeros + 1)
    batch = buffer.sample(50)
    assert batch.action.shape == (50, 1)
    assert batch.action.dtype == np.int64
    assert set(batch.action.ravel().tolist()) == {3, 4}


def test_images_stay_uint8() -> None:
    buffer = make_buffer(10, observation_shape=(4, 4, 3), observation_dtype=np.uint8)
    first, second = np.full((1, 4, 4, 3), 7, np.uint8), np.full((1, 4, 4, 3), 255, np.uint8)
    false = np.array([False])
    buffer.add(first, np.zeros((1, 1)), np.zeros(1), false, false, second, ~false)
    batch = buffer.sample(3)
    assert batch.observation.dtype == batch.next_observation.dtype == np.uint8
    assert (batch.observation == 7).all()
    assert (batch.next_observation == 255).all()


def test_nothing_is_shared_with_the_caller() -> None:
    buffer = make_buffer(10)
    arrays: list[Any] = [np.ones((1, 2)), np.ones((1, 1)), np.ones(1), np.zeros(1), np.zeros(1)]
    arrays += [np.full((1, 2), 2.0), np.array([True])]
    buffer.add(*arrays)
    for array in arrays:
        array[:] = 99.0
    stored = [1.0, 1.0, 1.0, np.float32(GAMMA), 2.0]
    first = buffer.sample(1).arrays().values()
    assert [array.item(0) for array in first] == stored
    for array in first:
        array[:] = 99.0
    assert [array.item(0) for array in buffer.sample(1).arrays().values()] == stored


@pytest.mark.parametrize(("steps", "num_envs"), [(5, 1), (40, 1), (11, 3), (40, 3)])
def test_sampling_is_uniform(steps: int, num_envs: int) -> None:
    buffer = make_buffer(20, num_envs)
    worlds = run_worlds(buffer, num_envs, steps)
    draws = 20_000
    rewards = buffer.sample(draws).reward.ravel()
    values, counts = np.unique(rewards, return_counts=True)
    assert values.tolist() == sorted(t.reward for t in worlds.oracle.transitions())
    expected = draws / len(values)
    # Five standard deviations of a binomial count, about one in a million for each.
    assert (abs(counts - expected) < 5 * np.sqrt(expected)).all()


def test_same_seed_samples_the_same_batches() -> None:
    def batches(seed: int) -> list[Batch]:
        buffer = make_buffer(20, generator=np.random.default_rng(seed))
        run_worlds(buffer, 1, 30)
        return [buffer.sample(6) for _ in range(4)]

    for first, second in zip(batches(1), batches(1), strict=True):
        assert_same_arrays(first.arrays(), second.arrays())
    assert not np.array_equal(batches(1)[0].reward, batches(2)[0].reward)


@pytest.mark.parametrize("num_envs", [1, 3, 7])
def test_capacity_counts_transitions_of_all_environments(num_envs: int) -> None:
    buffer = make_buffer(20, num_envs)
    run_worlds(buffer, num_envs, 100)
    assert len(buffer) == 20


def test_a_million_half_cheetah_transitions_fit_in_130_megabytes() -> None:
    buffer = make_buffer(10**6, observation_shape=(17,), action_shape=(6,))
    # The 1,000 observations that episodes of 1,000 steps keep aside take 0.07 MB more.
    assert sum(array.nbytes for array in buffer.rings.table.columns.values()) < 105e6


def test_sampling_from_an_empty_buffer_is_an_error() -> None:
    with pytest.raises(IndexError, match="empty"):
        make_buffer(4).sample(1)


@pytest.mark.parametrize(("capacity", "num_envs"), [(0, 1), (2, 3), (2**31, 1)])
def test_impossible_capacity_is_refused(capacity: int, num_envs: int) -> None:
    with pytest.raises(ConfigError, match=f"buffer_size.*{capacity}"):
        make_buffer(capacity, num_envs)


def test_too_little_memory_names_the_key() -> None:
    with pytest.raises(ConfigError, match="buffer_size"):
        make_buffer(2**30, observation_shape=(1000, 1000, 1000))
