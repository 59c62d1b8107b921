"""Layers: what they save, their initial values, training and evaluation."""

import math
from typing import Any

import numpy as np
import pytest

from autograd import nn
from autograd.ops import convolution
from tests.autograd.untyped import torch

F = nn.functional
NUMPY_INTEGER: Any = np.int64  # which type checkers do not take for an int


class TestLinear:
    def test_is_the_affine_map(self):
        layer = nn.Linear(3, 2)
        x = torch.randn(4, 5, 3)
        expected = x.numpy() @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        np.testing.assert_allclose(layer(x).detach().numpy(), expected, rtol=1e-5)

    def test_initial_values_come_from_the_generator(self):
        layers = [nn.Linear(16, 64, generator=torch.Generator().manual_seed(3)) for _ in range(2)]
        assert torch.equal(layers[0].weight, layers[1].weight)
        assert torch.equal(layers[0].bias, layers[1].bias)
        for values in (layers[0].weight, layers[0].bias):
            assert 0.2 < values.abs().max().item() <= 0.25

    def test_frozen_weights_get_no_gradient_and_their_input_none_it_does_not_need(self):
        layer, x = nn.Linear(3, 2), torch.randn(4, 3, requires_grad=True)
        layer.requires_grad_(False)
        layer(x).sum().backward()
        assert layer.weight.grad is None
        np.testing.assert_allclose(
            x.grad.numpy(), np.tile(layer.weight.numpy().sum(0), (4, 1)), rtol=1e-6
        )

    @pytest.mark.parametrize("frozen", ["weight", "input"])
    def test_saves_only_what_a_needed_gradient_asks_for(self, frozen):
        x, weight = torch.randn(4, 3, requires_grad=True), torch.randn(2, 3, requires_grad=True)
        needless = weight if frozen == "input" else x
        (x if frozen == "input" else weight).requires_grad_(False)
        out = F.linear(x, weight)
        with torch.no_grad():
            needless.add_(1)  # saved it would make backward raise
        out.sum().backward()

    @pytest.mark.parametrize(
        ("shapes", "text"),
        [
            (((2, 3), (4, 2)), "shapes cannot be multiplied"),
            (((), (4, 3)), "need to be at least 1D"),
            (((2, 3), (2, 4, 3)), "expects a tensor with <= 2 dimensions"),
            (((2, 3), (4, 3), (3,)), "The expanded size of the tensor"),
        ],
    )
    def test_shapes_that_do_not_fit(self, shapes, text):
        with pytest.raises(RuntimeError, match=text):
            F.linear(*(torch.ones(shape) for shape in shapes))

    def test_dtypes_that_do_not_fit(self):
        x, weight = torch.ones(2, 3), torch.ones(4, 3)
        with pytest.raises(RuntimeError, match="to have the same dtype"):
            F.linear(x, weight.double())
        with pytest.raises(RuntimeError, match="must have the same dtype"):
            F.linear(x, weight, torch.ones(4).double())
        with pytest.raises(TypeError, match="must be Tensor, not int"):
            torch.nn.functional.linear(x, weight, 3)

    def test_unusual_shapes(self):
        x, weight = torch.randn(2, 3), torch.randn(4, 3, requires_grad=True)
        assert F.linear(x[0], weight).shape == (4,)
        assert F.linear(x, weight[0]).shape == (2,)
        bias = torch.zeros(2, 4, requires_grad=True)
        F.linear(x, weight, bias).sum().backward()
        assert bias.grad.tolist() == [[1] * 4] * 2


class TestConv2d:
    def test_initial_values(self):
        layer = nn.Conv2d(4, 8, 3, groups=2)
        bound = 1 / math.sqrt(2 * 9)
        assert layer.weight.shape == (8, 2, 3, 3)
        for values in (layer.weight, layer.bias):
            assert values.abs().max().item() <= bound
        assert layer.weight.abs().max().item() > 0.8 * bound

    def test_sizes_of_numpy(self):
        one, two, three = map(NUMPY_INTEGER, (1, 2, 3))
        layer = nn.Conv2d(1, three, three, stride=two, padding=one)
        assert layer(torch.ones(2, 1, 5, 7)).shape == (2, 3, 3, 4)
        assert F.conv2d(torch.ones(1, 1, 5, 5), torch.ones(1, 1, 3, 3), stride=three).shape[2] == 1

    def test_padding_names(self):
        x = torch.ones(2, 1, 5, 7)
        assert nn.Conv2d(1, 3, 3, padding="same", dilation=2)(x).shape == (2, 3, 5, 7)
        assert nn.Conv2d(1, 3, 2, padding="same")(x).shape == (2, 3, 5, 7)
        assert nn.Conv2d(1, 3, (3, 2), padding="valid")(x).shape == (2, 3, 3, 6)

    def test_result_has_the_layout_of_the_images(self):
        layer = nn.Conv2d(2, 3, 3, stride=2, padding=1)
        images = torch.randn(4, 2, 7, 6)
        channels_last = images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
        out = layer(channels_last)
        assert layer(images).is_contiguous()
        assert out.permute(0, 2, 3, 1).is_contiguous()
        assert torch.equal(out, layer(images))

    @pytest.mark.parametrize("groups", [1, 2])
    def test_few_images_at_a_time_make_the_same_gradients(self, groups, monkeypatch):
        layer = nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=groups)
        results = []
        for size in (2**21, 2000, 1):  # all five images, two and a rest, one by one
            monkeypatch.setitem(convolution.ROWS_BYTES, "cpu", size)
            images = torch.linspace(-1, 1, 5 * 2 * 7 * 6).reshape(5, 2, 7, 6).requires_grad_()
            out = layer(images)
            (out * out).sum().backward()
            results.append([out.detach(), images.grad, layer.weight.grad, layer.bias.grad])
            layer.zero_grad()
        for other in results[1:]:
            for first, second in zip(results[0], other, strict=True):
                np.testing.assert_allclose(first.numpy(), second.numpy(), rtol=1e-5, atol=1e-5)

    def test_one_image_and_no_image(self):
        layer = nn.Conv2d(2, 3, 3)
        x = torch.randn(2, 5, 5)
        assert torch.equal(layer(x), layer(x.unsqueeze(0)).squeeze(0))
        assert layer(torch.ones(0, 2, 5, 5)).shape == (0, 3, 3, 3)

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            ((3, 2, 3, 1, 0, 1, 2), "in_channels must be divisible by groups"),
            ((2, 3, 3, 1, 0, 1, 2), "out_channels must be divisible by groups"),
            ((2, 2, 3, 1, 0, 1, 0), "groups must be a positive integer"),
            ((2, 2, 3, 1, "full"), "Invalid padding string"),
            ((2, 2, 3, 2, "same"), "not supported for strided convolutions"),
            ((2, 2, 3, 1, 0, 1, 1, True, "mirror"), "padding_mode must be one of"),
        ],
    )
    def test_arguments_that_do_not_fit(self, arguments, text):
        with pytest.raises(ValueError, match=text):
            nn.Conv2d(*arguments)

    def test_padding_that_is_not_offered(self):
        with pytest.raises(Exception, match="padding with zeros only"):
            nn.Conv2d(1, 1, 3, padding_mode="reflect")

    @pytest.mark.parametrize(
        ("shape", "settings", "text"),
        [
            ((1, 1, 5, 5), {}, "to have 2 channels, but got 1 channels instead"),
            ((5, 5), {}, "Expected 3D .unbatched. or 4D .batched. input to conv2d"),
            ((1, 2, 2, 2), {}, "Kernel size can't be greater than actual input size"),
            ((1, 2, 5, 5), {"stride": 0}, "non-positive stride"),
            ((1, 2, 5, 5), {"padding": -1}, "negative padding"),
            ((1, 2, 5, 5), {"padding": "full"}, "Invalid padding string"),
            ((1, 2, 5, 5), {"bias": torch.ones(2)}, "expected bias to be 1-dimensional"),
        ],
    )
    def test_inputs_that_do_not_fit(self, shape, settings, text):
        with pytest.raises(RuntimeError, match=text):
            F.conv2d(torch.ones(*shape), torch.ones(3, 2, 3, 3), **settings)
        with pytest.raises(RuntimeError, match=r"Input type .double. and weight type .float."):
            F.conv2d(torch.ones(1, 2, 5, 5).double(), torch.ones(3, 2, 3, 3))

    @pytest.mark.parametrize(
        ("shape", "settings", "message"),
        [
            ((3, 2, 3), {"padding": "same"}, "Expected 3-dimensional input for 3-dimensional"),
            ((3, 2, 3, 3, 3), {}, r"list of 3 values .* got stride=\[1, 1\]"),
            ((3, 2, 3, 3), {"groups": 4}, "weight to be at least 4 at dimension 0"),
            ((3, 2, 3, 3), {"groups": 2}, "weight to be divisible by 2 at dimension 0"),
        ],
    )
    def test_conv_refuses_weights(self, shape, settings, message):
        with pytest.raises(RuntimeError, match=message):
            F.conv2d(torch.ones(1, 2, 5, 5), torch.ones(*shape), **settings)


class TestNormalization:
    def test_layer_norm_starts_as_the_plain_one(self):
        x = torch.randn(4, 2, 3)
        out = nn.LayerNorm((2, 3))(x).detach().numpy()
        np.testing.assert_allclose(out.mean((1, 2)), 0, atol=1e-6)
        np.testing.assert_allclose(out.var((1, 2)), 1, rtol=1e-3)
        assert list(nn.LayerNorm(3, bias=False).state_dict()) == ["weight"]
        assert nn.LayerNorm(NUMPY_INTEGER(3))(x).shape == (4, 2, 3)
        assert not list(nn.LayerNorm(3, elementwise_affine=False).parameters())

    def test_batch_norm_follows_the_batches(self):
        layer, x = nn.BatchNorm1d(3), torch.randn(8, 3) * 2 + 1
        layer(x)
        np.testing.assert_allclose(layer.running_mean.numpy(), 0.1 * x.numpy().mean(0), rtol=1e-5)
        np.testing.assert_allclose(
            layer.running_var.numpy(), 0.9 + 0.1 * x.numpy().var(0, ddof=1), rtol=1e-5
        )
        assert layer.num_batches_tracked.item() == 1
        mean, var = layer.running_mean.numpy().copy(), layer.running_var.numpy().copy()
        out = layer.eval()(x[:1]).detach().numpy()
        np.testing.assert_allclose(out, (x[:1].numpy() - mean) / np.sqrt(var + 1e-5), rtol=1e-4)
        assert layer.num_batches_tracked.item() == 1
        layer.reset_running_stats()
        assert layer.running_var.tolist() == [1, 1, 1]

    @pytest.mark.parametrize("training", [True, False])
    @pytest.mark.parametrize("shape", [(0, 3), (0,), (4, 3, 0)])
    def test_batch_norm_of_nothing_leaves_the_statistics(self, shape, training):
        statistics = torch.zeros(3), torch.ones(3)
        x, weight, bias = (torch.ones(s, requires_grad=True) for s in (shape, 3, 3))
        out = F.batch_norm(x, *statistics, weight, bias, training)
        out.sum().backward()
        assert out.shape == x.grad.shape == shape
        assert weight.grad.tolist() == bias.grad.tolist() == [0, 0, 0]
        assert [s.tolist() for s in statistics] == [[0, 0, 0], [1, 1, 1]]

    def test_batch_norm_without_momentum_averages(self):
        layer = nn.BatchNorm1d(1, momentum=None)
        batches = [torch.randn(4, 1) for _ in range(3)]
        for batch in batches:
            layer(batch)
        mean = np.mean([batch.numpy().mean() for batch in batches])
        np.testing.assert_allclose(layer.running_mean.item(), mean, rtol=1e-4, atol=1e-7)

    def test_batch_norm_without_statistics_uses_the_batch_in_evaluation(self):
        layer = nn.BatchNorm1d(2, track_running_stats=False, affine=False).eval()
        np.testing.assert_allclose(layer(torch.randn(64, 2)).numpy().mean(0), 0, atol=1e-6)
        assert not layer.state_dict()

    @pytest.mark.parametrize(
        ("call", "error", "text"),
        [
            (lambda x: nn.LayerNorm(4)(x), RuntimeError, "Given normalized_shape"),
            (lambda x: F.layer_norm(x, 3), TypeError, "must be tuple of ints, not int"),
            (lambda x: F.layer_norm(x, ()), RuntimeError, "at least 1-dimensional"),
            (lambda x: F.layer_norm(x, (3,), x), RuntimeError, "Expected weight to be of same"),
            (lambda x: nn.LayerNorm(3).double()(x), RuntimeError, "mixed dtype"),
            (lambda x: nn.BatchNorm1d(4)(x), RuntimeError, "should contain 3 elements not 4"),
            (lambda x: nn.BatchNorm1d(3)(x[:1]), ValueError, "more than 1 value per channel"),
            (lambda x: nn.BatchNorm1d(3)(x[0]), ValueError, "expected 2D or 3D input"),
            (lambda x: nn.BatchNorm1d(3).double()(x), RuntimeError, "mixed dtype"),
            (lambda x: F.batch_norm(x, None, None), RuntimeError, "must be defined in evaluation"),
            (lambda x: F.batch_norm(x[0], x[0], x[0]), RuntimeError, "contain 0 elements not 3"),
            (
                lambda x: F.batch_norm(x[0, :1], x, x, training=True),
                ValueError,
                "more than 1 value",
            ),
        ],
    )
    def test_refusals(self, call, error, text):
        with pytest.raises(error, match=text):
            call(torch.randn(2, 3))


class TestDropout:
    def test_drops_and_scales(self):
        x = torch.ones(100, 100)
        out = F.dropout(x, 0.25, generator=torch.Generator().manual_seed(0)).numpy()
        np.testing.assert_allclose(np.unique(out), [0, 4 / 3], rtol=1e-6)
        assert abs((out == 0).mean() - 0.25) < 0.02

    @pytest.mark.parametrize("p", [1e-4, 0.01, 0.5, 0.9999])
    def test_drops_with_the_probability_whatever_it_is(self, p):
        n = 1_000_001  # no multiple of the four that one draw gives
        kept = F.dropout(torch.ones(n), p, generator=torch.Generator().manual_seed(1)).numpy() != 0
        assert abs(n - kept.sum() - n * p) < 5 * (n * p * (1 - p)) ** 0.5
        pairs = kept[:-1] & kept[1:]
        assert abs(pairs.mean() - (1 - p) ** 2) < 5 * (p * (1 - p) / n) ** 0.5

    def test_gradient_is_that_of_what_was_kept(self):
        x = torch.ones(50, requires_grad=True)
        out = nn.Dropout()(x)
        out.sum().backward()
        assert torch.equal(x.grad, out.detach())

    @pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
    def test_in_place_is_the_same(self, dtype):
        found = []
        for inplace in (False, True):
            x = torch.arange(50).to(dtype).requires_grad_()
            generator = torch.Generator().manual_seed(2)
            out = F.dropout(x * 1, 0.3, inplace=inplace, generator=generator)
            out.sum().backward()
            found.append((out, x.grad))
        assert all(torch.equal(one, two) for one, two in zip(*found, strict=True))
        assert found[1][0].dtype == dtype

    def test_nothing_to_do_returns_the_input(self):
        x = torch.ones(3)
        assert nn.Dropout().eval()(x) is x
        assert F.dropout(x, 0.0) is x
        assert F.dropout(x, 0.5, inplace=True) is x
        assert F.dropout(torch.ones(3), 1.0).tolist() == [0, 0, 0]

    def test_refusals(self):
        with pytest.raises(ValueError, match="dropout probability has to be between 0 and 1"):
            nn.Dropout(1.5)
        with pytest.raises(RuntimeError, match="can't be cast to the desired output type Long"):
            F.dropout(torch.ones(2, dtype=torch.int64))

    @pytest.mark.parametrize("p", [0.1, 0.5, 0.9999, 0.99999])
    def test_dropout_keeps_the_mean(self, p):
        """Also where a probability is drawn that is only near to the given one."""
        out = F.dropout(torch.ones(2_000_000), p, generator=torch.Generator().manual_seed(0))
        kept = round((1 - p) * 2**16) / 2**16  # which is drawn
        assert out.max().item() == pytest.approx(1 / kept)
        noise = (kept * (1 - kept) / 2_000_000) ** 0.5 / kept
        assert abs(out.mean().item() - 1) < 4 * noise


ACTIVATIONS = [
    nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.LogSigmoid,
    nn.Softplus,
]  # fmt: skip


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activation_modules_are_their_functions(activation):
    name = activation.__name__.lower().replace("leakyrelu", "leaky_relu")
    x = torch.randn(3, 4)
    assert torch.equal(activation()(x), getattr(F, name)(x))


@pytest.mark.parametrize("repeats", [1, 1000])  # short and long arrays take different ways
def test_relu_lets_no_infinity_through_where_it_is_flat(repeats):
    x = torch.tensor([-1.0, -0.0, 0.0, 2.0, math.nan, math.inf] * repeats, requires_grad=True)
    gradient = torch.tensor([math.inf, math.nan, -math.inf, math.inf, 3.0, -4.0] * repeats)
    (found,) = torch.autograd.grad(torch.relu(x), x, gradient)
    assert found.tolist() == [0, 0, 0, math.inf, 3, -4] * repeats


@pytest.mark.parametrize("activation", [nn.ReLU, nn.LeakyReLU, nn.ELU, nn.SiLU])
def test_activations_in_place(activation):
    x = torch.randn(5)
    expected = activation()(x).tolist()
    leaf = x.clone().requires_grad_()
    assert activation(inplace=True)(x) is x
    assert x.tolist() == expected
    activation(inplace=True)(leaf * 1).sum().backward()
    other = leaf.detach().clone().requires_grad_()
    activation()(other).sum().backward()
    assert torch.equal(leaf.grad, other.grad)


@pytest.mark.parametrize("option", [{"max_norm": 1.0}, {"sparse": True}])
def test_embeddings_refuse_what_is_not_offered(option):
    with pytest.raises(NotImplementedError, match="does not offer it for embeddings"):
        nn.Embedding(3, 2, **option)
    with pytest.raises(NotImplementedError, match="does not offer it for embeddings"):
        F.embedding(torch.tensor([0]), torch.ones(3, 2), **option)


def test_softmax_modules():
    x = torch.randn(2, 3)
    np.testing.assert_allclose(nn.Softmax(dim=1)(x).numpy().sum(1), 1, rtol=1e-6)
    assert torch.allclose(nn.LogSoftmax(dim=0)(x), nn.Softmax(dim=0)(x).log())
    with pytest.warns(UserWarning, match="Implicit dimension choice for softmax"):
        assert torch.equal(nn.Softmax()(x), nn.Softmax(dim=1)(x))
    with pytest.warns(UserWarning, match="Implicit dimension choice for log_softmax"):
        F.log_softmax(x[0])


def test_flatten_and_identity():
    x = torch.ones(2, 3, 4)
    assert nn.Flatten()(x).shape == (2, 12)
    assert nn.Flatten(0, 1)(x).shape == (6, 4)
    assert nn.Identity("anything", at=3)(x) is x


def test_one_hot():
    assert F.one_hot(torch.tensor([[0], [2]])).tolist() == [[[1, 0, 0]], [[0, 0, 1]]]
    assert F.one_hot(torch.tensor(1), 3).dtype is torch.int64
    assert F.one_hot(torch.tensor([], dtype=torch.int64), 3).shape == (0, 3)
    for values, classes, text in (
        ([0.0], 2, "only applicable to index tensor of type LongTensor"),
        ([-1], 2, "must be non-negative"),
        ([2], 2, "must be smaller than num_classes"),
    ):
        with pytest.raises(RuntimeError, match=text):
            F.one_hot(torch.tensor(values), classes)
    with pytest.raises(RuntimeError, match="Can not infer total number of classes"):
        F.one_hot(torch.tensor([], dtype=torch.int64))
