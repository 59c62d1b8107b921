"""Returns of several steps against sums taken by hand over a plain list of each environment."""

from collections import deque
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as torch
from sac.replay.buffer import ReplayBuffer
from tests.on_devices import standin_gpu
from tests.sac.replay.test_buffer import GAMMA, EveryIndex, make_buffer

OUTCOMES = ["on", "on", "on", "on", "terminated", "truncated", "cut", "invalid"]


class Step(NamedTuple):
    """A transition, and whether its episode ended with it."""

    observation: float
    reward: float
    terminated: bool
    truncated: bool
    next_observation: float


Target = tuple[float, float, float, float]  # first observation, reward, discount, last observation


class Worlds:
    """Environments whose observations count up, and all that was stored of each."""

    def __init__(self, buffer: ReplayBuffer, shares: list[int]) -> None:
        self.buffer = buffer
        self.rings = [deque[Step](maxlen=share) for share in shares]
        self.count = 0.0
        self.current = [self.new() for _ in shares]

    def new(self) -> float:
        self.count += 1
        return self.count

    def step(self, outcomes: list[str]) -> None:
        """Go on, end, be cut off without a word, or make a transition that is not stored."""
        steps = [
            Step(now, self.new() / 7, o == "terminated", o == "truncated", self.new())
            for now, o in zip(self.current, outcomes, strict=True)
        ]
        valid = np.array([o != "invalid" for o in outcomes])
        for env, step in enumerate(steps):
            if valid[env]:
                self.rings[env].append(step)
            goes_on = outcomes[env] == "on"
            self.current[env] = step.next_observation if goes_on else self.new()
        columns = [np.array(column) for column in zip(*steps, strict=True)]
        observation, reward, terminated, truncated, following = columns
        both = (np.stack([x, -x], axis=1) for x in (observation, following))
        now, then = both
        self.buffer.add(now, np.zeros((len(steps), 1)), reward, terminated, truncated, then, valid)

    def targets(self, n: int) -> list[Target]:
        """What an n-step target of every stored transition is made of, by the definition."""
        return sorted(
            self.target(list(ring)[i : i + n]) for ring in self.rings for i in range(len(ring))
        )

    @staticmethod
    def target(steps: list[Step]) -> Target:
        total, discount = 0.0, 1.0
        for step, after in zip(steps, [*steps[1:], None], strict=True):
            total += discount * step.reward
            discount *= GAMMA
            if (
                after is None
                or step.terminated
                or step.truncated
                or after.observation != step.next_observation
            ):
                break
        return (
            steps[0].observation, total, 0.0 if step.terminated else discount,
            step.next_observation,
        )  # fmt: skip


def drawn(buffer: ReplayBuffer) -> list[Target]:
    batch = buffer.peek(len(buffer), EveryIndex(np.random.PCG64(0)))
    for observation in (batch.observation, batch.next_observation):
        np.testing.assert_array_equal(observation[:, 0], -observation[:, 1])
    assert batch.reward.dtype == batch.discount.dtype == np.float32
    assert batch.reward.shape == batch.discount.shape == (len(buffer), 1)
    columns = batch.observation[:, 0], batch.reward[:, 0], batch.discount[:, 0]
    rows = zip(*(c.tolist() for c in (*columns, batch.next_observation[:, 0])), strict=True)
    return sorted(rows)


def assert_same(found: list[Target], expected: list[Target]) -> None:
    np.testing.assert_allclose(np.array(found), np.array(expected), rtol=1e-5)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), num_envs=st.integers(1, 3), extra=st.integers(0, 9), n=st.integers(2, 6))
def test_targets_are_those_of_the_definition(
    data: st.DataObject, num_envs: int, extra: int, n: int
) -> None:
    """At ends, cuts, the newest transition, where the ring wraps, in several environments."""
    capacity = num_envs + extra
    buffer = make_buffer(capacity, num_envs, n_step=n)
    worlds = Worlds(buffer, sorted((capacity + i) // num_envs for i in range(num_envs)))
    step = st.lists(st.sampled_from(OUTCOMES), min_size=num_envs, max_size=num_envs)
    for outcomes in data.draw(st.lists(step, min_size=1, max_size=40)):
        worlds.step(outcomes)
        if len(buffer):
            assert_same(drawn(buffer), worlds.targets(n))


def test_one_step_is_what_the_uniform_sampler_draws() -> None:
    pair = [make_buffer(20, 2, n_step=n) for n in (1, 2)]
    for buffer in pair:
        worlds = Worlds(buffer, [10, 10])
        for outcomes in np.random.default_rng(1).choice(["terminated", "truncated"], (30, 2)):
            worlds.step(outcomes.tolist())
    one, several = (buffer.peek(50, np.random.default_rng(3)) for buffer in pair)
    for name, array in one.arrays().items():
        np.testing.assert_allclose(several.arrays()[name], array, rtol=1e-6)


def test_single_steps_can_be_looked_at_all_the_same() -> None:
    buffer = make_buffer(20, 1, n_step=3)
    worlds = Worlds(buffer, [20])
    for _ in range(10):
        worlds.step(["on"])
    steps = buffer.peek_steps(10, EveryIndex(np.random.PCG64(0)))
    np.testing.assert_allclose(steps.reward[:, 0], [s.reward for s in worlds.rings[0]], rtol=1e-6)


def test_worker_that_is_started_anew_ends_the_sum() -> None:
    buffer = make_buffer(20, 1, n_step=3)
    worlds = Worlds(buffer, [20])
    for _ in range(4):
        worlds.step(["on"])
    buffer.truncate([0])
    worlds.rings[0][-1] = worlds.rings[0][-1]._replace(truncated=True)
    for _ in range(3):
        worlds.step(["on"])
    assert_same(drawn(buffer), worlds.targets(3))


@pytest.mark.parametrize("n", [2, 5])
def test_copy_on_a_gpu_gives_the_same_batches(n: int) -> None:
    with standin_gpu():
        pair: list[Any] = []
        for is_mirrored in (False, True):
            buffer = make_buffer(12, 2, n_step=n)
            if is_mirrored:
                buffer.mirror_on(torch.device("cuda"))
            worlds = Worlds(buffer, [6, 6])
            for outcomes in np.random.default_rng(1).choice(OUTCOMES[:-1], (30, 2)):
                worlds.step(outcomes.tolist())
            pair.append(buffer.sample(16))
        for name, array in pair[0].arrays().items():
            found = pair[1].arrays()[name]
            assert isinstance(found, torch.Tensor) and found.device.type == "cuda"
            np.testing.assert_array_equal(found.numpy(force=True), array)
