"""Stacks of perceptrons: each activation, each network by itself, names, copies, gradients."""

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as torch
from autograd import Tensor, nn

Activation = Callable[[np.ndarray], np.ndarray]
ACTIVATIONS: dict[str, Activation] = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "gelu": lambda x: x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2))),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
}


def make_mlp(activation: str = "relu", seed: int = 0) -> nn.MLPStack:
    return nn.MLPStack([4, 6, 5, 2], activation, generator=torch.Generator().manual_seed(seed))


def inputs(n: int, size: int) -> Tensor:
    return torch.tensor(np.random.default_rng(n).standard_normal((n, size)).astype(np.float32))


def forward(
    net: nn.MLPStack, x: np.ndarray, activate: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    layers = [
        (layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in net.layers()[0]
    ]
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
    net = nn.MLPStack([4, 4, 4])
    first, second = net.layers()[0]
    assert (first.weight.detach().numpy() != second.weight.detach().numpy()).all()


X = inputs(5, 4)


def gradient(tensor: Tensor) -> np.ndarray:
    """The gradient of a leaf, which must have one."""
    assert tensor.grad is not None
    return tensor.grad.numpy()


def single(stack: nn.MLPStack, number: int) -> nn.MLPStack:
    """One network of a stack, by itself."""
    net = nn.MLPStack(stack.layout.sizes, stack.activation)
    net.flat.data.copy_(stack.flat.detach()[number : number + 1])
    return net


@pytest.mark.parametrize("networks", [1, 2, 3])
@pytest.mark.parametrize("activation", ["relu", "tanh", "elu"])
def test_together_they_answer_as_each_by_itself(activation: str, networks: int) -> None:
    stack = nn.MLPStack([4, 6, 5, 2], activation, networks)
    alone = [single(stack, i) for i in range(networks)]
    expected = np.stack([net(X).detach().numpy() for net in alone])
    assert expected.shape == (networks, 5, 2)
    np.testing.assert_allclose(stack(X).detach().numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(stack.min(X).detach().numpy(), expected.min(0), atol=1e-6)
    hidden = np.stack([net.hidden(X)[-1].detach().numpy() for net in alone])
    np.testing.assert_allclose(stack.hidden(X)[-1].detach().numpy(), hidden, atol=1e-6)
    stack(X).sum().backward()
    for i, net in enumerate(alone):
        net(X).sum().backward()
        np.testing.assert_allclose(gradient(stack.flat)[i], gradient(net.flat)[0], atol=1e-6)


@pytest.mark.parametrize("activation", ["relu", "elu"])
def test_minimum_over_some_of_the_networks(activation: str) -> None:
    stack = nn.MLPStack([4, 6, 1], activation, 5)
    values = stack(X).detach().numpy()
    for rows in ([1, 4], [3], [0, 1, 2, 3, 4]):
        least = stack.min(X, rows=torch.tensor(rows))
        np.testing.assert_allclose(least.detach().numpy(), values[rows].min(0), atol=1e-6)
    stack.min(X, rows=torch.tensor([1, 4])).sum().backward()
    reached = np.abs(gradient(stack.flat)).sum(axis=1) > 0
    np.testing.assert_array_equal(reached[[0, 2, 3]], False)


def test_only_the_network_with_the_smallest_value_passes_a_gradient_on() -> None:
    stack = nn.MLPStack([4, 8, 7, 1], networks=2)
    x = X.clone().requires_grad_()
    stack.min(x).sum().backward()
    values = stack(X).detach().numpy()
    for row in range(len(X)):
        other = X.clone().requires_grad_()
        smallest = int(values[:, row, 0].argmin())
        single(stack, smallest)(other)[row].sum().backward()
        np.testing.assert_allclose(gradient(x)[row], gradient(other)[row], atol=1e-6)


def test_frozen_parameters_get_no_gradient_but_inputs_do() -> None:
    stack, x = nn.MLPStack([4, 6, 1], networks=2), X.clone().requires_grad_()
    stack.requires_grad_(False)
    stack(x).sum().backward()
    assert stack.flat.grad is None and x.grad is not None


def test_state_names_every_layer() -> None:
    stack = nn.MLPStack([4, 6, 2], networks=2, name="{}.net.")
    state = stack.state_dict()
    assert list(state) == [
        f"{n}.net.layers.{i}.{part}" for n in (0, 1) for i in (0, 1) for part in ("weight", "bias")
    ]
    assert state["1.net.layers.0.weight"].shape == (6, 4)
    other = nn.MLPStack([4, 6, 2], networks=2, name="{}.net.")
    other.load_state_dict({name: value.clone() for name, value in state.items()})
    np.testing.assert_array_equal(other.flat.detach().numpy(), stack.flat.detach().numpy())
    other.load_state_dict({name: value.clone() for name, value in state.items()}, assign=True)
    with pytest.raises(RuntimeError, match=r"size mismatch for 0\.net\.layers\.0\.weight"):
        other.load_state_dict({**state, "0.net.layers.0.weight": torch.zeros(6, 5)})
    assert list(nn.MLPStack([4, 2]).state_dict()) == ["layers.0.weight", "layers.0.bias"]


def test_state_shares_memory_and_version_with_the_parameter() -> None:
    stack = nn.MLPStack([4, 6, 2])
    loss = stack(X).sum()
    with torch.no_grad():
        stack.state_dict()["layers.1.bias"].add_(1)
    assert float(stack.layers()[0][1].bias[0]) == float(stack.flat[0, -2])
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_layers_are_drawn_as_those_of_linear() -> None:
    stack = nn.MLPStack([4, 6, 2], networks=2, generator=torch.Generator().manual_seed(3))
    generator = torch.Generator().manual_seed(3)
    for network in stack.layers():
        for layer, (fan_in, fan_out) in zip(network, [(4, 6), (6, 2)], strict=True):
            linear = nn.Linear(fan_in, fan_out, generator=generator)
            np.testing.assert_array_equal(layer.weight.numpy(), linear.weight.detach().numpy())
            np.testing.assert_array_equal(layer.bias.numpy(), linear.bias.detach().numpy())


@pytest.mark.parametrize("is_moved", [False, True])
def test_a_copy_has_memory_of_its_own(is_moved: bool) -> None:
    stack = nn.MLPStack([4, 6, 2], networks=2)
    before = stack(X).detach().numpy()  # so that the layout knows the parameter's views
    copied = copy.deepcopy(stack)
    if is_moved:
        copied.flat.data = copied.flat.data.clone()
    copied.flat.data.fill_(0)
    assert float(copied(X).abs().sum()) == 0
    np.testing.assert_array_equal(stack(X).detach().numpy(), before)


def test_gradients_that_somebody_holds_stay() -> None:
    stack = nn.MLPStack([40, 300, 300, 2], networks=2)  # large enough for memory used before
    x = torch.randn(8, 40)
    stack(x).sum().backward()
    held, was = stack.flat.grad, gradient(stack.flat).copy()
    assert held is not None
    view = held.numpy()[1, 5:9]
    for i in range(3):
        stack.flat.grad = None
        (stack(x) * i).sum().backward()
    np.testing.assert_array_equal(held.numpy(), was)
    np.testing.assert_array_equal(view, was[1, 5:9])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([3],), r"got sizes \[3\]"),
        (([3, 0],), "of at least 1"),
        (([3, 2], "relu", 0), "networks=0"),
        (([3, 2], "rleu"), "got 'rleu'"),
    ],
)
def test_what_is_no_network_is_refused(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nn.MLPStack(*arguments)


@pytest.mark.parametrize("shapes", [[], [(5, 3)], [(4,)], [(5, 2), (5, 3)], [(2, 5, 4)], [()]])
@pytest.mark.parametrize("activation", ["relu", "elu"])
def test_inputs_of_another_shape_are_refused(activation: str, shapes: list[Any]) -> None:
    with pytest.raises(RuntimeError, match=r"expected inputs \(batch, n\) with 4 columns"):
        nn.MLPStack([4, 2], activation)(*(torch.zeros(shape) for shape in shapes))
