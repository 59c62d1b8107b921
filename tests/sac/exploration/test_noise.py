"""Noise that is correlated over steps: its statistics, its pieces, and that it goes on exactly."""

import json
from typing import Any

import numpy as np
import pytest

from sac.disk.encoding import join_arrays, split_arrays
from sac.exploration.noise import KINDS, LONGEST_HOLD, PINK_STEPS, Noise, noise_for, pink, repeated
from sac.seeding import Streams, generator

STREAM, OTHER = Streams.from_seed(0).noise, Streams.from_seed(1).noise


def count_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pieces of pink noise have 5 steps that tell number and step: 100 to 104, 200 to ..."""
    made = [0]

    def piece(source: Any, size: int) -> np.ndarray:
        made[0] += 1
        return np.repeat(100.0 * made[0] + np.arange(5)[:, None], size, axis=1)

    monkeypatch.setitem(KINDS, "pink", (5, piece))


def draws(noise: Noise, steps: int) -> np.ndarray:
    return np.stack([noise.draw() for _ in range(steps)])


def test_power_of_pink_noise_falls_as_one_over_the_frequency() -> None:
    source = np.random.default_rng(0)
    pieces = np.concatenate([pink(source, 8) for _ in range(100)], axis=1)
    power = (np.abs(np.fft.rfft(pieces, axis=0)) ** 2).mean(axis=1)
    frequency = np.fft.rfftfreq(PINK_STEPS)
    slope, _ = np.polyfit(np.log(frequency[1:-1]), np.log(power[1:-1]), 1)
    assert slope == pytest.approx(-1, abs=0.02)
    levels = (power * frequency)[1:-1]
    assert levels.std() / levels.mean() < 0.06  # 1 / sqrt(800), and nothing else
    assert power[0] / power[1] == pytest.approx(1, abs=0.15)  # a constant has no frequency


@pytest.mark.parametrize("kind", KINDS)
def test_each_number_by_itself_is_standard_normal(kind: str) -> None:
    """At a step that is not of the same piece as the next draw."""
    noise = Noise(kind, 4000, 2, STREAM)
    for _ in range(3):
        values = noise.draw()
    assert values.dtype == np.float32 and values.shape == (4000, 2)
    assert np.abs(values.mean(axis=0)).max() < 0.05
    np.testing.assert_allclose(values.std(axis=0), 1, atol=0.04)
    assert np.mean(np.abs(values) < 1) == pytest.approx(0.6827, abs=0.02)
    assert np.mean(values[:, 0] * values[:, 1]) == pytest.approx(0, abs=0.05)


def test_draws_are_held_for_times_that_fall_with_their_square() -> None:
    source = np.random.default_rng(0)
    pieces = [repeated(source, 3) for _ in range(20_000)]
    assert all((piece == piece[0]).all() for piece in pieces)
    assert len({float(piece[0, 0]) for piece in pieces}) > 19_900
    lengths = np.bincount([len(piece) for piece in pieces], minlength=LONGEST_HOLD + 1)[1:]
    assert len(lengths) == LONGEST_HOLD == 16
    expected = 1 / np.arange(1, 17) ** 2
    expected *= 20_000 / expected.sum()
    assert ((lengths - expected) ** 2 / expected).sum() < 30  # 99 % of chi-squared with 15 freedoms


def test_held_noise_stays_for_its_steps_or_until_the_episode_ends() -> None:
    noise = noise_for("held", 2, 3, STREAM, 4)
    assert noise is not None
    seen = draws(noise, 6)
    assert (seen[:4] == seen[0]).all() and (seen[4:] == seen[4]).all()
    assert (seen[4] != seen[0]).all() and (seen[0, 0] != seen[0, 1]).all()
    noise.end(np.array([True, False]))
    after = draws(noise, 1)[0]
    assert (after[0] != seen[5, 0]).all() and (after[1] == seen[5, 1]).all()
    other = Noise("held", 2, 3, OTHER, 4)
    other.load_state(noise.state())
    np.testing.assert_array_equal(draws(other, 9), draws(noise, 9))


def test_environments_have_pieces_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    count_pieces(monkeypatch)
    noise = Noise("pink", 2, 1, STREAM)
    assert draws(noise, 6)[:, :, 0].T.tolist() == [
        [100, 101, 102, 103, 104, 300],
        [200, 201, 202, 203, 204, 400],
    ]


def test_end_of_an_episode_ends_its_piece_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    count_pieces(monkeypatch)
    noise = Noise("pink", 2, 1, STREAM)
    draws(noise, 2)
    noise.end(np.array([False, True]))
    assert draws(noise, 4)[:, :, 0].T.tolist() == [[102, 103, 104, 400], [300, 301, 302, 303]]


@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_out_is_what_was_drawn(kind: str) -> None:
    source = generator(STREAM)
    pieces = np.concatenate([KINDS[kind][1](source, 3) for _ in range(4)])
    np.testing.assert_array_equal(draws(Noise(kind, 1, 3, STREAM), len(pieces))[:, 0], pieces)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("before", [0, 1, 7])
def test_state_goes_on_with_the_same_noise(kind: str, before: int) -> None:
    noise, other = Noise(kind, 2, 3, STREAM), Noise(kind, 2, 3, OTHER)
    if before:
        draws(noise, before)
    document, arrays = split_arrays({"noise": noise.state()})
    other.load_state(join_arrays(json.loads(json.dumps(document)), arrays)["noise"])
    for each in (noise, other):
        each.end(np.array([True, False]))
    np.testing.assert_array_equal(draws(other, 2000), draws(noise, 2000))


def test_another_stream_gives_other_noise_at_once() -> None:
    noise, other = Noise("pink", 2, 3, STREAM), Noise("pink", 2, 3, OTHER)
    draws(noise, 4)
    noise.reseed(OTHER)
    np.testing.assert_array_equal(draws(noise, 4), draws(other, 4))


@pytest.mark.parametrize(
    "change",
    [{"pieces": np.zeros((3, 16, 2))}, {"left": [0, 17]}, {"left": [-1, 0]}, {"left": [0]}],
)
def test_state_that_does_not_fit_is_refused(change: dict[str, Any]) -> None:
    noise = Noise("repeated", 2, 2, STREAM)
    with pytest.raises(ValueError, match="expected"):
        noise.load_state(noise.state() | change)


def test_white_noise_is_the_policys_own() -> None:
    assert noise_for("white", 2, 3, STREAM) is None
    noise = noise_for("pink", 2, 3, STREAM)
    assert noise is not None and noise.draw().shape == (2, 3)
