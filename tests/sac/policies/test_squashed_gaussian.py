"""The squashed Gaussian: exact where it saturates, bounded, reparameterised, unit free."""

import math
from typing import Any

import numpy as np
import pytest

import autograd as torch
from autograd import Tensor
from autograd.generator import from_numpy_generator
from sac.config import AgentConfig
from sac.errors import ConfigError
from sac.policies import SquashedGaussianPolicy
from tests.sac.agents_for_tests import last_bias_gradient, set_output

LOG_STD_RANGE = (-20.0, 2.0)


def make_policy(action_size: int = 1, seed: int = 0, **keys: Any) -> SquashedGaussianPolicy:
    return SquashedGaussianPolicy(
        features=3,
        action_size=action_size,
        config=AgentConfig(hidden_sizes=(8,), **keys),
        weights=np.random.default_rng(seed),
        noise=from_numpy_generator(np.random.default_rng(seed + 1)),
    )


def observations(n: int) -> Tensor:
    return torch.tensor(np.random.default_rng(5).standard_normal((n, 3)).astype(np.float32))


def generator(seed: int = 0) -> torch.Generator:
    return from_numpy_generator(np.random.default_rng(seed))


def exact_log_prob(u: np.ndarray, mean: float, log_std: float) -> np.ndarray:
    """Return log N(u) - log(sech(u)^2) in float64; cosh, unlike 1 - tanh^2, does not cancel."""
    noise = (u - mean) / math.exp(log_std)
    return -0.5 * noise**2 - log_std - 0.5 * math.log(2 * math.pi) + 2 * np.log(np.cosh(u))


@pytest.mark.parametrize("mean", [-20.0, -9.0, -1.0, 0.0, 1.0, 9.0, 20.0])
def test_log_probability_is_exact_where_the_action_saturates(mean: float) -> None:
    policy = make_policy()
    log_std = -1.0
    set_output(policy, [mean, log_std])
    _, log_prob = policy.rsample(observations(50), generator())
    noise = torch.randn(50, 1, generator=generator()).numpy().astype(np.float64)
    expected = exact_log_prob(mean + math.exp(log_std) * noise, mean, log_std)
    np.testing.assert_allclose(log_prob.detach().numpy(), expected, rtol=1e-6, atol=2e-6)


@pytest.mark.parametrize("mean", [-20.0, 20.0])
def test_gradient_is_exact_where_the_action_saturates(mean: float) -> None:
    policy = make_policy()
    set_output(policy, [mean, -20.0])
    _, log_prob = policy.rsample(observations(1), generator())
    log_prob.sum().backward()
    # d log_prob / d mean = 2 tanh(u): it pulls the action back; the usual form has 0 or nan here.
    mean_gradient = last_bias_gradient(policy)[0]
    assert mean_gradient == pytest.approx(2 * math.tanh(mean))


@pytest.mark.parametrize("size", [1, 6])
def test_log_probability_sums_over_dimensions(size: int) -> None:
    policy = make_policy(size)
    action, log_prob = policy.rsample(observations(5), generator())
    assert (action.shape, log_prob.shape) == ((5, size), (5, 1))
    assert action.dtype == log_prob.dtype == torch.float32
    parameters = policy.net(observations(5)).detach().numpy().astype(np.float64)
    noise = torch.randn(5, size, generator=generator()).numpy()
    u = parameters[:, :size] + np.exp(parameters[:, size:]) * noise
    per_dimension = -0.5 * noise**2 - parameters[:, size:] - 0.5 * math.log(2 * math.pi)
    expected = (per_dimension + 2 * np.log(np.cosh(u))).sum(1, keepdims=True)
    np.testing.assert_allclose(log_prob.detach().numpy(), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(action.detach().numpy(), np.tanh(u), rtol=1e-5, atol=1e-6)


def test_probability_of_all_actions_is_one() -> None:
    policy = make_policy()
    set_output(policy, [0.4, -0.3])
    action, log_prob = policy.rsample(observations(1).repeat(40_000, 1), generator())
    # E[1 / pi(a)] over actions from pi is the length of their range, [-1, 1]; clipped for variance.
    inside = np.abs(action.detach().numpy()) < 0.9
    length = (np.exp(-log_prob.detach().numpy()) * inside).mean()
    assert length == pytest.approx(1.8, rel=0.02)


@pytest.mark.parametrize(("raw", "clamped"), [(-100.0, -20.0), (0.5, 0.5), (50.0, 2.0)])
def test_log_std_is_clamped(raw: float, clamped: float) -> None:
    policy = make_policy()
    set_output(policy, [0.0, raw])
    _, log_prob = policy.rsample(observations(20), generator())
    noise = torch.randn(20, 1, generator=generator()).numpy().astype(np.float64)
    expected = exact_log_prob(math.exp(clamped) * noise, 0.0, clamped)
    np.testing.assert_allclose(log_prob.detach().numpy(), expected, rtol=1e-5, atol=1e-5)
    log_prob.sum().backward()
    log_std_gradient = last_bias_gradient(policy)[1]
    assert (log_std_gradient != 0) == (raw == clamped)


def test_samples_follow_the_distribution() -> None:
    policy = make_policy()
    set_output(policy, [0.3, -0.7])
    with torch.no_grad():
        actions = policy.sample(observations(1).repeat(20_000, 1), generator()).numpy()
    u = np.arctanh(actions.astype(np.float64))
    assert u.mean() == pytest.approx(0.3, abs=0.015)
    assert u.std() == pytest.approx(math.exp(-0.7), rel=0.02)


def test_actions_stay_inside_the_bounds() -> None:
    policy = make_policy(2)
    set_output(policy, [30.0, -30.0, 2.0, 2.0])
    for action in (policy.sample(observations(50), generator()), policy.mode(observations(50))):
        assert (np.abs(action.detach().numpy()) <= 1).all()


def test_mode_is_the_squashed_mean() -> None:
    policy = make_policy(2)
    set_output(policy, [0.5, -3.0, 1.0, 1.0])
    expected = np.tile(np.tanh([0.5, -3.0]), (4, 1))
    np.testing.assert_allclose(policy.mode(observations(4)).detach().numpy(), expected, rtol=1e-6)


def test_soft_value_is_the_value_less_the_priced_log_probability() -> None:
    policy = make_policy(2)
    alpha = torch.tensor([[0.3]])
    value, entropy = policy.soft_value(
        observations(6), lambda observation, action: action.sum(dim=1, keepdim=True), alpha
    )
    policy.noise = generator(1)  # the same noise again
    action, log_prob = policy.rsample(observations(6), policy.noise)
    expected = action.sum(dim=1, keepdim=True) - 0.3 * log_prob
    np.testing.assert_allclose(value.detach().numpy(), expected.detach().numpy(), rtol=1e-6)
    np.testing.assert_array_equal(entropy.detach().numpy(), -log_prob.detach().numpy())


def test_gradient_of_the_value_runs_through_the_action() -> None:
    policy = make_policy()
    set_output(policy, [0.2, -1.0])
    alpha = torch.tensor([[0.0]])
    value, _ = policy.soft_value(observations(4), lambda observation, action: action, alpha)
    value.mean().backward()
    noise = torch.randn(4, 1, generator=generator(1)).numpy()
    u = 0.2 + math.exp(-1.0) * noise
    slope = 1 - np.tanh(u) ** 2
    expected = [slope.mean(), (slope * math.exp(-1.0) * noise).mean()]
    gradient = last_bias_gradient(policy)
    np.testing.assert_allclose(gradient, expected, rtol=1e-5)


@pytest.mark.parametrize("size", [1, 6])
def test_default_target_entropy_is_minus_the_number_of_dimensions(size: int) -> None:
    assert make_policy(size).default_target_entropy == -size


def test_entropy_that_no_bounded_action_has_is_refused() -> None:
    """Uniform actions in [-1, 1] have most: log 2 each; alpha rose without end for more."""
    policy = make_policy(2)
    policy.check_target_entropy(1.38)
    with pytest.raises(ConfigError, match=r"below 1\.386, the entropy of random .* got 1\.4"):
        policy.check_target_entropy(1.4)
    with pytest.raises(ConfigError, match=r"agent\.target_std: expected .*0\.48"):
        AgentConfig(target_std=0.6)
