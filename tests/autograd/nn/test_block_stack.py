"""Stacks of blocks: each step by its definition, one leaf for all networks, and what is saved."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import autograd as torch
from autograd import Tensor, nn
from autograd.nn.steps import (
    Activation,
    Affine,
    BatchNorm,
    BatchRenorm,
    Dropout,
    Norm,
    Step,
    residual,
)

STEPS: dict[str, Sequence[Step]] = {
    "dropout": [Affine(8), Dropout(0.3), Norm("layer"), Activation("relu"), Affine(2)],
    "rms": [Affine(4, bias=False), Norm("rms"), Activation("tanh"), Affine(2)],
    "batch": [BatchNorm(), Affine(4), Activation("relu"), BatchNorm(), Affine(2)],
    "batch renorm": [BatchRenorm(), Affine(4), Activation("relu"), BatchRenorm(), Affine(2)],
    "residual": [Affine(4), *residual(Norm("layer"), Affine(8), Activation("silu"), Affine(4))],
}
EACH = pytest.mark.parametrize("kind", STEPS)


def stack(kind: str, networks: int | None = 2, **keys: Any) -> nn.BlockStack:
    generator = torch.Generator().manual_seed(0)
    return nn.BlockStack(3, STEPS[kind], networks, generator=generator, **keys)


def inputs(rows: int = 5, seed: int = 1) -> Tensor:
    return torch.randn(rows, 3, generator=torch.Generator().manual_seed(seed))


@EACH
def test_gradient_of_the_one_leaf_is_the_numerical_one(kind: str) -> None:
    net, x = stack(kind).double(), inputs().double()

    def loss() -> Tensor:
        dropout = torch.Generator().manual_seed(5)
        return (net(x, dropout=dropout, batch_statistics=True) ** 2).sum()

    loss().backward()
    assert net.flat.grad is not None
    gradient, array = net.flat.grad.numpy(), net.flat.detach().numpy()
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + 1e-6
        above = loss().item()
        array[index] = kept - 1e-6
        slope = (above - loss().item()) / 2e-6
        array[index] = kept
        assert gradient[index] == pytest.approx(slope, rel=1e-4, abs=1e-6)


@EACH
def test_networks_side_by_side_are_networks_alone(kind: str) -> None:
    both, x = stack(kind), inputs()
    out = both(x)
    for number in range(2):
        alone = stack(kind, None)
        assert alone(x).shape == (5, out.shape[-1])
        state = {
            name.removeprefix(f"{number}."): value
            for name, value in both.state_dict().items()
            if name.startswith(f"{number}.")
        }
        alone.load_state_dict(state)
        np.testing.assert_allclose(alone(x).detach(), out[number].detach(), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(both.min(x).detach(), out.min(dim=0).values.detach())
    second = both(x, rows=torch.tensor([1]))
    np.testing.assert_allclose(second[0].detach(), out[1].detach(), rtol=1e-6)


@EACH
def test_inputs_come_in_parts(kind: str) -> None:
    net, x = stack(kind), inputs()
    np.testing.assert_array_equal(net(x[:, :1], x[:, 1:]).detach(), net(x).detach())
    with pytest.raises(RuntimeError, match=r"expected inputs .* with 3 columns together"):
        net(x[:, :2])


@EACH
def test_description_computes_what_an_evaluation_does(kind: str) -> None:
    net, x = stack(kind), inputs()
    net(x, batch_statistics=True)
    functions: dict[str, Any] = {
        "linear": lambda x, weight, bias: x @ weight.T + bias,
        "batch_norm": lambda x, mean, factor, weight, bias: (x - mean) * factor * weight + bias,
        "layer_norm": lambda x, weight, bias, eps: nn.functional.layer_norm(
            x, weight.shape, weight, bias, eps.item()
        ),
        "rms_norm": lambda x, weight, eps: (
            x / ((x * x).mean(-1, keepdim=True) + eps).sqrt() * weight
        ),
    }
    forks, out = [], x
    for step, arrays in net.described(1):
        if step == "fork":
            forks.append(out)
        elif step == "join":
            out = out + forks.pop()
        else:
            function = functions[step] if step in functions else getattr(nn.functional, step)
            out = function(out, **arrays)
    np.testing.assert_allclose(out, net(x)[1].detach(), rtol=1e-5, atol=1e-6)


def test_hidden_are_the_activations_and_layers_the_weights() -> None:
    net, x = stack("batch"), inputs()
    (hidden,) = net.hidden(x)
    assert hidden.shape == (2, 5, 4) and (hidden >= 0).all()
    first, last = net.layers()[1]
    assert (first.weight.shape, last.bias.shape) == ((4, 3), (2,))
    last.bias.fill_(7)  # a view
    last.weight.zero_()
    assert (net(x)[1] == 7).all()
    assert not stack("rms").layers()[0][0].bias.any()  # it has none


def test_dropout_scales_what_it_keeps_and_is_off_without_a_generator() -> None:
    net = nn.BlockStack(3, [Affine(400), Dropout(0.25)], 2)
    x, generator = inputs(1), torch.Generator().manual_seed(3)
    plain, dropped = net(x).detach(), net(x, dropout=generator).detach()
    kept = dropped != 0
    assert kept.numpy().mean() == pytest.approx(0.75, abs=0.05)
    np.testing.assert_allclose(dropped[kept], plain[kept] / 0.75, rtol=1e-6)
    assert (kept[0] != kept[1]).any()  # each network has a mask of its own
    again = net(x, dropout=generator).detach()
    assert (again != dropped).any()  # each pass, too


def test_unit_rows_hold_at_once_and_after_a_step() -> None:
    net = stack("batch", unit_rows=True)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.1)

    def norms() -> np.ndarray:
        weights = [layer.weight for network in net.layers() for layer in network]
        return np.concatenate([w.norm(dim=1).numpy() for w in weights])

    np.testing.assert_allclose(norms(), 1, rtol=1e-6)
    net(inputs(), batch_statistics=True).sum().backward()
    optimizer.step()
    assert np.abs(norms() - 1).max() > 0.01
    biases = net.layers()[0][1].bias.clone()
    net.normalize_rows_()
    np.testing.assert_allclose(norms(), 1, rtol=1e-6)
    np.testing.assert_array_equal(net.layers()[0][1].bias, biases)


def test_unit_rows_may_leave_out_the_outputs() -> None:
    free = stack("batch")
    net = stack("batch", unit_rows="hidden")
    for layers, drawn in zip(net.layers(), free.layers(), strict=True):
        *hidden, last = layers
        for layer in hidden:
            np.testing.assert_allclose(layer.weight.norm(dim=1).numpy(), 1, rtol=1e-6)
        np.testing.assert_array_equal(last.weight, drawn[-1].weight)


# -- batches normalised as one ------------------------------------------------------------


def normalized(rows: int, batch_statistics: bool) -> tuple[nn.BlockStack, Tensor, Tensor]:
    net = nn.BlockStack(3, [BatchNorm(momentum=0.1)], 2)
    x = 3 * inputs(rows) + 5
    return net, x, net(x, batch_statistics=batch_statistics).detach()


def test_a_batch_is_normalised_by_its_own_statistics_which_the_running_ones_follow() -> None:
    net, x, out = normalized(50, True)
    np.testing.assert_allclose(out.mean(dim=1), np.zeros((2, 3)), atol=1e-5)
    np.testing.assert_allclose(out.numpy().std(axis=1), np.ones((2, 3)), rtol=1e-3)
    state, array = net.state_dict(), x.numpy()
    for number in range(2):
        mean, variance = (state[f"{number}.layers.0.running_{n}"] for n in ("mean", "var"))
        np.testing.assert_allclose(mean, 0.1 * array.mean(0), rtol=1e-4)
        np.testing.assert_allclose(variance, 0.9 + 0.1 * array.var(0), rtol=1e-4)


def test_an_evaluation_uses_running_statistics_and_leaves_them() -> None:
    net, x, out = normalized(50, False)
    np.testing.assert_allclose(out[0], x / np.sqrt(1 + 1e-5), rtol=1e-5)
    assert not net.state_dict()["0.layers.0.running_mean"].any()
    with torch.no_grad():
        net(x, batch_statistics=True)
    one = net(x[:1]).detach()
    np.testing.assert_allclose(one[:, 0], net(x).detach()[:, 0], rtol=1e-6)  # of any batch


def test_one_row_is_no_batch() -> None:
    net, x, out = normalized(1, True)
    np.testing.assert_allclose(out[0], x / np.sqrt(1 + 1e-5), rtol=1e-5)
    assert not net.state_dict()["0.layers.0.running_mean"].any()


def test_two_equal_rows_give_the_shift_and_no_division_by_zero() -> None:
    net = nn.BlockStack(3, [BatchNorm()], 2)
    x = torch.ones(2, 3)
    assert not net(x, batch_statistics=True).detach().any()


def test_renorm_is_batch_norm_until_it_is_warm() -> None:
    plain, warm = (
        nn.BlockStack(3, [step], 2) for step in (BatchNorm(0.1), BatchRenorm(0.1, warm_up=3))
    )
    for seed in range(5):
        x = 3 * inputs(50, seed) + 5
        outs = [net(x, batch_statistics=True).detach().numpy() for net in (plain, warm)]
        assert np.array_equal(*outs) == (seed < 3)
    names = [name for name in plain.state_dict() if "running" in name]
    for name in names:
        np.testing.assert_array_equal(warm.state_dict()[name], plain.state_dict()[name])
    assert warm.state_dict()["1.layers.0.batches"].tolist() == [5] * 3


def test_renorm_gives_what_running_statistics_would_within_its_limits() -> None:
    near, far = (nn.BlockStack(3, [BatchRenorm(0.1, warm_up=0)], 2) for _ in range(2))
    x = 2 * inputs(50) + 1
    expected = near(x).detach()
    np.testing.assert_allclose(near(x, batch_statistics=True).detach(), expected, atol=1e-4)
    x = 10 * inputs(50) + 100
    own = ((x - x.mean(dim=0)) / x.std(dim=0, correction=0)).numpy()
    seen = far(x, batch_statistics=True).detach().numpy()[0]
    np.testing.assert_allclose(seen, own * 3 + 5, rtol=1e-3, atol=1e-3)


def test_statistics_of_all_follow_the_batch_whose_outputs_of_some_are_asked_for() -> None:
    some, all_of_them = stack("batch"), stack("batch")
    chosen = some(inputs(), rows=torch.tensor([1]), batch_statistics=True)
    outs = all_of_them(inputs(), batch_statistics=True)
    np.testing.assert_array_equal(chosen.detach(), outs.detach()[1:])
    for name, value in all_of_them.state_dict().items():
        np.testing.assert_array_equal(some.state_dict()[name], value)
    assert some.state_dict()["0.layers.0.running_mean"].any()


def test_a_copy_and_a_saved_state_have_statistics_of_their_own() -> None:
    net = stack("batch")
    net(inputs(), batch_statistics=True)
    twin, loaded = copy.deepcopy(net), stack("batch")
    loaded.load_state_dict(net.state_dict())
    x = inputs(seed=2)
    expected = net(x).detach()
    net(5 * x, batch_statistics=True)
    for other in (twin, loaded):
        np.testing.assert_array_equal(other(x).detach(), expected)
    assert (net(x).detach() != expected).any()
