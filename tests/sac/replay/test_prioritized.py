"""Prioritised draws against plain lists: sums, probabilities, weights, and what is never drawn."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as torch
from sac.disk.encoding import join_arrays, split_arrays
from sac.replay.buffer import ReplayBuffer
from sac.replay.sampling.prioritized import EPSILON, SumTree
from tests.on_devices import standin_gpu
from tests.sac.replay.test_buffer import make_buffer
from tests.sac.replay.test_n_step import OUTCOMES, Worlds

ALPHA, BETA = 0.6, 0.4


def prioritized(capacity: int, num_envs: int = 1, **changes: Any) -> ReplayBuffer:
    settings = {"priority_alpha": ALPHA, "priority_beta": BETA, **changes}
    return make_buffer(capacity, num_envs, **settings)


def filled(steps: int, capacity: int = 100, **changes: Any) -> ReplayBuffer:
    buffer = prioritized(capacity, **changes)
    worlds = Worlds(buffer, [capacity])
    for _ in range(steps):
        worlds.step(["on"])
    return buffer


def learn(buffer: ReplayBuffer, errors: Any) -> None:
    column = np.asarray(errors, np.float32).reshape(-1, 1)
    buffer.learned({"td_error": torch.as_tensor(column)})


# -- the tree -------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(rows=st.integers(2, 70), seed=st.integers(0, 10**6), changes=st.integers(1, 6))
def test_rows_are_those_that_a_running_sum_finds(rows: int, seed: int, changes: int) -> None:
    rng = np.random.default_rng(seed)
    tree, plain = SumTree(rows), [0] * rows
    for _ in range(changes):
        where = rng.integers(rows, size=rng.integers(1, 9))
        numbers = rng.integers(0, 4, len(where))  # whole numbers: their sums are exact
        tree.set(where, numbers)
        for row, number in zip(where.tolist(), numbers.tolist(), strict=True):
            plain[row] = number
        total = sum(plain)
        assert tree.total == total
        if total:
            shares = (np.arange(total) + 0.5) / total
            expected = [row for row, number in enumerate(plain) for _ in range(number)]
            assert tree.find(shares).tolist() == expected


@pytest.mark.parametrize("rows", [2, 37, 40_000])
def test_sums_depend_on_the_numbers_alone(rows: int) -> None:
    rng = np.random.default_rng(rows)
    tree, other = SumTree(rows), SumTree(rows)
    for _ in range(60):
        where = rng.integers(rows, size=5)
        tree.set(where, rng.random(5))
        assert tree.total > 0  # takes the sums of these five alone, where there are many rows
    other.set(np.arange(rows), tree.numbers)
    assert other.total == tree.total
    np.testing.assert_array_equal(other._sums, tree._sums)


@pytest.mark.parametrize("number", [0.1, 1.0])
def test_a_number_of_zero_is_never_found(number: float) -> None:
    """Not at either end either: rounding may come out at the end of what is there."""
    tree = SumTree(64)
    tree.set(np.arange(5, 50, 3), number)
    assert tree.find(np.array([0.0, np.nextafter(1.0, 0), 1.0])).tolist() == [5, 47, 47]


# -- draws ----------------------------------------------------------------------------------


class Oracle:
    """Priorities by first observation, by the definition."""

    def __init__(self, worlds: Worlds) -> None:
        self.worlds = worlds
        self.of: dict[float, float] = {}
        self.largest = 1.0

    def probabilities(self) -> dict[float, float]:
        stored = [step.observation for ring in self.worlds.rings for step in ring]
        for observation in stored:
            self.of.setdefault(observation, self.largest)
        total = sum(self.of[observation] for observation in stored)
        return {observation: self.of[observation] / total for observation in stored}

    def learn(self, observations: list[float], errors: list[float]) -> None:
        for observation, error in zip(observations, errors, strict=True):
            self.of[observation] = (np.float64(np.float32(error)) + EPSILON) ** ALPHA
            self.largest = max(self.largest, self.of[observation])


@settings(max_examples=100, deadline=None)
@given(
    data=st.data(),
    num_envs=st.integers(1, 3),
    extra=st.integers(0, 9),
    n=st.integers(1, 3),
    seed=st.integers(0, 10**6),
)
def test_draws_and_weights_are_those_of_the_definition(
    data: st.DataObject, num_envs: int, extra: int, n: int, seed: int
) -> None:
    """At ends and cuts, where rings wrap, with steps that are not stored, n-step or not."""
    capacity = num_envs + extra
    buffer = prioritized(capacity, num_envs, n_step=n)
    worlds = Worlds(buffer, sorted((capacity + i) // num_envs for i in range(num_envs)))
    oracle, rng = Oracle(worlds), np.random.default_rng(seed)
    step = st.lists(st.sampled_from(OUTCOMES), min_size=num_envs, max_size=num_envs)
    for number, outcomes in enumerate(data.draw(st.lists(step, min_size=1, max_size=30))):
        worlds.step(outcomes)
        probabilities = oracle.probabilities()
        if not probabilities:
            continue
        progress = number / 30
        batch = buffer.sample(7, progress)
        assert batch.weight is not None and batch.weight.dtype == np.float32
        seen = batch.observation[:, 0].tolist()
        beta = BETA + (1 - BETA) * progress
        weights = [(len(buffer) * probabilities[observation]) ** -beta for observation in seen]
        np.testing.assert_allclose(batch.weight[:, 0], np.array(weights) / max(weights), rtol=1e-6)
        targets = {target[0]: target for target in worlds.targets(n)}
        for row, observation in enumerate(seen):
            found = batch.reward[row, 0], batch.discount[row, 0], batch.next_observation[row, 0]
            np.testing.assert_allclose(found, targets[observation][1:], rtol=1e-5)
        # One error for each transition, however often it was drawn.
        errors = {observation: float(rng.random() * 3) for observation in seen}
        learn(buffer, [errors[observation] for observation in seen])
        oracle.learn(list(errors), list(errors.values()))


def test_each_is_drawn_as_often_as_its_priority_says() -> None:
    buffer = filled(50)
    errors = np.linspace(0, 2, 50)
    number = {observation: i for i, observation in enumerate(buffer_observations(buffer))}
    # All have the same priority: a stratified draw of as many as there are gives each once.
    drawn = [number[o] for o in buffer.sample(50).observation[:, 0].tolist()]
    assert drawn == list(range(50))
    learn(buffer, errors[drawn])
    counts = np.zeros(50)
    for _ in range(400):
        observations = buffer.sample(25).observation[:, 0].tolist()
        np.add.at(counts, [number[o] for o in observations], 1)
    expected = (errors + EPSILON) ** ALPHA
    expected *= counts.sum() / expected.sum()
    assert counts[0] <= 1
    chi_squared = ((counts - expected)[1:] ** 2 / expected[1:]).sum()
    assert chi_squared < 50  # stratified draws vary less than the 48 of independent ones
    np.testing.assert_allclose(counts[1:], expected[1:], rtol=0.25)


def buffer_observations(buffer: ReplayBuffer) -> list[float]:
    rows = buffer.rings.transition_rows(np.arange(len(buffer)))
    return buffer.rings.read(rows).observation[:, 0].tolist()


def test_weighted_mean_is_that_of_uniform_draws_at_the_end() -> None:
    """With beta 1 the weights undo the priorities: the mean of what is stored comes out."""
    buffer = filled(40)
    values = buffer_observations(buffer)
    buffer.sample(40)
    learn(buffer, np.linspace(0.1, 5, 40))
    weighted = total = 0.0
    for _ in range(300):
        batch = buffer.sample(64, 1.0)
        assert batch.weight is not None and buffer.priorities is not None
        numbers = buffer.priorities._tree.numbers[buffer.priorities._drawn]
        largest = (1 / numbers).max()  # what the weights were divided by
        weighted += float((batch.weight * batch.observation[:, :1]).sum() * largest)
        total += float(batch.weight.sum() * largest)
    assert weighted / total == pytest.approx(np.mean(values), rel=0.01)


def test_new_transitions_have_the_largest_priority_ever_seen() -> None:
    buffer = filled(4)
    assert buffer.priorities is not None
    buffer.sample(4)
    learn(buffer, [8.0, 0.5, 0.5, 0.5])
    buffer.sample(8)
    learn(buffer, np.full(8, 0.1))  # the largest is among them: it has become small
    Worlds(buffer, [100]).step(["on"])
    largest = (8 + EPSILON) ** ALPHA
    assert buffer.priorities._tree.numbers[4] == pytest.approx(largest)


def test_errors_that_are_no_numbers_change_nothing() -> None:
    """On a GPU a bad loss shows late: until then draws must not go wrong."""
    buffer = filled(3)
    assert buffer.priorities is not None
    buffer.sample(3)
    learn(buffer, [np.nan, 1.0, np.inf])
    numbers = buffer.priorities._tree.numbers[:3]
    np.testing.assert_allclose(numbers, [1, 1, 1], rtol=1e-5)


def test_errors_of_others_that_follow_are_left_alone() -> None:
    buffer = filled(3)
    assert buffer.priorities is not None
    buffer.sample(3)
    learn(buffer, [1.0, 1.0, 1.0, 99.0])
    np.testing.assert_allclose(buffer.priorities._tree.numbers[:4], [1, 1, 1, 0], rtol=1e-5)


def test_peeks_are_uniform_and_have_no_weights() -> None:
    buffer, plain = filled(30), filled(30, priority_alpha=0.0)
    buffer.sample(4)
    learn(buffer, np.full(4, 100.0))
    for name in ("peek", "peek_steps"):
        batch, expected = (getattr(b, name)(9, np.random.default_rng(1)) for b in (buffer, plain))
        assert batch.weight is None
        np.testing.assert_array_equal(batch.observation, expected.observation)
    assert plain.sample(3).weight is None


def test_sampling_from_an_empty_buffer_is_an_error() -> None:
    with pytest.raises(IndexError, match="empty"):
        prioritized(4).sample(1)


# -- its state, and the GPU -------------------------------------------------------------------


def steps_of(buffer: ReplayBuffer, worlds: Worlds, seed: int, steps: int) -> None:
    rng = np.random.default_rng(seed)
    for outcomes in rng.choice(OUTCOMES[:-1], (steps, 2)):
        worlds.step(outcomes.tolist())
        buffer.sample(5, 0.3)
        learn(buffer, 3 * rng.random(5))


@pytest.mark.parametrize("steps", [3, 40])
def test_state_goes_on_with_the_same_draws(steps: int) -> None:
    pair = [prioritized(13, 2) for _ in range(2)]
    worlds = [Worlds(buffer, [6, 7]) for buffer in pair]
    steps_of(pair[0], worlds[0], 1, steps)
    for outcomes in np.random.default_rng(1).choice(OUTCOMES[:-1], (steps, 2)):
        worlds[1].step(outcomes.tolist())
    assert pair[0].priorities is not None and pair[1].priorities is not None
    document, arrays = split_arrays(pair[0].priorities.state())
    pair[1].priorities.load_state(join_arrays(json.loads(json.dumps(document)), arrays))
    pair[1].load_generator_state(pair[0].generator_state())
    worlds[1].count = worlds[0].count
    for buffer, world in zip(pair, worlds, strict=True):
        steps_of(buffer, world, 2, 30)
    first, second = (buffer.priorities.state() for buffer in pair if buffer.priorities)
    assert first["largest"] == second["largest"] > 1
    np.testing.assert_array_equal(first["numbers"], second["numbers"])


WRONG: list[Any] = [lambda n: n[:-1], lambda n: -n, lambda n: n * np.nan, np.ones_like]


@pytest.mark.parametrize("wrong", WRONG)
def test_state_that_does_not_fit_is_refused(wrong: Any) -> None:
    buffer = filled(5)
    assert buffer.priorities is not None
    state = buffer.priorities.state()
    with pytest.raises(ValueError, match="expected the priorities of 5 transitions"):
        buffer.priorities.load_state({**state, "numbers": wrong(state["numbers"])})


@pytest.mark.parametrize("n", [1, 3])
def test_copy_on_a_gpu_gives_the_same_batches(n: int) -> None:
    with standin_gpu():
        pair = [prioritized(12, 2, n_step=n) for _ in range(2)]
        pair[1].mirror_on(torch.device("cuda"))
        worlds = [Worlds(buffer, [6, 6]) for buffer in pair]
        for outcomes in np.random.default_rng(1).choice(OUTCOMES[:-1], (30, 2)):
            for world in worlds:
                world.step(outcomes.tolist())
            plain, mirrored = (buffer.sample(8, 0.5) for buffer in pair)
            assert plain.arrays().keys() == mirrored.arrays().keys() >= {"weight"}
            for name, array in plain.arrays().items():
                found: Any = mirrored.arrays()[name]
                assert isinstance(found, torch.Tensor) and found.device.type == "cuda"
                np.testing.assert_array_equal(found.numpy(force=True), array)
            errors = np.abs(plain.reward)
            for buffer, device in zip(pair, ("cpu", "cuda"), strict=True):
                buffer.learned({"td_error": torch.as_tensor(errors, device=device)})
