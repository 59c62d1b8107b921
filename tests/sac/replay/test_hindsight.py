"""Hindsight replay against plain lists: which goals are drawn, and what follows from them."""

from collections import Counter, deque
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as torch
from sac.errors import ConfigError
from sac.replay.batch import Batch
from sac.replay.buffer import ReplayBuffer
from sac.replay.sampling import hindsight
from sac.replay.sampling.hindsight import Goals, Hindsight
from sac.replay.storage.disk import DiskStorage
from tests.on_devices import standin_gpu
from tests.sac.replay.test_buffer import GAMMA, make_buffer

ACHIEVED, DESIRED = slice(1, 2), slice(2, 3)
GOALS = 4


class Step(NamedTuple):
    """Numbers of a transition: `now` and `then` are observed and achieved, `goal` is desired."""

    now: float
    then: float
    goal: float
    terminated: bool
    truncated: bool
    episode: int


def reward(achieved: Any, desired: Any) -> Any:
    return (3 * achieved - desired)[:, 0]


def is_over(achieved: Any, desired: Any) -> Any:
    return (achieved + desired)[:, 0] % 3 == 0


def with_hindsight(buffer: ReplayBuffer, terminated: Any = is_over) -> ReplayBuffer:
    goals = Goals(ACHIEVED, DESIRED, reward, terminated)
    buffer.hindsight = Hindsight(buffer.rings, goals, GOALS, GAMMA)
    return buffer


def make(capacity: int, num_envs: int = 1, terminated: Any = is_over, **changes: Any) -> Any:
    settings = {"observation_shape": (3,), **changes}
    return with_hindsight(make_buffer(capacity, num_envs, **settings), terminated)


class Worlds:
    """Environments whose observations count up, and all that is stored of each."""

    def __init__(self, buffer: ReplayBuffer) -> None:
        rings = buffer.rings
        n = rings.num_envs
        self.buffer = buffer
        self.rings = [deque[Step](maxlen=(rings.capacity + i) // n) for i in range(n)]
        self.count, self.episodes = 0, 0
        self.current: list[Any] = [None] * n

    def step(self, outcomes: list[str]) -> None:
        """Go on, end, be cut off without a word, or make a transition that is not stored."""
        steps = []
        for env, outcome in enumerate(outcomes):
            if self.current[env] is None:
                self.episodes += 1
                self.current[env] = self.count, -float(self.episodes)
                self.count += 1
            now, goal = self.current[env]
            ends = outcome == "terminated", outcome == "truncated"
            steps.append(Step(now, self.count, goal, *ends, self.episode(goal)))
            self.current[env] = (self.count, goal) if outcome == "on" else None
            self.count += 1
        valid = np.array([outcome != "invalid" for outcome in outcomes])
        for env in np.flatnonzero(valid).tolist():
            self.rings[env].append(steps[env])
        then, goal = (np.array([[getattr(s, name)] for s in steps]) for name in ("then", "goal"))
        self.buffer.add(
            np.array([[s.now, s.now, s.goal] for s in steps]),
            np.zeros((len(steps), 1)),
            reward(then, goal),
            np.array([s.terminated for s in steps]),
            np.array([s.truncated for s in steps]),
            np.concatenate([then, then, goal], axis=1),
            valid,
        )

    @staticmethod
    def episode(goal: float) -> int:
        return int(-goal)

    def steps(self) -> list[Step]:
        return [step for ring in self.rings for step in ring]

    def possible(self) -> dict[float, set[float]]:
        """By `now`, what may be drawn as the goal of each stored transition."""
        found: dict[float, set[float]] = {}
        for step in self.steps():
            later = [s for s in self.steps() if s.episode == step.episode and s.then >= step.then]
            found[step.now] = {s.then for s in later}
        return found


def checked(worlds: Worlds, batch: Batch, *, has_end: bool = True) -> Counter[tuple[float, float]]:
    """Count what is drawn with which other goal, after a look at every transition."""
    by_now, possible = {step.now: step for step in worlds.steps()}, worlds.possible()
    found: Counter[tuple[float, float]] = Counter()
    arrays = [np.asarray(array) for array in batch.arrays().values()]
    for observation, _, gained, discount, following, *_ in zip(*arrays, strict=True):
        now, achieved, goal = observation.tolist()
        step = by_now[now]
        assert achieved == now and following.tolist() == [step.then, step.then, goal]
        [expected] = reward(np.array([[step.then]]), np.array([[goal]]))
        assert gained == expected
        is_other = goal != step.goal
        if is_other:
            assert goal in possible[now]
            found[now, goal] += 1
        ended = (step.then + goal) % 3 == 0 if is_other and has_end else step.terminated
        assert discount == np.float32(0 if ended else GAMMA)
    return found


OUTCOMES = st.sampled_from(["on", "on", "on", "on", "terminated", "truncated", "cut", "invalid"])


@settings(max_examples=60, deadline=None)
@given(
    num_envs=st.integers(1, 3),
    capacity=st.integers(3, 25),
    steps=st.lists(st.lists(OUTCOMES, min_size=3, max_size=3), min_size=4, max_size=40),
    has_end=st.booleans(),
)
def test_goals_are_all_later_ones_of_the_same_episode(
    num_envs: int, capacity: int, steps: list[list[str]], has_end: bool
) -> None:
    buffer = make(capacity, num_envs, is_over if has_end else None)
    worlds = Worlds(buffer)
    for number, outcomes in enumerate(steps):
        worlds.step(outcomes[:num_envs])
        if number == len(steps) // 2:
            buffer.hindsight.loaded()  # finds what was kept up to date until then
    if not len(buffer):
        return
    batch = buffer.sample(4000)
    found = checked(worlds, batch, has_end=has_end)
    wanted = {(now, goal) for now, goals in worlds.possible().items() for goal in goals}
    assert found.keys() <= wanted
    pairs = sum(len(goals) ** 2 for goals in worlds.possible().values())
    if pairs < 100:  # then even the rarest pair is drawn
        assert found.keys() == wanted
    assert found.total() == pytest.approx(4000 * GOALS / (GOALS + 1), abs=130)


def test_goals_are_drawn_uniformly() -> None:
    buffer = make(10)
    worlds = Worlds(buffer)
    for _ in range(5):
        worlds.step(["on"])
    found = checked(worlds, buffer.sample(20_000))
    of_first = [count for (now, _), count in found.items() if now == 0]
    np.testing.assert_allclose(of_first, 20_000 / 5 * 0.8 / 5, rtol=0.15)


def test_truncated_episode_ends_where_it_is() -> None:
    buffer = make(20)
    worlds = Worlds(buffer)
    for outcome in ("on", "on", "cut"):
        worlds.step([outcome])
    buffer.truncate([0])
    for _ in range(3):
        worlds.step(["on"])
    assert {goal for _, goal in checked(worlds, buffer.sample(500))} == {1, 2, 3, 5, 6, 7}


def test_an_episode_longer_than_the_ring() -> None:
    buffer = make(5)
    worlds = Worlds(buffer)
    for outcome in ["on"] * 12 + ["truncated", "on", "on"]:
        worlds.step([outcome])
        checked(worlds, buffer.sample(50))


def test_priorities_draw_and_their_weights_stay() -> None:
    buffer = make(50, priority_alpha=0.6)
    worlds = Worlds(buffer)
    for number in range(30):
        worlds.step(["terminated" if number % 7 == 6 else "on"])
    batch = buffer.sample(500)
    assert batch.weight is not None and batch.weight.shape == (500, 1)
    assert checked(worlds, batch).total() == pytest.approx(400, abs=50)


def test_the_mirror_and_the_disk_draw_the_same(tmp_path: Path) -> None:
    storage = DiskStorage()
    buffers = [make(40, 2), make(40, 2), make(40, 2, storage=storage)]
    storage.open(tmp_path)
    with standin_gpu():
        buffers[1].mirror_on(torch.device("cuda"))
        worlds = [Worlds(buffer) for buffer in buffers]
        for number in range(60):
            for world in worlds:
                world.step(["truncated" if number % 9 == 8 else "on", "on"])
            plain, mirrored, on_disk = (buffer.sample(16).arrays() for buffer in buffers)
            for name, array in plain.items():
                np.testing.assert_array_equal(array, mirrored[name].numpy(force=True))
                np.testing.assert_array_equal(array, on_disk[name])


def test_rewards_that_are_never_those_computed_are_refused() -> None:
    buffer = make_buffer(50, observation_shape=(3,))
    goals = Goals(ACHIEVED, DESIRED, lambda *pair: 10 * reward(*pair), None)
    buffer.hindsight = Hindsight(buffer.rings, goals, GOALS, GAMMA)
    worlds = Worlds(buffer)
    for _ in range(hindsight.CHECKED - 1):
        worlds.step(["on"])
    with pytest.raises(ConfigError, match="none of the first 10 is: such as 4 where it gives 40"):
        worlds.step(["on"])


def test_stored_transitions_stay(tmp_path: Path) -> None:
    buffer = make(20)
    worlds = Worlds(buffer)
    for _ in range(8):
        worlds.step(["on"])
    buffer.sample(100)
    stored = buffer.peek(100, np.random.default_rng(0))
    assert not checked(worlds, stored)
