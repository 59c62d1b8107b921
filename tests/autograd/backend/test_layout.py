"""Parameters and gradients in one piece of memory: what stays as it is with scattered ones."""

import copy
import pickle

import numpy as np
import pytest

import autograd as torch
from autograd import nn
from autograd.backend.layout import EndToEnd, FlatParameters, views_of
from autograd.functional.fused import min_mlps, mlp, mlps, polyak_update_

X = torch.tensor(np.random.default_rng(0).standard_normal((6, 3)).astype(np.float32))


def network(seed: int) -> list[nn.Parameter]:
    rng = np.random.default_rng(seed)
    shapes = (4, 3), (4,), (1, 4), (1,)
    return [nn.Parameter(torch.tensor(rng.standard_normal(s), dtype=torch.float32)) for s in shapes]


@pytest.fixture
def flat() -> FlatParameters:
    return FlatParameters([network(0), network(1)])


def values(parameters: list[nn.Parameter]) -> list[np.ndarray]:
    return [p.detach().numpy().copy() for p in parameters]


def backward(flat: FlatParameters) -> list[torch.Tensor]:
    for p in flat.parameters:
        p.grad = None
    mlps([X], flat, "relu").sum().backward()
    return [p.grad for p in flat.parameters]


def test_moving_changes_no_value_and_no_identity() -> None:
    networks = [network(0), network(1)]
    parameters = [p for n in networks for p in n]
    before, version = values(parameters), parameters[0]._version
    flat = FlatParameters(networks)
    for p, was in zip(parameters, before, strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), was)
        assert p.is_contiguous() and p.is_leaf and p._version == version
    np.testing.assert_array_equal(flat.flat, np.concatenate([b.ravel() for b in before]))
    parameters[0].data[1, 2] = 7
    assert flat.flat is not None and 7 in flat.flat


def test_new_memory_of_one_parameter_ends_the_use_of_the_whole(flat: FlatParameters) -> None:
    new = torch.full((4, 3), 0.5)
    flat.parameters[0].data = new
    assert flat.flat is None
    np.testing.assert_allclose(
        mlps([X], flat, "relu")[0].detach().numpy(),
        mlp([X], flat.networks[0], "relu").detach().numpy(),
        atol=1e-6,
    )
    new.fill_(0.25)  # the parameter shares it, as in torch
    assert float(flat.parameters[0].detach().mean()) == 0.25


def test_gradients_that_somebody_holds_stay(flat: FlatParameters) -> None:
    """The memory of old gradients is used again, but only once nobody can see it."""
    first = backward(flat)
    held = [g.clone() for g in first]
    views = [g.numpy()[..., :1] for g in backward(flat)]  # of the second ones
    seen = [v.copy() for v in views]
    for _ in range(4):
        backward(flat)
        X.data.mul_(-1.5)
    X.data.div_(1.5**4)
    for g, expected in zip(first, held, strict=True):
        np.testing.assert_array_equal(g.numpy(), expected.numpy())
    for view, was in zip(views, seen, strict=True):
        np.testing.assert_array_equal(view, was)


def test_gradients_that_nobody_holds_are_written_over(flat: FlatParameters) -> None:
    addresses = set()
    for _ in range(6):
        backward(flat)
        addresses.add(flat.parameters[0].grad.numpy().__array_interface__["data"][0])
    assert len(addresses) == 1


def test_gradients_add_up(flat: FlatParameters) -> None:
    once = [g.clone() for g in backward(flat)]
    mlps([X], flat, "relu").sum().backward()
    for p, g in zip(flat.parameters, once, strict=True):
        np.testing.assert_allclose(p.grad.numpy(), 2 * g.numpy(), rtol=1e-6)


def test_gradients_are_apart(flat: FlatParameters) -> None:
    grads = backward(flat)
    others = [g.clone() for g in grads[1:]]
    grads[0].fill_(7)
    for g, was in zip(grads[1:], others, strict=True):
        np.testing.assert_array_equal(g.numpy(), was.numpy())


@pytest.mark.parametrize("frozen", [[0], [0, 4], [0, 1, 2, 3], [5]])
def test_frozen_parameters_get_no_gradient(flat: FlatParameters, frozen: list[int]) -> None:
    expected = [g.clone() for g in backward(flat)]
    for i in frozen:
        flat.parameters[i].requires_grad_(False)
    for i, (g, wanted) in enumerate(zip(backward(flat), expected, strict=True)):
        if i in frozen:
            assert g is None
        else:
            np.testing.assert_allclose(g.numpy(), wanted.numpy(), rtol=1e-6)


def test_a_change_after_the_forward_pass_is_noticed(flat: FlatParameters) -> None:
    loss = min_mlps([X], flat, "relu").sum()
    with torch.no_grad():
        flat.parameters[5].add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("is_flat", [True, False])
def test_polyak_moves_by_tau(flat: FlatParameters, is_flat: bool) -> None:
    targets = copy.deepcopy(flat)
    for p in targets.parameters:
        p.data.add_(1)
    if not is_flat:
        targets.parameters[2].data = targets.parameters[2].data.clone()
    before, version = values(targets.parameters), targets.parameters[0]._version
    polyak_update_(targets, flat, 0.25)
    for p, was, source in zip(targets.parameters, before, values(flat.parameters), strict=True):
        np.testing.assert_allclose(p.detach().numpy(), 0.75 * was + 0.25 * source, rtol=1e-6)
    assert targets.parameters[0]._version == version + 1


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda f: pickle.loads(pickle.dumps(f))])
def test_a_copy_lies_in_one_piece_of_its_own(flat: FlatParameters, copied: object) -> None:
    other = copied(flat)  # type: ignore[operator]
    np.testing.assert_array_equal(other.flat, flat.flat)
    other.flat[:] = 0
    assert all(p.detach().abs().sum() > 0 for p in flat.parameters)


def test_end_to_end_is_seen_only_where_it_is_so() -> None:
    memory = np.arange(12.0)
    parts = views_of(memory[2:], [(2, 2), (3,), ()])
    seen = EndToEnd()
    assert np.shares_memory(seen.load(parts), memory)
    np.testing.assert_array_equal(seen.load(parts), memory[2:10])
    for other in (
        [parts[1], parts[0], parts[2]],
        [parts[0].T, *parts[1:]],
        [parts[0], np.arange(3.0), parts[2]],
        [parts[0], memory[5:8], parts[2]],
    ):
        loaded = seen.load(other)
        assert not np.shares_memory(loaded, memory)
        np.testing.assert_array_equal(loaded, np.concatenate([a.ravel() for a in other]))
        loaded += 1
        expected = [a + 1 for a in other]
        seen.store(other)
        if other[0].base is memory and other[1] is not parts[0] and other[1].base is memory:
            continue  # the last one overlaps: what is stored second stays
        for array, value in zip(other, expected, strict=True):
            np.testing.assert_array_equal(array, value)
