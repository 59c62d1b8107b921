"""Soft Q networks: what they take, and how a stored action's value is read."""

import numpy as np

import autograd as torch
from sac.soft_q import ContinuousSoftQNetwork, DiscreteSoftQNetwork


def array(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


def test_continuous_reads_the_pair() -> None:
    net = ContinuousSoftQNetwork(3, 2, (8,), "relu", np.random.default_rng(0))
    observation, action = torch.tensor(array(5, 3)), torch.tensor(array(5, 2))
    value = net.q_value(observation, action)
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
    read = net.q_value(observation, torch.tensor(action))
    np.testing.assert_array_equal(read.detach().numpy(), np.take_along_axis(values, action, 1))


def test_discrete_learns_of_the_stored_action_only() -> None:
    net = DiscreteSoftQNetwork(3, 4, (8,), "relu", np.random.default_rng(0))
    net.q_value(torch.tensor(array(1, 3)), torch.tensor([[2]])).sum().backward()
    np.testing.assert_array_equal(net.net.layers[-1].bias.grad.numpy(), [0, 0, 1, 0])
