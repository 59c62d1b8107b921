"""Soft Q networks: what they take, and how a stored action's value is read; several together."""

import copy

import numpy as np
import pytest

import autograd as torch
from sac.critics import ContinuousSoftQNetwork, DiscreteSoftQNetwork, SoftQEnsemble
from sac.networks.mlp import FUSED


def array(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


def test_continuous_reads_the_pair() -> None:
    net = ContinuousSoftQNetwork(3, 2, (8,), "relu", np.random.default_rng(0))
    observation, action = torch.tensor(array(5, 3)), torch.tensor(array(5, 2))
    value = net.read(net, observation, action)
    assert (value.shape, value.dtype) == ((5, 1), torch.float32)
    first, last = net.net.layers
    pair = np.concatenate([observation.numpy(), action.numpy()], axis=1)
    hidden = np.maximum(pair @ first.weight.detach().numpy().T + first.bias.detach().numpy(), 0)
    expected = hidden @ last.weight.detach().numpy().T + last.bias.detach().numpy()
    np.testing.assert_allclose(value.detach().numpy(), expected, rtol=1e-5, atol=1e-6)


def test_discrete_reads_the_stored_actions_value() -> None:
    net = DiscreteSoftQNetwork(3, 4, (8,), "relu", np.random.default_rng(0))
    observation, action = torch.tensor(array(5, 3)), np.array([[3], [0], [1], [3], [2]])
    values = net(observation).detach().numpy()
    assert values.shape == (5, 4)
    read = net.read(net, observation, torch.tensor(action))
    np.testing.assert_array_equal(read.detach().numpy(), np.take_along_axis(values, action, 1))


def test_discrete_learns_of_the_stored_action_only() -> None:
    net = DiscreteSoftQNetwork(3, 4, (8,), "relu", np.random.default_rng(0))
    net.read(net, torch.tensor(array(1, 3)), torch.tensor([[2]])).sum().backward()
    np.testing.assert_array_equal(net.net.layers[-1].bias.grad.numpy(), [0, 0, 1, 0])


def ensemble(activation: str, count: int, kind: str = "continuous") -> SoftQEnsemble:
    weights = np.random.default_rng(0)
    if kind == "continuous":
        nets = [
            ContinuousSoftQNetwork(3, 2, (8, 7), activation, weights).requires_grad_()
            for _ in range(count)
        ]
        return SoftQEnsemble(nets)
    return SoftQEnsemble(
        [DiscreteSoftQNetwork(3, 4, (8, 7), activation, weights) for _ in range(count)]
    )


OBSERVATION, ACTION = torch.tensor(array(5, 3)), torch.tensor(array(5, 2))


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("activation", [*FUSED, "elu"])
@pytest.mark.parametrize("is_moved", [False, True])
def test_together_they_answer_as_each_by_itself(
    activation: str, count: int, is_moved: bool
) -> None:
    nets = ensemble(activation, count)
    if is_moved:  # as `to` another device or dtype does
        for p in nets.parameters():
            p.data = p.data.clone()
    values = torch.stack([net(OBSERVATION, ACTION) for net in nets])
    np.testing.assert_allclose(
        nets(OBSERVATION, ACTION).detach().numpy(), values.detach().numpy(), atol=1e-6
    )
    np.testing.assert_allclose(
        nets.min_q(OBSERVATION, ACTION).detach().numpy(), values.detach().numpy().min(0), atol=1e-6
    )
    assert nets.q_values(OBSERVATION, ACTION).shape == (count, 5, 1)


def test_together_they_read_the_stored_actions_values() -> None:
    nets = ensemble("relu", 2, "discrete")
    action = torch.tensor([[3], [0], [1], [3], [2]])
    for net, values in zip(nets, nets.q_values(OBSERVATION, action), strict=True):
        expected = net.read(net, OBSERVATION, action).detach().numpy()
        np.testing.assert_allclose(values.detach().numpy(), expected, atol=1e-6)


def test_only_the_network_with_the_smallest_value_passes_a_gradient_on() -> None:
    nets = ensemble("relu", 2)
    action = ACTION.clone().requires_grad_()
    nets.min_q(OBSERVATION, action).sum().backward()
    values = [net(OBSERVATION, action) for net in nets]
    for row in range(len(ACTION)):
        other = ACTION.clone().requires_grad_()
        smallest = min(range(2), key=lambda i: values[i][row].item())
        nets[smallest](OBSERVATION, other)[row].sum().backward()
        assert action.grad is not None and other.grad is not None
        np.testing.assert_allclose(action.grad[row].numpy(), other.grad[row].numpy(), atol=1e-6)


def test_a_copy_has_memory_of_its_own() -> None:
    nets = ensemble("relu", 2)
    copied = copy.deepcopy(nets)
    assert copied.flat.flat is not None  # still in one piece
    for p in copied.parameters():
        p.data.fill_(0)
    assert float(copied.min_q(OBSERVATION, ACTION).abs().sum()) == 0
    assert float(nets.min_q(OBSERVATION, ACTION).abs().sum()) > 0
