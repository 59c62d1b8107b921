"""Transitions of others in rings and in batches."""

from typing import Any

import numpy as np
import pytest

import autograd as torch
from sac.replay.batch import Batch
from sac.replay.demonstrations import Demonstrations, Steps, fill
from tests.on_devices import standin_gpu
from tests.sac.replay.test_buffer import GAMMA, make_buffer
from tests.sac.replay.test_n_step import OUTCOMES, Worlds, drawn


def steps(n: int, first: float = 0.0) -> Steps:
    """Episodes of 5 steps, every other one terminated, whose observations count up."""
    number = first + np.arange(n) + np.arange(n) // 5  # one more between two episodes
    ends = np.arange(n) % 5 == 4
    odd = np.arange(n) // 5 % 2 == 1
    now, then = (np.stack([x, -x], 1).astype(np.float32) for x in (number, number + 1))
    action = np.full((n, 1), 0.5, np.float32)
    return Steps(now, action, np.arange(n, dtype=np.float32), ends & odd, ends & ~odd, then)


@pytest.mark.parametrize("num_envs", [1, 3, 7])
@pytest.mark.parametrize("spare", [0, 9])
def test_rings_hold_them_in_their_order(num_envs: int, spare: int) -> None:
    given = steps(40)
    buffer = make_buffer(40 + spare, num_envs)
    fill(buffer, given)
    rows, ends = buffer.rings.rows_in_order()
    assert len(buffer) == len(rows) == 40 and len(ends) == num_envs
    stored = buffer.rings.read(rows)
    np.testing.assert_array_equal(stored.observation, given.observation)
    np.testing.assert_array_equal(stored.next_observation, given.next_observation)
    np.testing.assert_array_equal(stored.reward[:, 0], given.reward)
    np.testing.assert_array_equal(stored.terminated[:, 0] > 0, given.terminated)
    truncated = buffer.rings.table.columns["truncated"][buffer.rings.table.locate(rows)]
    expected = given.truncated.copy()
    expected[ends] |= ~given.terminated[ends]
    np.testing.assert_array_equal(truncated, expected)


@pytest.mark.parametrize("num_envs", [1, 3])
def test_rows_come_in_order_where_rings_wrap(num_envs: int) -> None:
    buffer = make_buffer(20, num_envs)
    shares = [(20 + i) // num_envs for i in range(num_envs)]
    worlds = Worlds(buffer, shares)
    for outcomes in np.random.default_rng(0).choice(OUTCOMES, (50, num_envs)):
        worlds.step(outcomes.tolist())
        rows, ends = buffer.rings.rows_in_order()
        expected = [step.observation for ring in worlds.rings for step in ring]
        if expected:
            assert buffer.rings.read(rows).observation[:, 0].tolist() == expected
        sizes = [len(ring) for ring in worlds.rings]
        places = [sum(sizes[: i + 1]) - 1 for i, size in enumerate(sizes) if size]
        assert ends.tolist() == places


def test_sums_of_several_steps_stay_within_their_episode() -> None:
    buffer = make_buffer(10, 1, n_step=3)
    fill(buffer, steps(10))
    rewards = {o: reward for o, reward, *_ in drawn(buffer)}
    assert rewards[2] == pytest.approx(2 + GAMMA * 3 + GAMMA**2 * 4, rel=1e-6)
    assert rewards[3] == pytest.approx(3 + GAMMA * 4, rel=1e-6)


def test_digest_is_that_of_all_that_they_hold() -> None:
    given = steps(10)
    assert given.digest() == steps(10).digest()
    for name, column in given._asdict().items():
        changed = column.copy()
        changed[3] = ~changed[3] if changed.dtype == bool else changed[3] + 1
        assert given._replace(**{name: changed}).digest() != given.digest()


def test_batch_has_its_share_after_its_own() -> None:
    own, plain = make_buffer(30), make_buffer(30)
    for buffer in (own, plain):
        fill(buffer, steps(30, first=1000))
    twin = make_buffer(10, 2, generator=np.random.default_rng(5))
    fill(twin, steps(10))
    empty = make_buffer(10, 2, generator=np.random.default_rng(5))
    shown = Demonstrations(empty, steps(10), share=4, sizes=[10])
    for _ in range(3):
        batch = shown.add_to(own.sample(6))
        parts = [part.arrays() for part in (plain.sample(6), twin.sample(4))]
        assert batch.weight is None
        for name, array in batch.arrays().items():
            expected = np.concatenate([part[name] for part in parts])
            assert (array.dtype, array.shape) == (expected.dtype, expected.shape)
            np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_demonstrations_have_the_weight_of_a_uniform_draw_beside_prioritized_ones(
    device: str,
) -> None:
    with standin_gpu():
        own = make_buffer(30, priority_alpha=0.6, priority_beta=0.4)
        other = make_buffer(10, 2)
        fill(own, steps(30))
        if device == "cuda":
            own.mirror_on(torch.device("cuda"))
            other.mirror_on(torch.device("cuda"))
        shown = Demonstrations(other, steps(10), share=4, sizes=[10])
        for errors in (np.linspace(0, 3, 10), np.ones(10)):
            drawn_alone = own.sample(6, 0.5)
            batch = shown.add_to(drawn_alone, own.uniform_weight)
            assert isinstance(batch.reward, torch.Tensor) == (device == "cuda")
            weight = host(batch)["weight"]
            assert weight.dtype == np.float32 and weight.shape == (10, 1)
            assert weight.max() == pytest.approx(1, rel=1e-6)
            # (N P)^-beta of the largest is what all were divided by; for P = 1 / N it is 1.
            largest = 1 / own.uniform_weight
            np.testing.assert_allclose(weight[6:], 1 / max(largest, 1), rtol=1e-6)
            alone = host(drawn_alone)["weight"] * largest
            np.testing.assert_allclose(weight[:6], alone / max(largest, 1), rtol=1e-6)
            column = errors.astype(np.float32)[:, None]
            own.learned({"td_error": torch.as_tensor(column, device=device)})
        assert len(np.unique(weight)) > 2
        assert host(batch)["observation"].shape == (10, 2)


def test_halves_weigh_the_same_at_the_end_of_a_run() -> None:
    """At a beta of 1, the mean of (N P)^-beta is 1, as is the weight of a uniform draw."""
    own, other = make_buffer(64, priority_alpha=0.6, priority_beta=0.4), make_buffer(10, 2)
    fill(own, steps(64))
    shown, generator = (
        Demonstrations(other, steps(10), share=64, sizes=[10]),
        np.random.default_rng(0),
    )
    halves = []
    for _ in range(300):
        weight = host(shown.add_to(own.sample(64, 1.0), own.uniform_weight))["weight"]
        halves.append((weight[:64].sum(), weight[64:].sum()))
        errors = generator.lognormal(size=(128, 1)).astype(np.float32)
        own.learned({"td_error": torch.as_tensor(errors)})
    mean = np.mean(halves[50:], axis=0)
    assert mean[0] / mean.sum() == pytest.approx(0.5, abs=0.03)


def host(batch: Batch) -> dict[str, np.ndarray]:
    def numpy(value: Any) -> np.ndarray:
        return value.numpy(force=True) if isinstance(value, torch.Tensor) else value

    return {name: numpy(value) for name, value in batch.arrays().items()}
