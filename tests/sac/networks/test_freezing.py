"""Freezing: no gradients for some parameters, and everything as before afterwards."""

from typing import Any

import pytest

import autograd as torch
from autograd import Tensor, nn
from sac.networks.freezing import frozen
from tests.sac.agents_for_tests import make_agent, make_batch


def make_net() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2))


def test_frozen_parameters_get_no_gradient_but_what_is_below_them_does() -> None:
    net, x = make_net(), torch.randn(3, 4).requires_grad_()
    with frozen(net):
        loss = net(x).sum()
    loss.backward()
    assert all(parameter.grad is None for parameter in net.parameters())
    assert x.grad is not None
    net(x).sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_freezing_restores_what_was_before_also_after_an_error() -> None:
    net = make_net()
    first = next(net.parameters())
    first.requires_grad = False
    with pytest.raises(KeyError), frozen(net), frozen(net):
        raise KeyError
    assert [parameter.requires_grad for parameter in net.parameters()] == [False] + [True] * 5


def leaves(loss: Tensor) -> set[int]:
    """Return the ids of all tensors that a backward from `loss` accumulates gradients into."""
    found: set[int] = set()
    nodes: list[Any] = [loss.grad_fn]
    while nodes:
        node = nodes.pop()
        if hasattr(node, "variable"):
            found.add(id(node.variable))
        nodes += [following for following, _ in node.next_functions if following is not None]
    return found


@pytest.mark.parametrize("actions", ["continuous", "discrete"])
def test_the_policys_graph_holds_no_weight_of_the_soft_q_networks(actions: str) -> None:
    agent = make_agent(actions)
    observation = agent.observation_input(make_batch(agent).observation)
    with frozen(agent.critic):
        value, _ = agent.policy_net.soft_value(
            observation, agent.critic.value, agent.temperature.alpha
        )
    assert leaves(value) == {id(parameter) for parameter in [agent.policy_net.net.flat]}


@pytest.mark.parametrize("actions", ["continuous", "discrete"])
def test_the_policys_step_allocates_no_gradient_of_the_soft_q_networks(actions: str) -> None:
    agent = make_agent(actions)
    batch = agent.transitions(make_batch(agent))
    with frozen(agent.critic):
        agent._step(agent._policy_loss(batch, agent.temperature.alpha), agent.policy_optimizer)
    assert all(parameter.grad is None for parameter in [agent.critic.soft_q_nets.flat])
    assert all(parameter.grad is not None for parameter in [agent.policy_net.net.flat])


@pytest.mark.parametrize("actions", ["continuous", "discrete"])
def test_the_step_of_the_soft_q_networks_leaves_the_policy_and_the_targets(actions: str) -> None:
    agent = make_agent(actions)
    batch = agent.transitions(make_batch(agent))
    loss = agent.critic.loss(batch, agent.policy_net, agent.temperature.alpha)
    agent._step(loss, agent.critic.optimizer)
    others = [
        agent.policy_net.net.flat,
        agent.critic.target_soft_q_nets.flat,
    ]
    assert all(parameter.grad is None for parameter in [*others, agent.temperature.log_alpha])
    assert all(parameter.grad is not None for parameter in [agent.critic.soft_q_nets.flat])
