"""Policies of several parts: their expectation by brute force, their samples, their slow noise."""

from typing import Any

import numpy as np
import pytest

import autograd as torch
from autograd import Tensor
from autograd.generator import from_numpy_generator
from sac.config import AgentConfig
from sac.policies import CategoricalPolicy, FactoredPolicy, SampledFactoredPolicy
from sac.spaces.actions import Part
from tests.sac.agents_for_tests import gradient, set_output

PARTS = [Part("arm", 2, ()), Part("leg", 1, ()), Part("hand", 0, (2, 3)), Part("eye", 0, (2,))]
ALPHAS = [[0.3]], [[0.3, 0.5, 0.7, 1.1]]
# Of each part: means and log standard deviations, or logits.
ARM, LEG = [0.3, -0.4, -1.0, -0.5], [0.1, -0.7]
LOGITS = [[0.2, -0.3], [0.5, 0.0, -1.0], [1.0, -0.2]]


def make_policy(kind: type[FactoredPolicy] = FactoredPolicy, **keys: Any) -> FactoredPolicy:
    config = AgentConfig(hidden_sizes=(8,), **keys)
    policy = kind(3, PARTS, config, np.random.default_rng(0), generator())
    set_output(policy, [*ARM, *LEG, *(logit for each in LOGITS for logit in each)])
    return policy


def generator(seed: int = 0) -> torch.Generator:
    return from_numpy_generator(np.random.default_rng(seed))


def observations(n: int) -> Tensor:
    return torch.tensor(np.random.default_rng(5).standard_normal((n, 3)).astype(np.float32))


class Oracle:
    """The soft value of one observation in float64, by a loop over all joint choices."""

    def __init__(self, alpha: list[list[float]]) -> None:
        draws = generator()
        self.noise = np.concatenate(
            [torch.randn(1, size, generator=draws).numpy()[0] for size in (2, 1)]
        ).astype(np.float64)
        self.alpha = np.broadcast_to(alpha[0], 4)
        rng = np.random.default_rng(1)
        self.slope, self.offset = rng.standard_normal((12, 3)), rng.standard_normal(12)

    def q_values(self, observation: Tensor, columns: Tensor) -> Tensor:
        """Return Q(s, a)[d] = offset_d + slope_d . a, (batch, 12)."""
        slope, offset = (torch.tensor(x.astype(np.float32)) for x in (self.slope, self.offset))
        return columns @ slope.T + offset

    def entropies(self, outputs: np.ndarray) -> np.ndarray:
        """Return the entropies of the parts; of Gaussians by the one sample."""
        action, log_pdf = self._gaussian(outputs)
        log_pdf = log_pdf - np.log(1 - action**2)
        tables = self._tables(outputs)
        hand, foot, eye = (-(np.exp(t) * t).sum() for t in tables)
        return np.array([-log_pdf[:2].sum(), -log_pdf[2], hand + foot, eye])

    def value(self, outputs: np.ndarray) -> float:
        action, _ = self._gaussian(outputs)
        a, b, c = self._tables(outputs)
        value = 0.0
        for i in range(2):
            for j in range(3):
                for k in range(2):
                    joint = 6 * i + 2 * j + k
                    q = self.offset[joint] + self.slope[joint] @ action
                    value += np.exp(a[i] + b[j] + c[k]) * q
        return value + float(self.alpha @ self.entropies(outputs))

    def _gaussian(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean, log_std = x[[0, 1, 4]], x[[2, 3, 5]]
        log_pdf = -0.5 * self.noise**2 - log_std - 0.5 * np.log(2 * np.pi)
        return np.tanh(mean + np.exp(log_std) * self.noise), log_pdf

    def _tables(self, x: np.ndarray) -> list[np.ndarray]:
        return [t - np.logaddexp.reduce(t) for t in (x[6:8], x[8:11], x[11:13])]

    def gradient(self, outputs: np.ndarray) -> np.ndarray:
        steps = 1e-6 * np.eye(len(outputs))
        return np.array([(self.value(outputs + h) - self.value(outputs - h)) / 2e-6 for h in steps])


@pytest.mark.parametrize("alpha", ALPHAS, ids=["one alpha", "alphas"])
def test_soft_value_and_its_gradient_are_those_of_all_joint_choices(alpha: Any) -> None:
    policy, oracle = make_policy(), Oracle(alpha)
    outputs = np.concatenate([ARM, LEG, *LOGITS])
    value, entropy = policy.soft_value(observations(1), oracle.q_values, torch.tensor(alpha))
    assert float(value.detach()) == pytest.approx(oracle.value(outputs), rel=1e-5)
    expected = oracle.entropies(outputs)
    if len(alpha[0]) == 1:
        expected = expected.sum(keepdims=True)
    np.testing.assert_allclose(entropy.numpy()[0], expected, rtol=1e-5)
    value.sum().backward()
    found = policy.net.layers(policy.net.flat.grad)[0][-1].bias.numpy()
    np.testing.assert_allclose(found, oracle.gradient(outputs), rtol=1e-3, atol=1e-4)


def test_sampled_policy_gives_critics_whole_one_hots_and_climbs_them() -> None:
    policy = make_policy(SampledFactoredPolicy)
    seen: list[np.ndarray] = []

    def q_value(observation: Tensor, action: Tensor) -> Tensor:
        seen.append(action.detach().numpy())
        return action[:, 4:5] - action[:, 9:10]  # hand 1 is good, eye 1 is bad

    value, _ = policy.soft_value(observations(400), q_value, torch.tensor([[1e-9]]))
    hot = seen[0][:, 3:]
    assert set(np.unique(hot)) == {0.0, 1.0}
    for at, table in zip((slice(0, 2), slice(2, 5), slice(5, 7)), LOGITS, strict=True):
        assert (hot[:, at].sum(1) == 1).all()
        odds = np.exp(table) / np.exp(table).sum()
        np.testing.assert_allclose(hot[:, at].mean(0), odds, atol=0.08)
    value.mean().backward()
    slope = policy.net.layers(policy.net.flat.grad)[0][-1].bias.numpy()[6:]
    assert slope[1] > 0.05 > -0.05 > slope[0] and slope[5] > 0.05 > -0.05 > slope[6]


@pytest.mark.parametrize("kind", [FactoredPolicy, SampledFactoredPolicy])
def test_actions_follow_the_probabilities(kind: type[FactoredPolicy]) -> None:
    policy = make_policy(kind)
    with torch.no_grad():
        actions = policy.sample(observations(1).repeat(20_000, 1), generator()).numpy()
    assert (actions.shape, actions.dtype) == ((20_000, 6), np.float32)
    for column, table in enumerate(LOGITS, start=3):
        odds = np.exp(table) / np.exp(table).sum()
        found = np.bincount(actions[:, column].astype(int)) / 20_000
        np.testing.assert_allclose(found, odds, atol=0.012)
    before_tanh = np.arctanh(np.clip(actions[:, :3], -0.999999, 0.999999))
    np.testing.assert_allclose(before_tanh.mean(0), [0.3, -0.4, 0.1], atol=0.02)
    np.testing.assert_allclose(np.log(before_tanh.std(0)), [-1.0, -0.5, -0.7], atol=0.02)


def test_a_single_row_is_sampled_as_a_batch_is() -> None:
    policy = make_policy()
    x = observations(1)
    noise = np.random.default_rng(2).standard_normal((1, policy.noise_size)).astype(np.float32)
    row = policy.perturbed_row(x.numpy()[0], noise[0])
    np.testing.assert_allclose(row, policy.perturbed(x, torch.tensor(noise)).numpy()[0], atol=1e-6)
    np.testing.assert_allclose(policy.mode_row(x.numpy()[0]), policy.mode(x).numpy()[0], atol=1e-6)
    expected = [*np.tanh([0.3, -0.4, 0.1]), 0, 0, 0]
    np.testing.assert_allclose(policy.mode_row(x.numpy()[0]), expected, atol=1e-6)


def test_noise_of_the_caller_has_a_categorical_policys_odds() -> None:
    policy = CategoricalPolicy(3, 3, AgentConfig(hidden_sizes=(8,)), np.random.default_rng(0))
    odds = np.array([0.6, 0.3, 0.1])
    set_output(policy, np.log(odds).astype(np.float32))
    noise = np.random.default_rng(3).standard_normal((20_000, policy.noise_size), np.float32)
    x = observations(1).repeat(20_000, 1)
    actions = policy.perturbed(x, torch.tensor(noise)).numpy()
    np.testing.assert_allclose(np.bincount(actions) / 20_000, odds, atol=0.012)
    rows = [int(policy.perturbed_row(x.numpy()[0], one)) for one in noise[:50]]
    assert rows == actions[:50].tolist()
    zeros = np.zeros((1, 6), np.float32)
    assert 0 <= int(policy.perturbed(x[:1], torch.tensor(zeros))) < 3


def test_targets_are_those_of_each_parts_own_policy() -> None:
    policy = make_policy()
    assert policy.target_entropies() == pytest.approx([-2, -1, 0.5 * np.log(6), 0.5 * np.log(2)])
    assert policy.default_target_entropy == pytest.approx(-3 + 0.5 * np.log(12))
    std = 0.5 * np.log(2 * np.pi * np.e * 0.2**2)
    assert policy.entropy_of(0.2) == pytest.approx(3 * std + 0.5 * np.log(12))


def test_gradient_reaches_all_of_the_network() -> None:
    policy = FactoredPolicy(
        3, PARTS, AgentConfig(hidden_sizes=(8,)), np.random.default_rng(0), generator()
    )
    value, _ = policy.soft_value(
        observations(5), Oracle([[0.3]]).q_values, torch.tensor([[0.3]]), is_learning=True
    )
    value.mean().backward()
    assert np.isfinite(gradient(policy.net.flat)).all()
    assert (policy.net.layers(policy.net.flat.grad)[0][-1].bias.numpy() != 0).all()
