"""The categorical policy: normalised, finite, summed over actions, chosen row by row."""

import math
from typing import Any

import numpy as np
import pytest

import autograd as torch
from autograd import Tensor
from autograd.generator import from_numpy_generator
from sac.config import AgentConfig
from sac.policies import CategoricalPolicy
from tests.sac.agents_for_tests import gradient, set_output


def make_policy(num_actions: int = 3) -> CategoricalPolicy:
    return CategoricalPolicy(
        3, num_actions, AgentConfig(hidden_sizes=(8,)), np.random.default_rng(0)
    )


def observations(n: int) -> Tensor:
    return torch.tensor(np.random.default_rng(5).standard_normal((n, 3)).astype(np.float32))


def generator(seed: int = 0) -> torch.Generator:
    return from_numpy_generator(np.random.default_rng(seed))


def test_log_probabilities_are_normalised() -> None:
    log_probs = make_policy().log_probs(observations(5))
    assert (log_probs.shape, log_probs.dtype) == ((5, 3), torch.float32)
    np.testing.assert_allclose(log_probs.detach().exp().numpy().sum(1), 1, rtol=1e-6)


@pytest.mark.parametrize("logits", [[1e4, 0.0, -1e4], [-1e4, -1e4, 1e4], [88.0, 89.0, -104.0]])
def test_extreme_logits_stay_finite(logits: list[float]) -> None:
    policy = make_policy()
    set_output(policy, logits)
    q_values = torch.tensor([[1.0, 2.0, 3.0]])
    value, entropy = policy.soft_value(observations(2), lambda _: q_values, torch.tensor([[0.5]]))
    value.mean().backward()
    exact = np.array(logits) - np.logaddexp.reduce(logits)
    expected = (np.exp(exact) * (np.array([1.0, 2.0, 3.0]) - 0.5 * exact)).sum()
    np.testing.assert_allclose(value.detach().numpy(), expected, rtol=1e-5)
    np.testing.assert_allclose(entropy.numpy(), -(np.exp(exact) * exact).sum(), atol=1e-5)
    assert all(np.isfinite(gradient(p)).all() for p in policy.parameters())


def test_soft_value_sums_over_actions_for_each_row() -> None:
    policy = make_policy()
    q = np.random.default_rng(1).standard_normal((5, 3)).astype(np.float32)
    alpha = torch.tensor([[0.7]])
    value, entropy = policy.soft_value(observations(5), lambda _: torch.tensor(q), alpha)
    assert value.shape == entropy.shape == (5, 1)
    log_probs = policy.log_probs(observations(5)).detach().numpy().astype(np.float64)
    probs = np.exp(log_probs)
    expected = (probs * (q - 0.7 * log_probs)).sum(1, keepdims=True)
    np.testing.assert_allclose(value.detach().numpy(), expected, rtol=1e-5)
    np.testing.assert_allclose(
        entropy.numpy(), -(probs * log_probs).sum(1, keepdims=True), rtol=1e-5
    )


def test_entropy_of_even_logits_is_that_of_random_choice() -> None:
    policy = make_policy(4)
    set_output(policy, [2.0] * 4)
    _, entropy = policy.soft_value(
        observations(1), lambda _: torch.zeros(1, 4), torch.tensor([[1.0]])
    )
    assert float(entropy) == pytest.approx(math.log(4))


def test_samples_follow_the_probabilities() -> None:
    policy = make_policy()
    probabilities = np.array([0.6, 0.3, 0.1])
    set_output(policy, np.log(probabilities).astype(np.float32))
    with torch.no_grad():
        actions = policy.sample(observations(1).repeat(20_000, 1), generator()).numpy()
    assert (actions.shape, actions.dtype) == ((20_000,), np.int64)
    np.testing.assert_allclose(np.bincount(actions) / 20_000, probabilities, atol=0.012)


def test_rows_are_sampled_apart_from_one_another() -> None:
    policy = make_policy()
    set_output(policy, [0.0, 0.0, 0.0])
    actions = policy.sample(observations(50), generator()).numpy()
    assert set(actions.tolist()) == {0, 1, 2}


@pytest.mark.parametrize("uniform", [0.0, 1 - 2.0**-24])
def test_ends_of_the_uniform_noise_never_bring_an_impossible_action(
    uniform: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = make_policy(2)
    set_output(policy, [0.0, -60.0])

    def rand(*size: int, **_: Any) -> Tensor:
        return torch.tensor([[0.5, uniform]] * size[0])

    monkeypatch.setattr(torch, "rand", rand)
    assert policy.sample(observations(3), generator()).tolist() == [0, 0, 0]


def test_mode_is_the_best_action_of_each_row() -> None:
    policy = make_policy(5)
    expected = policy.net(observations(30)).detach().numpy().argmax(1)
    assert len(set(expected.tolist())) > 1
    actions = policy.mode(observations(30))
    assert actions.dtype == torch.int64
    np.testing.assert_array_equal(actions.numpy(), expected)


@pytest.mark.parametrize("num_actions", [2, 3, 18, 1000])
def test_default_target_entropy_can_be_reached(num_actions: int) -> None:
    assert 0 < make_policy(num_actions).default_target_entropy < math.log(num_actions)
