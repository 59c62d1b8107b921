"""The drawn graph is that of the update: same losses, same gradients, and none into the target."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from autograd import enable_grad
from sac.agent.agent import SACAgent
from sac.config import AgentConfig
from sac.insight import recording
from sac.insight.graph import TARGET, update_graph
from sac.insight.recording import reached_leaves, record_update
from sac.replay.batch import Batch

OBSERVATIONS = spaces.Box(-1, 1, (3,), np.float32)
ACTIONS: dict[str, gymnasium.Space] = {
    "continuous": spaces.Box(-1, 1, (2,), np.float32),
    "discrete": spaces.Discrete(3),
}
VARIANTS: dict[str, dict[str, Any]] = {
    "two": {},
    "three": {"num_soft_q_nets": 3},
    "fixed-alpha": {"alpha": 0.2},
    "not-fused": {"activation": "elu"},
}
CASES = [pytest.param(a, v, id=f"{a}-{v}") for a in ACTIONS for v in VARIANTS]
SIZE = 4


def make_agent(actions: str, variant: str, **changes: Any) -> SACAgent:
    config = AgentConfig(hidden_sizes=(8, 8), **(VARIANTS[variant] | changes))
    return SACAgent(OBSERVATIONS, ACTIONS[actions], config)


def loss_names(agent: SACAgent) -> list[str]:
    alpha = ["alpha_loss"] if agent.config.alpha == "auto" else []
    return ["critic_loss", "policy_loss", *alpha]


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(("actions", "variant"), CASES)
def test_losses_are_those_of_the_update(actions: str, variant: str, whole: bool) -> None:
    # So small a step that the policy's loss meets the soft Q networks as they were.
    agent = make_agent(actions, variant, soft_q_lr=1e-30)
    shape = (SIZE, 2) if actions == "continuous" else (SIZE, 1)
    batch = Batch(
        observation=np.zeros((SIZE, 3), np.float32),
        action=np.zeros(shape, agent.action_codec.dtype),
        reward=np.zeros((SIZE, 1), np.float32),
        discount=np.full((SIZE, 1), 0.99, np.float32),
        next_observation=np.zeros((SIZE, 3), np.float32),
    )
    recorded = record_update(agent, SIZE, whole=whole)
    updated = agent.update(batch)
    assert [*recorded.losses] == loss_names(agent)
    updated["critic_loss"] = sum(v for k, v in updated.items() if k[0] == "q" and "loss" in k)
    for name, loss in recorded.losses.items():
        expected = np.mean(updated[name].numpy())
        np.testing.assert_allclose(loss.item(), expected, rtol=1e-5, err_msg=name)


@pytest.mark.parametrize(("actions", "variant"), CASES)
def test_each_loss_reaches_the_parameters_that_it_trains(actions: str, variant: str) -> None:
    agent = make_agent(actions, variant)
    recorded = record_update(agent, SIZE, whole=False)
    names = set(recorded.leaves.values())
    for name, loss in recorded.losses.items():
        part = {"policy_loss": "policy", "alpha_loss": "alpha/log"}.get(name, "soft_q")
        reached = {recorded.leaves[leaf] for leaf in reached_leaves(loss)}
        assert reached == {leaf for leaf in names if leaf.startswith(part)}, name


def solid_way_back(graph: Any, start: str) -> set[str]:
    """The names of all nodes that a gradient of `start` comes to."""
    inputs = {node.name: node.input for node in graph.node}
    reached, waiting = set(), [start]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += [i.partition(":")[0] for i in inputs[name] if not i.startswith("^")]
    return reached


def last_nodes(graph: Any) -> list[str]:
    """The losses: nodes whose value no other node takes."""
    taken = {name.lstrip("^").partition(":")[0] for node in graph.node for name in node.input}
    return [node.name for node in graph.node if node.name not in taken]


@pytest.mark.parametrize(("actions", "variant"), CASES)
def test_solid_edges_are_the_ways_of_the_gradients(actions: str, variant: str) -> None:
    agent = make_agent(actions, variant)
    graph = update_graph(agent, SIZE)
    losses = last_nodes(graph)
    assert {name.split("/")[1] for name in losses} == {*loss_names(agent)}
    parameters = {node.name for node in graph.node if node.op == "Parameter"}
    for loss in losses:
        part = {"p": "policy/", "a": "alpha/log_alpha"}.get(loss.split("/")[1][0], "soft_q/")
        expected = {name for name in parameters if name.startswith(part)}
        assert solid_way_back(graph, loss) & parameters == expected, loss


@pytest.mark.parametrize("actions", ACTIONS)
def test_target_meets_its_losses_without_a_gradient(actions: str) -> None:
    graph = update_graph(make_agent(actions, "two"), SIZE)
    takers = {node.name: [*node.input] for node in graph.node if f"^{TARGET}" in node.input}
    assert takers.keys() == {"losses/critic_loss/HalfMse"}
    for loss in last_nodes(graph):
        assert not [name for name in solid_way_back(graph, loss) if name.startswith("targets/")]
    (target,) = [node for node in graph.node if node.name == TARGET]
    assert "^batch/reward" in target.input and not target.attr["gradient"].b


def test_gradient_into_the_target_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "no_grad", enable_grad)
    graph = update_graph(make_agent("continuous", "two"), SIZE)
    reached = solid_way_back(graph, "losses/critic_loss/Sum")
    assert {TARGET, "targets/policy/Mlp", "policy/parameters"} <= reached


def test_nodes_have_shapes_and_scopes() -> None:
    graph = update_graph(make_agent("continuous", "two"), 256)
    shapes = {
        node.name: [tuple(d.size for d in s.dim) for s in node.attr["_output_shapes"].list.shape]
        for node in graph.node
    }
    assert shapes["policy/Mlp"] == [(256, 4)]
    assert shapes["policy/SquashedGaussian"] == [(256, 2), (256, 1)]
    assert shapes["soft_q/parameters"] == [(2, 5 * 8 + 8 + 8 * 8 + 8 + 8 + 1)]
    assert shapes["batch/discount"] == [(256, 1)]
    assert all(shapes.values())
    scopes = {name.split("/")[0] for name in shapes}
    assert scopes == {"batch", "policy", "soft_q", "targets", "alpha", "losses"}


def test_graph_is_the_same_each_time_and_the_agent_too() -> None:
    agent = make_agent("continuous", "two")
    before, noise = agent.state_dict(), agent.generator_state()
    assert update_graph(agent, SIZE) == update_graph(agent, SIZE)
    assert agent.generator_state() == noise
    for name, array in agent.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    assert not agent.critic.target_soft_q_nets.flat.requires_grad
