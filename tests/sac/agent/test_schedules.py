"""What changes over a training: learning rates, resets, delayed policies, scaled rewards."""

from typing import Any

import numpy as np
import pytest

from sac.agent.agent import SACAgent
from sac.config import Config
from sac.errors import ConfigError
from sac.seeding import Streams
from tests.sac.agents_for_tests import assert_same_bits, make_agent, make_batch


def rates(agent: SACAgent) -> list[float]:
    return [optimizer.param_groups[0]["lr"] for optimizer in agent.optimizers().values()]


def test_learning_rates_fall_linearly_to_their_last_fraction() -> None:
    agent = make_agent(policy_lr=1e-3, soft_q_lr=2e-3, alpha_lr=4e-3, final_lr_fraction=0.25)
    for progress, left in ((0.0, 1.0), (0.5, 0.625), (1.0, 0.25), (0.0, 1.0)):
        agent.anneal(progress)
        assert rates(agent) == pytest.approx([1e-3 * left, 2e-3 * left, 4e-3 * left])


@pytest.mark.parametrize("compile", ["never", "auto"])
def test_a_step_takes_the_rate_of_the_time(compile: str) -> None:
    """A program of an update reads the rates anew."""
    steps = []
    for fraction in (1.0, 0.25):
        agent = make_agent(final_lr_fraction=fraction, compile=compile)
        for seed in range(2):
            agent.update(make_batch(agent, seed))
        before = agent.state_dict()
        agent.anneal(1.0)
        agent.update(make_batch(agent, 2))
        name = "soft_q_nets.0.net.layers.0.weight"
        steps.append(agent.state_dict()[name] - before[name])
    np.testing.assert_allclose(steps[1], 0.25 * steps[0], rtol=0.05, atol=1e-7)


def test_without_a_schedule_rates_of_ones_own_stay() -> None:
    agent = make_agent()
    agent.policy_optimizer.param_groups[0]["lr"] = 0.5
    agent.anneal(0.7)
    assert rates(agent)[0] == 0.5


def learned(agent: SACAgent, first: int = 0, updates: int = 3) -> SACAgent:
    for seed in range(first, first + updates):
        batch = make_batch(agent, seed)
        agent.observe(batch.observation)
        agent.update(batch)
    return agent


@pytest.mark.parametrize("compile", ["never", "auto"])
def test_reset_starts_all_that_is_learned_anew(compile: str) -> None:
    streams = Streams.from_seed(3)
    keys: dict[str, Any] = {"normalize_observations": True, "compile": compile}
    agent, fresh = learned(make_agent(**keys)), make_agent(**keys)
    before, start = agent.state_dict(), fresh.state_dict()
    agent.reset(streams, 1)
    after = agent.state_dict()
    assert after["updates"] == 3
    for name, array in after.items():
        if name.startswith("observation_input"):
            np.testing.assert_array_equal(array, before[name])
        elif "optimizer" in name:
            assert not array.any()
        elif "weight" in name or "bias" in name:
            assert not np.array_equal(array, before[name])
            assert not np.array_equal(array, start[name])
    online = after["soft_q_nets.1.net.layers.0.weight"]
    np.testing.assert_array_equal(after["target_soft_q_nets.1.net.layers.0.weight"], online)
    assert after["temperature.log_alpha"] == start["temperature.log_alpha"]
    other = learned(make_agent(**keys))
    other.reset(streams, 1)
    for each in (agent, other):
        learned(each, first=3)
    assert_same_bits(agent.state_dict(), other.state_dict())  # the number tells the weights
    other.reset(streams, 2)
    agent.reset(streams, 1)
    assert not np.array_equal(
        agent.state_dict()["policy_net.net.layers.0.weight"],
        other.state_dict()["policy_net.net.layers.0.weight"],
    )


@pytest.mark.parametrize("actions", ["continuous", "discrete"])
def test_policy_and_alpha_step_in_every_third_update(actions: str) -> None:
    agent = make_agent(actions, policy_delay=3)
    for number in range(1, 8):
        before = agent.state_dict()
        metrics = agent.update(make_batch(agent, number))
        after = agent.state_dict()
        changed = {n for n in after if n not in before or not np.array_equal(after[n], before[n])}
        is_third = number % 3 == 0
        assert any(n.startswith("policy_net") for n in changed) == is_third
        assert ("temperature.log_alpha" in changed) == is_third
        assert ("policy_loss" in metrics) == is_third
        assert any(n.startswith("soft_q_nets") for n in changed)
        assert any(n.startswith("target_soft_q_nets") for n in changed)


def test_scaled_rewards_are_those_that_are_learned_from() -> None:
    scaled, plain = make_agent(normalize_rewards=True, reward_scale=0.5), make_agent()
    scaled.observe_returns(np.array([3.0, -5.0, 8.0]))
    assert scaled.reward_factor == pytest.approx(0.5 / np.std([3.0, -5.0, 8.0]))
    batch = make_batch(plain)
    np.testing.assert_allclose(
        scaled.transitions(batch).reward.numpy(),
        batch.reward * np.float32(scaled.reward_factor),
        rtol=1e-6,
    )
    assert scaled.transitions(batch).reward.numpy().dtype == np.float32
    plain.observe_returns(np.array([3.0, -5.0]))
    assert plain.reward_factor == 1


def test_target_std_is_a_target_entropy() -> None:
    agent = make_agent(target_std=0.15)
    expected = 2 * 0.5 * np.log(2 * np.pi * np.e * 0.15**2)
    assert agent.temperature.target_entropy == pytest.approx(expected)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"target_std": 0.1, "target_entropy": -1.0}, r"agent\.target_std: stands in place of"),
        ({"adam_betas": [0.9]}, r"agent\.adam_betas: expected two numbers, got \[0.9\]"),
        ({"network": "simba", "critic_norm": "layer"}, r"agent\.critic_norm: the blocks of agent"),
        ({"network": "flashsac", "critic_dropout": 0.1}, r"agent\.critic_dropout: the blocks of"),
        ({"network": "simba", "hidden_sizes": [8, 9]}, r"agent\.hidden_sizes: expected one width"),
        ({"network": "simba", "critic_hidden_sizes": []}, r"agent\.critic_hidden_sizes: expected"),
        ({"critic": "crossq"}, r"agent\.critic: crossq learns without target networks thanks to"),
        ({"critic": "tqc", "drop_quantiles": 25}, r"agent\.drop_quantiles: expected fewer than"),
        ({"critic": "tqc", "min_over": 2}, r"agent\.min_over: agent\.critic tqc takes"),
    ],
)
def test_settings_that_do_not_fit_each_other_are_refused(keys: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_agent(**keys)


def test_target_std_of_discrete_actions_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"agent\.target_std: expected null for actions without"):
        make_agent("discrete", target_std=0.1)


def test_numbers_of_a_reset_are_transitions() -> None:
    with pytest.raises(ConfigError, match=r"train\.reset_at: expected"):
        Config.from_dict({"train": {"reset_at": [0]}})
