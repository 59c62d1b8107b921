"""Initial values, and what is done to all gradients at once."""

import math
from typing import Any

import numpy as np
import pytest

import autograd as torch
from autograd import nn

init = nn.init


def drawn(function, *args, shape=(40, 60), **kwargs):
    tensor = torch.empty(*shape)
    assert function(tensor, *args, generator=torch.Generator().manual_seed(1), **kwargs) is tensor
    assert tensor._version == 1
    return tensor.numpy()


def assert_uniform(values, bound):
    assert np.abs(values).max() <= bound
    np.testing.assert_allclose(values.std(), bound / math.sqrt(3), rtol=0.03)


def test_uniform_and_normal():
    values = drawn(init.uniform_, 2.0, 6.0)
    assert_uniform(values - 4, 2.0)
    values = drawn(init.normal_, 3.0, 0.5)
    np.testing.assert_allclose([values.mean(), values.std()], [3, 0.5], rtol=0.03)
    assert np.array_equal(drawn(init.normal_), drawn(init.normal_))


def test_xavier_and_kaiming():
    assert_uniform(drawn(init.xavier_uniform_, gain=2.0), 2 * math.sqrt(6 / 100))
    np.testing.assert_allclose(drawn(init.xavier_normal_).std(), math.sqrt(2 / 100), rtol=0.03)
    assert_uniform(drawn(init.kaiming_uniform_, a=math.sqrt(5)), 1 / math.sqrt(60))
    values = drawn(init.kaiming_normal_, mode="fan_out", nonlinearity="relu", shape=(20, 30, 2, 2))
    np.testing.assert_allclose(values.std(), math.sqrt(2 / 80), rtol=0.03)


@pytest.mark.parametrize("shape", [(4, 4), (3, 7), (7, 3), (4, 2, 3)])
def test_orthogonal(shape):
    values = drawn(init.orthogonal_, 2.0, shape=shape).reshape(shape[0], -1)
    if values.shape[0] > values.shape[1]:
        values = values.T
    np.testing.assert_allclose(values @ values.T, 4 * np.eye(len(values)), atol=1e-5)


def test_orthogonal_favours_no_sign():
    generator = torch.Generator().manual_seed(0)
    corners = [init.orthogonal_(torch.empty(2, 2), 1, generator)[0, 0].item() for _ in range(200)]
    assert 60 < sum(corner > 0 for corner in corners) < 140


def test_constants():
    assert init.constant_(torch.empty(2), 3).tolist() == [3, 3]
    assert init.zeros_(torch.empty(2)).tolist() == [0, 0]
    assert init.ones_(torch.empty(2)).tolist() == [1, 1]
    assert init.eye_(torch.empty(1, 2)).tolist() == [[1, 0]]


def test_leaves_that_need_a_gradient_stay_leaves():
    parameter = nn.Parameter(torch.empty(2, 2))
    init.xavier_uniform_(parameter)
    assert parameter.is_leaf and parameter.requires_grad


def test_gains():
    assert init.calculate_gain("linear") == 1
    assert init.calculate_gain("tanh") == 5 / 3
    assert init.calculate_gain("relu") == math.sqrt(2)
    assert init.calculate_gain("leaky_relu", 0.5) == math.sqrt(2 / 1.25)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: init.calculate_gain("gelu"), ValueError, "Unsupported nonlinearity gelu"),
        (lambda: init.calculate_gain("leaky_relu", True), ValueError, "not a valid number"),
        (lambda: init.uniform_(torch.ones(1), 2, 1), RuntimeError, "from=2 > to=1"),
        (lambda: init.normal_(torch.ones(1), 0, -1), RuntimeError, "std >= 0.0"),
        (lambda: init.xavier_uniform_(torch.ones(3)), ValueError, "fewer than 2 dimensions"),
        (lambda: init.kaiming_normal_(torch.ones(2, 2), mode="in"), ValueError, "Mode in not"),
        (lambda: init.orthogonal_(torch.ones(3)), ValueError, "2 or more dimensions"),
        (lambda: init.normal_(torch.ones(1, dtype=torch.int64)), NotImplementedError, "Long"),
    ],
)
def test_refusals(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_nothing_to_draw_warns():
    with pytest.warns(UserWarning, match="zero-element tensors is a no-op"):
        init.kaiming_uniform_(torch.empty(0, 3))


def with_gradients(*values):
    parameters = [nn.Parameter(torch.zeros(len(v))) for v in values]
    for parameter, value in zip(parameters, values, strict=True):
        parameter.grad = torch.tensor(value)
    return parameters


class TestClipping:
    @pytest.mark.parametrize(
        ("norm_type", "norm"), [(2.0, 13.0), (1, 19.0), (math.inf, 12.0), ("inf", 12.0)]
    )
    def test_scales_to_the_norm(self, norm_type, norm):
        parameters = with_gradients([3.0, 4.0], [12.0])
        parameters.append(nn.Parameter(torch.ones(1)))
        total = nn.utils.clip_grad_norm_(iter(parameters), 1.0, norm_type)
        np.testing.assert_allclose(total.item(), norm, rtol=1e-6)
        np.testing.assert_allclose(parameters[1].grad.item(), 12 / norm, rtol=1e-5)
        assert parameters[0].grad._version == 1

    def test_leaves_small_gradients_alone(self):
        (parameter,) = with_gradients([0.3, 0.4])
        nn.utils.clip_grad_norm_(parameter, 1.0)
        np.testing.assert_allclose(parameter.grad.numpy(), [0.3, 0.4], rtol=1e-6)

    def test_infinite_gradients(self):
        parameters = with_gradients([1.0, math.inf])
        with pytest.raises(RuntimeError, match="non-finite, so it cannot be clipped"):
            nn.utils.clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True)
        assert nn.utils.clip_grad_norm_(parameters, 1.0).item() == math.inf
        np.testing.assert_array_equal(parameters[0].grad.numpy(), [0, math.nan])

    def test_no_gradients(self):
        assert nn.utils.clip_grad_norm_([nn.Parameter(torch.ones(1))], 1.0).item() == 0

    def test_by_value(self):
        parameters = with_gradients([3.0, -4.0, 0.1])
        nn.utils.clip_grad_value_([*parameters, nn.Parameter(torch.ones(1))], 0.5)
        np.testing.assert_allclose(parameters[0].grad.numpy(), [0.5, -0.5, 0.1], rtol=1e-6)


class TestVectors:
    def test_there_and_back(self):
        net: Any = nn.Linear(2, 3)
        vector = nn.utils.parameters_to_vector(net.parameters())
        assert vector.shape == (9,)
        vector.sum().backward()
        assert net.weight.grad.tolist() == [[1, 1]] * 3
        flat = torch.arange(9.0)
        nn.utils.vector_to_parameters(flat, net.parameters())
        assert net.weight.tolist() == [[0, 1], [2, 3], [4, 5]]
        assert net.bias.tolist() == [6, 7, 8]
        flat.add_(1)  # the parameters share its memory, as in torch
        assert net.bias.tolist() == [7, 8, 9]
        assert net.weight.is_leaf and net.weight.requires_grad

    def test_refusals(self):
        parameters = [nn.Parameter(torch.ones(3))]
        with pytest.raises(TypeError, match=r"expected torch\.Tensor, but got: int"):
            nn.utils.vector_to_parameters(3, parameters)  # type: ignore[arg-type]
        with pytest.raises(RuntimeError, match=r"shape '\[3\]' is invalid for input of size 2"):
            nn.utils.vector_to_parameters(torch.ones(2), parameters)
