"""State-dependent exploration: its distribution, its noise in an episode, and that it learns."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

import autograd as torch
from sac import SACAgent, train
from sac.errors import ConfigError
from sac.policies import StateDependentPolicy
from tests.sac.agents_for_tests import assert_same_bits, make_agent, make_batch
from tests.sac.tiny_runs import assert_same_arrays, saved_arrays, tiny_config

DRAWS = 40_000


def policy_of(agent: SACAgent) -> StateDependentPolicy:
    assert isinstance(agent.policy_net, StateDependentPolicy)
    return agent.policy_net


def made(**keys: Any) -> SACAgent:
    return make_agent(**{"gsde_log_std": -1.5, "hidden_sizes": (8, 16), **keys})


def test_std_is_that_of_noise_that_is_linear_in_the_features() -> None:
    agent = made()
    policy, rng = policy_of(agent), np.random.default_rng(0)
    observation = torch.as_tensor(rng.normal(size=(2, 3)).astype("f4"))
    assert policy.noise_size == 2 * 16
    outputs = policy.net(observation).detach().numpy()
    hidden = policy.net.hidden(observation)[-1].detach().numpy()
    by_hand = np.sqrt((hidden**2).sum(1) * np.exp(2 * -1.5) + 1e-6)
    np.testing.assert_allclose(np.exp(outputs[:, 2:]), by_hand[:, None].repeat(2, 1), rtol=1e-5)
    noise = torch.as_tensor(rng.standard_normal((DRAWS, 32)).astype("f4"))
    many = torch.as_tensor(np.repeat(observation.numpy()[:1], DRAWS, axis=0))
    drawn = np.arctanh(policy.perturbed(many, noise).detach().numpy().astype(np.float64))
    np.testing.assert_allclose(drawn.mean(0), outputs[0, :2], atol=0.02)
    np.testing.assert_allclose(drawn.std(0), by_hand[0], rtol=0.02)


def test_noise_that_is_kept_is_within_the_bounds_of_its_size() -> None:
    agent = made(gsde_log_std=1.0, log_std_max=-1.0)
    policy, rng = policy_of(agent), np.random.default_rng(0)
    many = torch.as_tensor(np.repeat(rng.normal(size=(1, 3)).astype("f4"), DRAWS, axis=0))
    assert (policy.net(many[:1])[:, 2:] > -1.0).all()
    noise = torch.as_tensor(rng.standard_normal((DRAWS, 32)).astype("f4"))
    drawn = np.arctanh(policy.perturbed(many, noise).detach().numpy().astype(np.float64))
    np.testing.assert_allclose(drawn.std(0), np.exp(-1.0), rtol=0.02)


def test_noise_that_is_kept_is_a_function_of_the_state() -> None:
    agent = made()
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((1, 32)).astype(np.float32)
    one, other = (rng.normal(size=(1, 3)).astype(np.float32) for _ in range(2))
    first = agent.perturb(one, noise)
    assert (agent.perturb(other, noise) != first).all()
    np.testing.assert_array_equal(agent.perturb(one, noise), first)
    mean = agent.greedy(one)
    np.testing.assert_array_equal(agent.perturb(one, noise * 0), mean)
    opposite = np.arctanh(mean) - np.arctanh(agent.perturb(one, -noise))
    np.testing.assert_allclose(opposite, np.arctanh(first) - np.arctanh(mean), rtol=1e-4)


@pytest.mark.parametrize("device", ["cpu", "standin"], indirect=True)
@pytest.mark.parametrize("keys", [{}, {"network": "simba", "hidden_sizes": (8, 8)}])
def test_contract(device: str, keys: dict[str, Any]) -> None:
    agent, twin, other = (made(seed=s, device=device, **keys) for s in (3, 3, 4))
    before = agent.state_dict()
    for seed in range(2):
        for each in (agent, twin):
            each.update(make_batch(agent, seed))
    after = agent.state_dict()
    assert_same_bits(twin.state_dict(), after)
    assert not [name for name in before if np.array_equal(before[name], after[name])]
    other.load_state_dict(after)
    other.load_generator_state(agent.generator_state())
    for each in (agent, other):
        each.update(make_batch(agent, 2))
    assert_same_bits(other.state_dict(), agent.state_dict())
    assert agent.action_codec.space.contains(agent.act(np.zeros(3, np.float32)))


def test_without_a_hidden_layer_noise_is_linear_in_the_observation() -> None:
    agent = made(hidden_sizes=())
    one = np.ones((1, 3), np.float32)
    noise = np.ones((1, policy_of(agent).noise_size), np.float32)
    pushed = np.arctanh(agent.perturb(one, noise)) - np.arctanh(agent.greedy(one))
    np.testing.assert_allclose(pushed, 3 * np.exp(-1.5), rtol=1e-4)


@pytest.mark.parametrize("actions", ["discrete", "choices", "parts"])
def test_other_actions_are_refused(actions: str) -> None:
    with pytest.raises(ConfigError, match=r"agent\.gsde_log_std: expected actions of one Box"):
        made(actions=actions)


def test_weights_of_norm_one_are_refused_but_for_hidden_ones() -> None:
    with pytest.raises(ConfigError, match=r"agent\.gsde_log_std: agent.unit_weights"):
        made(unit_weights=True)
    _, head = policy_of(made(unit_weights="hidden")).net.before_last(torch.zeros(1, 3))
    np.testing.assert_array_equal(head["log_std"].detach(), np.full((1, 2, 16), -1.5, "f4"))


def test_a_run_goes_on_exactly_in_the_middle_of_a_piece(tmp_path: Path) -> None:
    keys = {
        "env": {"id": "Pendulum-v1"},
        "agent": {"gsde_log_std": -2.0},
        "train": {"noise": "held", "noise_steps": 7, "total_steps": 60},
    }
    more = {"train": {"total_steps": 90}}
    config = tiny_config(tmp_path, keys)
    whole, part = train(config.merged(more)).run_directory, train(config).run_directory
    train(resume=part, overrides=more)
    for name in ("agent", "replay"):
        assert_same_arrays(saved_arrays(part, name), saved_arrays(whole, name))


def test_learns_where_actions_pay() -> None:
    """Actions near 0.5 pay in every state: the mean has to find them, and the noise to shrink."""
    agent = made(
        actions=spaces.Box(-1.0, 1.0, (1,), np.float32),
        activation="tanh",
        policy_lr=3e-3,
        soft_q_lr=1e-2,
        alpha=1e-3,
        gamma=0.0,
    )
    rng = np.random.default_rng(0)
    for seed in range(800):
        batch = make_batch(agent, seed, size=128)
        action = rng.uniform(-1, 1, (128, 1)).astype(np.float32)
        agent.update(replace(batch, action=action, reward=-((action - 0.5) ** 2)))
    seen = make_batch(agent, 1000, size=256).observation
    assert np.abs(agent.greedy(seen) - 0.5).mean() < 0.1
    assert np.abs(agent.explore(seen) - 0.5).mean() < 0.1
