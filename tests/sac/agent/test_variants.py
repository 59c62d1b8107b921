"""One contract for every variant of the agent, and that each option does what it says."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

import autograd as torch
from sac.agent.agent import SACAgent
from sac.agent.variants import metric_names
from sac.errors import ConfigError
from sac.policies import CategoricalPolicy
from tests.sac.agents_for_tests import (
    assert_same_bits,
    gradient,
    make_agent,
    make_batch,
    set_output,
)

ACTIONS = ["continuous", "discrete"]
OPTIONS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "max_grad_norm": {"max_grad_norm": 0.5},
    "normalize_observations": {"normalize_observations": True},
    "reward_scale": {"reward_scale": 0.1},
    "no hidden layer": {"hidden_sizes": ()},
    "redq": {"critic": "redq", "min_over": 1},
    "no entropy in targets": {"entropy_in_target": False},
    **{name: {"activation": name} for name in ("tanh", "elu", "gelu", "silu", "leaky_relu")},
}
VARIANTS = [
    pytest.param(
        actions,
        {"num_soft_q_nets": nets, "alpha": alpha, **keys},
        device,
        id=f"{actions}-{nets}-alpha {alpha}-{name}-{device}",
        marks=[pytest.mark.gpu] if device == "gpu" else [],
    )
    for device in ("cpu", "standin", "gpu")
    for actions in ACTIONS
    for nets in (1, 2, 5)
    for alpha in ("auto", 0.2)
    for name, keys in OPTIONS.items()
    # On a GPU each option once, and one with each number of networks.
    if device == "cpu"
    or (nets == 2 and alpha == "auto")
    or (name == "defaults" and alpha != "auto")
]
KINDS = ["whole", "choices", "binary", "many choices", "parts"]
KIND_OPTIONS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "alpha of each part": {"alpha_per_part": True},
    "fixed alpha": {"alpha": 0.2},
    "tqc": {"critic": "tqc"},
    "categorical": {"critic": "categorical"},
    "crossq": {"critic": "crossq", "critic_norm": "batch"},
    "crossq, renorm": {"critic": "crossq", "critic_norm": "batch_renorm"},
    "simba": {"network": "simba"},
}
UPDATES = 2


def learn(agent: SACAgent, first: int = 0, updates: int = UPDATES) -> list[dict[str, Any]]:
    metrics = []
    for seed in range(first, first + updates):
        batch = make_batch(agent, seed)
        agent.observe(batch.observation)
        metrics.append(agent.update(batch))
    return metrics


@pytest.mark.parametrize(("actions", "keys", "device"), VARIANTS, indirect=["device"])
def test_contract(actions: str, keys: dict[str, Any], device: str) -> None:
    agent, twin, other = (make_agent(actions, seed=s, device=device, **keys) for s in (3, 3, 4))
    assert {p.device.type for p in (agent.policy_net.net.flat, agent.critic.soft_q_nets.flat)} == {
        device
    }
    before = agent.state_dict()
    metrics = learn(agent)
    learn(twin)
    after = agent.state_dict()
    assert_same_bits(twin.state_dict(), after)  # same seed, same bits
    check_metrics(metrics[-1], keys, agent)
    check_changes(before, after, is_learned=keys["alpha"] == "auto")
    other.load_state_dict(after)
    other.load_generator_state(agent.generator_state())
    for each in (agent, other):
        learn(each, first=UPDATES)
        assert each.updates == 2 * UPDATES
    assert_same_bits(other.state_dict(), agent.state_dict())  # save, load, continue
    check_actions(agent)


@pytest.mark.parametrize("device", ["cpu", "standin"], indirect=True)
@pytest.mark.parametrize("name", KIND_OPTIONS)
@pytest.mark.parametrize("actions", KINDS)
def test_contract_of_every_kind_of_actions(actions: str, name: str, device: str) -> None:
    keys = {"num_soft_q_nets": 2, "alpha": "auto", **KIND_OPTIONS[name]}
    test_contract(actions, keys, device)


@pytest.mark.parametrize("critic", ["tqc", "categorical"])
def test_critics_of_distributions_take_a_choice_as_an_input(critic: str) -> None:
    test_contract("discrete", {"num_soft_q_nets": 2, "alpha": "auto", "critic": critic}, "cpu")


def check_metrics(metrics: dict[str, Any], keys: dict[str, Any], agent: SACAgent) -> None:
    names = {"target_q_mean", "policy_loss", "entropy", "alpha"}
    names |= {
        f"q{i + 1}_{kind}" for i in range(keys["num_soft_q_nets"]) for kind in ("loss", "mean")
    }
    if keys["alpha"] == "auto":
        names |= {"alpha_loss", "target_entropy"}
    parts = agent.action_codec.parts
    if keys.get("alpha_per_part") and len(parts) > 1:
        names |= {f"{kind}/{part.name}" for kind in ("alpha", "entropy") for part in parts}
    assert names | {"alpha_loss", "target_entropy"} == set(metric_names(agent.config, parts))
    assert metrics.keys() == names
    tensors = {n: value for n, value in metrics.items() if n != "target_entropy"}
    assert {value.dtype for value in tensors.values()} == {torch.float32}
    assert not any(value.requires_grad for value in tensors.values())
    assert all(np.isfinite(value.cpu().numpy()).all() for value in tensors.values())


def check_changes(before: dict[str, Any], after: dict[str, Any], *, is_learned: bool) -> None:
    same = {name for name, array in before.items() if np.array_equal(array, after[name])}
    assert not same, "not learned"
    assert all(np.isfinite(array).all() for array in after.values())
    doubles = {n for n, array in after.items() if array.dtype == np.float64}
    assert all(name.startswith("observation_input.") for name in doubles)
    assert ("temperature.log_alpha" in after) == is_learned


def check_actions(agent: SACAgent) -> None:
    space = agent.action_codec.space
    for deterministic in (False, True):
        assert space.contains(agent.act(np.zeros(3, np.float32), deterministic=deterministic))
        several = agent.act(np.zeros((2, 3), np.float32), deterministic=deterministic)
        assert batch_space(space, 2).contains(several)


# -- what the options do ------------------------------------------------------------------


@pytest.mark.parametrize("actions", ACTIONS)
@pytest.mark.parametrize("nets", [1, 2, 5])
def test_target_and_policy_take_the_minimum_of_all_networks(actions: str, nets: int) -> None:
    for lowest in range(nets):
        agent = make_agent(actions, num_soft_q_nets=nets, alpha=1e-6)
        size = 4 if actions == "discrete" else 1
        for i in range(nets):
            is_lowest = i == lowest
            set_output(agent.critic.soft_q_nets, [-5.0 if is_lowest else 7.0] * size, i)
            set_output(agent.critic.target_soft_q_nets, [-11.0 if is_lowest else 13.0] * size, i)
        batch = make_batch(agent)
        metrics = agent.update(batch)
        expected = batch.reward + batch.discount * -11
        np.testing.assert_allclose(metrics["target_q_mean"].numpy(), expected, atol=1e-3)
        assert float(metrics["policy_loss"]) == pytest.approx(5.0, abs=0.01)


@pytest.mark.parametrize("actions", ACTIONS)
def test_equal_networks_give_the_gradient_of_one(actions: str) -> None:
    """At a tie the minimum must not count its gradient twice, or drop it."""
    one, two = (make_agent(actions, num_soft_q_nets=n) for n in (1, 2))
    for nets in (two.critic.soft_q_nets, two.critic.target_soft_q_nets):
        nets.flat.data[:] = one.critic.soft_q_nets.flat.detach()
    for agent in (one, two):
        agent.update(make_batch(agent))
    np.testing.assert_allclose(
        gradient(two.policy_net.net.flat), gradient(one.policy_net.net.flat), rtol=1e-5, atol=1e-8
    )


@pytest.mark.parametrize("actions", ACTIONS)
@pytest.mark.parametrize("has_entropy", [True, False])
def test_entropy_counts_in_the_target_as_asked_and_in_the_policys_loss(
    actions: str, has_entropy: bool
) -> None:
    alpha = 0.5
    agent = make_agent(actions, alpha=alpha, entropy_in_target=has_entropy)
    for nets in (agent.critic.soft_q_nets, agent.critic.target_soft_q_nets):
        for network in range(2):
            set_output(nets, [3.0] * nets.layout.sizes[-1], network)
    batch = make_batch(agent)
    metrics = agent.update(batch)
    followed = batch.discount > 0
    bonus = (metrics["target_q_mean"].numpy() - batch.reward)[followed] / 0.99 - 3
    if has_entropy:
        assert np.abs(bonus).min() > 1e-3
    else:
        np.testing.assert_allclose(bonus, 0, atol=1e-5)
    entropy = float(metrics["entropy"].mean())
    assert float(metrics["policy_loss"]) == pytest.approx(-3 - alpha * entropy, abs=0.01)


def norms(agent: SACAgent) -> list[float]:
    """Return the norm of each network's gradient."""
    leaves = agent.policy_net.net.flat, agent.critic.soft_q_nets.flat
    return [float(np.linalg.norm(row)) for leaf in leaves for row in gradient(leaf)]


@pytest.mark.parametrize("actions", ACTIONS)
def test_gradients_are_clipped_for_each_network_alone(actions: str) -> None:
    free, clipped = make_agent(actions), make_agent(actions, max_grad_norm=0.01)
    batch = make_batch(free)
    for agent in (free, clipped):
        agent.update(batch)
    assert min(norms(free)) > 0.02
    assert norms(clipped) == [pytest.approx(0.01, rel=1e-3)] * 3
    directions = (a.critic.soft_q_nets.flat for a in (free, clipped))
    one, other = (gradient(leaf)[1] / np.linalg.norm(gradient(leaf)[1]) for leaf in directions)
    np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("actions", ACTIONS)
def test_reward_scale_multiplies_the_rewards(actions: str) -> None:
    scaled, plain = make_agent(actions, reward_scale=0.25), make_agent(actions)
    batch = make_batch(plain)
    scaled.update(batch)
    plain.update(replace(batch, reward=batch.reward * np.float32(0.25)))
    assert_same_bits(scaled.state_dict(), plain.state_dict())


@pytest.mark.parametrize("actions", ACTIONS)
def test_normalised_observations_reach_every_network(actions: str) -> None:
    normalised, plain = make_agent(actions, normalize_observations=True), make_agent(actions)
    batch = make_batch(plain)
    batch = replace(
        batch,
        observation=5 + 3 * batch.observation,
        next_observation=5 + 3 * batch.next_observation,
    )
    normalised.observe(batch.observation)
    mean, std = batch.observation.mean(0), batch.observation.std(0)
    by_hand = replace(
        batch,
        observation=(batch.observation - mean) / std,
        next_observation=(batch.next_observation - mean) / std,
    )
    a, b = normalised.update(batch), plain.update(by_hand)
    for name in ("q1_loss", "q2_loss", "policy_loss", "target_q_mean"):
        np.testing.assert_allclose(a[name].numpy(), b[name].numpy(), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(
        normalised.greedy(batch.observation), plain.greedy(by_hand.observation), atol=1e-5
    )


@pytest.mark.parametrize("actions", ACTIONS)
def test_acting_and_learning_leave_the_statistics(actions: str) -> None:
    agent = make_agent(actions, normalize_observations=True)
    agent.observe(make_batch(agent).observation)
    before = agent.observation_input.state_dict()
    batch = make_batch(agent, 1)
    agent.update(batch)
    agent.greedy(batch.observation)
    agent.explore(batch.observation)
    agent.act(batch.observation)
    assert_same_bits(agent.observation_input.state_dict(), before)


@pytest.mark.parametrize("actions", ACTIONS)
def test_settings_of_the_optimizers(actions: str) -> None:
    agent = make_agent(actions, policy_lr=0.1, soft_q_lr=0.2, alpha_lr=0.3)
    alpha_optimizer = agent.temperature.optimizer
    assert alpha_optimizer is not None
    optimizers = [agent.policy_optimizer, agent.critic.optimizer, alpha_optimizer]
    assert [o.param_groups[0]["lr"] for o in optimizers] == [0.1, 0.2, 0.3]


def test_fixed_alpha_prices_entropy_and_initial_alpha_is_where_auto_starts() -> None:
    assert float(make_agent(alpha=0.3).temperature.alpha) == pytest.approx(0.3)
    assert float(make_agent(initial_alpha=0.7).temperature.alpha) == pytest.approx(0.7)


# -- target entropy -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "expected"), [((), -1), ((1,), -1), ((6,), -6), ((2, 3), -6), ((1, 4), -4)]
)
def test_default_target_entropy_of_any_shape(shape: tuple[int, ...], expected: int) -> None:
    agent = make_agent(spaces.Box(-1.0, 1.0, shape, np.float32))
    assert agent.temperature.target_entropy == expected


@pytest.mark.parametrize("n", [1, 2, 4, 18])
def test_default_target_entropy_of_discrete_actions_can_be_reached(n: int) -> None:
    target = make_agent(spaces.Discrete(n)).temperature.target_entropy
    assert 0 < target < math.log(n) or n == 1


@pytest.mark.parametrize("value", [-3.0, 0.0, 0.5, 1.3])
def test_continuous_target_entropy_may_be_any_number_that_can_be_reached(value: float) -> None:
    assert make_agent(target_entropy=value).temperature.target_entropy == value


@pytest.mark.parametrize("value", [0.01, 0.5, 1.38])
def test_discrete_target_entropy_within_reach_is_taken(value: float) -> None:
    assert make_agent("discrete", target_entropy=value).temperature.target_entropy == value


@pytest.mark.parametrize("value", [-2.0, -0.1, 0.0, math.log(4), 1.5, 40.0])
def test_discrete_target_entropy_out_of_reach_is_refused(value: float) -> None:
    with pytest.raises(ConfigError) as caught:
        make_agent("discrete", target_entropy=value)
    message = str(caught.value)
    assert message.startswith("agent.target_entropy: expected auto, or nats above 0 and below")
    assert "log(4) = 1.386" in message
    assert message.endswith(f"got {value:g}")


def test_target_entropy_is_not_looked_at_where_alpha_is_fixed() -> None:
    make_agent("discrete", target_entropy=-2.0, alpha=0.2)


def test_every_policy_has_a_target_of_its_own_kind() -> None:
    assert isinstance(make_agent("discrete").policy_net, CategoricalPolicy)
    assert make_agent("discrete").temperature.target_entropy > 0
    assert make_agent("continuous").temperature.target_entropy < 0
