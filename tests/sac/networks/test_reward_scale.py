"""The factor on rewards: by the spread of discounted returns, or by the largest of all."""

import numpy as np
import pytest

from sac.networks.reward_scale import RewardScale


def test_divides_by_the_standard_deviation_of_all_returns() -> None:
    returns = np.random.default_rng(0).normal(3, 4, (50, 2))
    scale = RewardScale(bound=100.0)
    assert scale.factor == 1
    for row in returns:
        scale.observe(row)
    assert scale.factor == pytest.approx(1 / returns.std())


def test_no_return_is_above_the_bound() -> None:
    scale = RewardScale(bound=5.0)
    scale.observe(np.array([1.0, -1.0, 1.0, -300.0] + [0.0] * 1000))
    assert scale.factor == pytest.approx(5 / 300)


def test_equal_returns_have_no_spread_but_a_size() -> None:
    scale = RewardScale(bound=5.0)
    scale.observe(np.full(3, -2.0))
    assert scale.factor == pytest.approx(5 / 2)


def test_before_a_reward_was_met_the_next_may_have_any_size() -> None:
    scale = RewardScale(bound=5.0)
    scale.observe(np.zeros(3))
    assert scale.factor == 1


def test_state_goes_on() -> None:
    first, second = RewardScale(5.0), RewardScale(5.0)
    first.observe(np.array([1.0, 4.0, -7.0]))
    second.load_state_dict(first.state_dict())
    for scale in (first, second):
        scale.observe(np.array([2.0]))
    assert first.state_dict() == second.state_dict()
    assert first.factor == second.factor != 1
