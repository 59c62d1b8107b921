"""Perceptrons with each activation, weights from their own generator, and freezing."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as torch
from autograd import Tensor
from sac.networks.mlp import MLP, frozen
from tests.sac.agents_for_tests import make_agent, make_batch

ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "gelu": lambda x: x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2))),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
}


def make_mlp(activation: str = "relu", seed: int = 0) -> MLP:
    return MLP([4, 6, 5, 2], activation, np.random.default_rng(seed))


def inputs(n: int, size: int) -> Tensor:
    return torch.tensor(np.random.default_rng(n).standard_normal((n, size)).astype(np.float32))


def forward(net: MLP, x: np.ndarray, activate: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    layers = [(layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in net.layers]
    for weight, bias in layers[:-1]:
        x = activate(x @ weight.T + bias)
    weight, bias = layers[-1]
    return x @ weight.T + bias


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_forward_by_hand(activation: str) -> None:
    net, x = make_mlp(activation), inputs(7, 4)
    expected = forward(net, x.numpy().astype(np.float64), ACTIVATIONS[activation])
    output = net(x)
    assert output.dtype == torch.float32
    np.testing.assert_allclose(output.detach().numpy(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_inputs_stand_side_by_side(activation: str) -> None:
    net, left, right = make_mlp(activation), inputs(7, 3), inputs(7, 1)
    together = net(torch.cat((left, right), dim=1))
    np.testing.assert_allclose(
        net(left, right).detach().numpy(), together.detach().numpy(), rtol=1e-5, atol=1e-6
    )


def test_weights_come_from_the_given_generator_alone() -> None:
    def weights(seed: int) -> list[np.ndarray]:
        return [p.detach().numpy() for p in make_mlp(seed=seed).parameters()]

    torch.manual_seed(1)
    first = weights(0)
    torch.manual_seed(2)
    for same, again in zip(first, weights(0), strict=True):
        np.testing.assert_array_equal(same, again)
    assert all((a != b).any() for a, b in zip(first, weights(1), strict=True))


def test_layers_differ_from_one_another() -> None:
    net = MLP([4, 4, 4], "relu", np.random.default_rng(0))
    first, second = net.layers
    assert (first.weight.detach().numpy() != second.weight.detach().numpy()).all()


# -- freezing -----------------------------------------------------------------------------


@pytest.mark.parametrize("given", [list, tuple, iter])
def test_frozen_parameters_get_no_gradient_but_what_is_below_them_does(given: Any) -> None:
    net, x = make_mlp(), inputs(3, 4).requires_grad_()
    with frozen(given(list(net.parameters()))):
        loss = net(x).sum()
    loss.backward()
    assert all(parameter.grad is None for parameter in net.parameters())
    assert x.grad is not None
    net(x).sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_freezing_restores_what_was_before_also_after_an_error() -> None:
    net = make_mlp()
    first = next(net.parameters())
    first.requires_grad = False
    with pytest.raises(KeyError), frozen(net.parameters()), frozen(net.parameters()):
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
    with frozen(agent.soft_q_parameters):
        value, _ = agent.policy_net.soft_value(
            observation, agent.soft_q_nets.min_q, agent.temperature.alpha
        )
    assert leaves(value) == {id(parameter) for parameter in agent.policy_parameters}


@pytest.mark.parametrize("actions", ["continuous", "discrete"])
def test_the_policys_step_allocates_no_gradient_of_the_soft_q_networks(actions: str) -> None:
    agent = make_agent(actions)
    observation = agent.observation_input(make_batch(agent).observation)
    agent._update_policy(observation, agent.temperature.alpha)
    assert all(parameter.grad is None for parameter in agent.soft_q_parameters)
    assert all(parameter.grad is not None for parameter in agent.policy_parameters)


@pytest.mark.parametrize("actions", ["continuous", "discrete"])
def test_the_step_of_the_soft_q_networks_leaves_the_policy_and_the_targets(actions: str) -> None:
    agent = make_agent(actions)
    agent._update_soft_q_nets(agent.transitions(make_batch(agent)), agent.temperature.alpha)
    others = [*agent.policy_parameters, *agent.target_soft_q_parameters]
    assert all(parameter.grad is None for parameter in [*others, agent.temperature.log_alpha])
    assert all(parameter.grad is not None for parameter in agent.soft_q_parameters)
