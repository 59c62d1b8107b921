"""BatchNorm in an agent: whose statistics normalise what, and which of them move."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sac.agent.agent import SACAgent
from tests.sac.agents_for_tests import make_agent, make_batch, run_as_written

KEYS: dict[str, dict[str, Any]] = {
    "sac": {"critic_norm": "batch", "policy_norm": "batch"},
    "crossq": {"critic": "crossq", "critic_norm": "batch", "policy_norm": "batch"},
    "renorm": {
        "critic": "crossq",
        "critic_norm": "batch_renorm",
        "policy_norm": "batch_renorm",
    },
    "categorical": {"critic": "categorical", "network": "flashsac", "hidden_sizes": [8]},
}
EACH = pytest.mark.parametrize("kind", KEYS)
INPUT_MEAN = "layers.0.running_mean"  # of the inputs of all these networks


def made(kind: str, actions: str = "continuous", **keys: Any) -> SACAgent:
    agent = make_agent(actions, **{**KEYS[kind], **keys})
    run_as_written(agent)
    return agent


def statistics(agent: SACAgent, of: str) -> dict[str, np.ndarray]:
    return {n: a for n, a in agent.state_dict().items() if n.startswith(of) and "running" in n}


def rows_of(agent: SACAgent, nets: Any) -> list[int]:
    """How many rows went into a network in each pass of an update."""
    rows: list[int] = []
    hook = nets.register_forward_hook(lambda module, inputs, out: rows.append(len(inputs[0])))
    agent.update(make_batch(agent, 1, size=8))
    hook.remove()
    return rows


def test_both_pairs_go_through_one_pass() -> None:
    for kind, online, target in (("sac", [16, 8], [16]), ("crossq", [16, 8], None)):
        agent = made(kind)
        assert rows_of(agent, agent.critic.soft_q_nets) == online  # to learn, then to climb
        if target is not None:
            assert rows_of(agent, agent.critic.target_soft_q_nets) == target
        agent = made(kind, "discrete")
        assert rows_of(agent, agent.critic.soft_q_nets) == online
    agent = made("sac", critic_norm="layer")
    assert rows_of(agent, agent.critic.soft_q_nets) == [8, 8]


@EACH
def test_next_states_change_what_is_said_of_stored_pairs(kind: str) -> None:
    agent, twin = made(kind), made(kind)
    batch = make_batch(agent)
    other = replace(batch, next_observation=3 * batch.next_observation + 1)
    one, another = agent.update(batch), twin.update(other)
    assert np.abs((one["q1_mean"] - another["q1_mean"]).numpy()).max() > 1e-3


@EACH
def test_critics_statistics_move_once_and_only_by_what_it_learns_from(kind: str) -> None:
    agent = made(kind)
    batch = make_batch(agent)
    agent.update(batch)
    mean = agent.state_dict()[f"soft_q_nets.0.net.{INPUT_MEAN}"]
    both = np.concatenate([batch.observation, batch.next_observation])
    np.testing.assert_allclose(mean[:3], 0.01 * both.mean(0), rtol=1e-4, atol=1e-7)


@EACH
def test_policys_statistics_are_those_of_the_states_it_learns_on(kind: str) -> None:
    agent = made(kind)
    batch = make_batch(agent)
    agent.update(batch)
    mean = agent.state_dict()[f"policy_net.net.{INPUT_MEAN}"]
    np.testing.assert_allclose(mean, 0.01 * batch.observation.mean(0), rtol=1e-4, atol=1e-7)


@EACH
def test_acting_uses_running_statistics_and_leaves_them(kind: str) -> None:
    agent = made(kind)
    batch = make_batch(agent)
    for _ in range(3):
        agent.update(batch)
    before = statistics(agent, "policy_net")
    together = agent.greedy(batch.observation)
    for alone, expected in zip(batch.observation, together, strict=True):
        np.testing.assert_allclose(agent.greedy(alone[None])[0], expected, rtol=1e-4, atol=1e-6)
    agent.explore(batch.observation)
    agent.critic.q_values(*agent.transitions(batch)[:2])
    after = statistics(agent, "policy_net")
    assert before and all(np.array_equal(after[name], before[name]) for name in before)


@EACH
def test_looking_at_values_leaves_the_critics_statistics(kind: str) -> None:
    agent = made(kind)
    batch = make_batch(agent)
    agent.update(batch)
    before = statistics(agent, "soft_q_nets")
    observation, action = agent.transitions(batch)[:2]
    agent.critic.q_values(observation, action)
    agent.critic.hidden(observation, action)
    after = statistics(agent, "soft_q_nets")
    assert before and all(np.array_equal(after[name], before[name]) for name in before)


def test_targets_have_statistics_of_their_own() -> None:
    agent = made("sac", tau=0.5)
    online, target = (statistics(agent, of) for of in ("soft_q_nets", "target_soft_q_nets"))
    for (name, one), other in zip(online.items(), target.values(), strict=True):
        np.testing.assert_array_equal(one, other, err_msg=name)  # a copy, to begin with
    for seed in range(3):
        agent.update(make_batch(agent, seed))
    target = statistics(agent, "target_soft_q_nets")
    online = statistics(agent, "soft_q_nets")
    name = f"0.net.{INPUT_MEAN}"
    # Both see the same pairs; deeper layers, whose weights differ, have other statistics.
    np.testing.assert_allclose(
        target[f"target_soft_q_nets.{name}"], online[f"soft_q_nets.{name}"], rtol=1e-5
    )
    deeper = "0.net.layers.3.running_mean"
    assert (target[f"target_soft_q_nets.{deeper}"] != online[f"soft_q_nets.{deeper}"]).any()


@EACH
def test_batch_of_one_row_is_learned_from(kind: str) -> None:
    agent = made(kind)
    for seed in range(3):
        metrics = agent.update(make_batch(agent, seed, size=1))
    assert np.isfinite(float(metrics["policy_loss"]))
    state = agent.state_dict()
    assert all(np.isfinite(array).all() for array in state.values())
    assert not state[f"policy_net.net.{INPUT_MEAN}"].any()  # one row is no batch


@EACH
def test_statistics_go_on_from_a_saved_state(kind: str) -> None:
    agent, other = made(kind), made(kind, alpha="auto")
    agent.update(make_batch(agent))
    other.load_state_dict(agent.state_dict())
    saved = statistics(agent, "")
    assert len(saved) >= 4
    for name, array in statistics(other, "").items():
        np.testing.assert_array_equal(array, saved[name], err_msg=name)
