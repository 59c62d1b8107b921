"""Optimizers: groups, state, loading, closures, refusals."""

import copy
import pickle

import numpy as np
import pytest

from autograd import nn
from tests.autograd.untyped import torch

optim = torch.optim
KINDS = pytest.mark.parametrize("kind", [optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop])


def parameter(*values, grad=None):
    result = torch.tensor(values or [1.0, 2.0], requires_grad=True)
    if grad is not None:
        result.grad = torch.tensor(grad)
    return result


def advance(optimizer, parameters, steps, start=0):
    for i in range(start, start + steps):
        for p in parameters:
            p.grad = torch.full_like(p, float(np.cos(i)))
        optimizer.step()


@KINDS
def test_without_gradient_a_parameter_is_skipped_and_has_no_state(kind):
    moved, still = parameter(grad=[1.0, 1.0]), parameter()
    optimizer = kind([moved, still], lr=0.1)
    optimizer.step()
    assert still.tolist() == [1, 2]
    assert still._version == 0
    assert still not in optimizer.state
    assert moved._version > 0 and moved.is_leaf and moved.requires_grad


def test_state_appears_with_the_first_gradient():
    first, second = parameter(grad=[1.0, 1.0]), parameter()
    optimizer = optim.Adam([first, second], lr=0.1)
    optimizer.step()
    second.grad = torch.ones(2)
    optimizer.step()
    assert optimizer.state[first]["step"].item() == 2
    assert optimizer.state[second]["step"].item() == 1
    np.testing.assert_allclose(second.tolist(), [0.9, 1.9], rtol=1e-6)


def test_state_of_adam():
    x = parameter(grad=[1.0, -2.0])
    optimizer = optim.Adam([x], amsgrad=True)
    assert dict(optimizer.state) == {}
    optimizer.step()
    state = optimizer.state[x]
    assert list(state) == ["step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"]
    assert state["step"].shape == () and state["step"].dtype is torch.float32
    np.testing.assert_allclose(state["exp_avg"].tolist(), [0.1, -0.2], rtol=1e-6)


def test_state_of_sgd():
    x = parameter(grad=[1.0, -2.0])
    optimizer = optim.SGD([x], momentum=0.9)
    optimizer.step()
    buffer = optimizer.state[x]["momentum_buffer"]
    assert buffer.tolist() == [1, -2]
    x.grad.zero_()
    assert buffer.tolist() == [1, -2]  # a copy
    plain = optim.SGD([x])
    plain.step()
    assert not plain.state


def test_state_dict_numbers_the_parameters():
    x, y = parameter(grad=[1.0, 1.0]), parameter()
    optimizer = optim.Adam([{"params": [y]}, {"params": x, "lr": 0.5}])
    optimizer.step()
    state = optimizer.state_dict()
    assert list(state["state"]) == [1]
    assert [g["params"] for g in state["param_groups"]] == [[0], [1]]
    assert [g["lr"] for g in state["param_groups"]] == [1e-3, 0.5]


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (optim.SGD, {"momentum": 0.9}),
        (optim.Adam, {}),
        (optim.Adam, {"amsgrad": True}),
        (optim.AdamW, {}),
        (optim.RMSprop, {"momentum": 0.9, "centered": True}),
    ],
)
def test_going_on_from_a_loaded_state(kind, settings):
    ours = [parameter(), parameter(3.0)]
    optimizer = kind(ours, lr=0.1, **settings)
    advance(optimizer, ours, 3)
    twins = [torch.tensor(p.tolist(), requires_grad=True) for p in ours]
    twin = kind(twins, lr=123.0)
    twin.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert twin.param_groups[0]["lr"] == 0.1
    advance(optimizer, ours, 3, start=3)
    advance(twin, twins, 3, start=3)
    for p, q in zip(ours, twins, strict=True):
        assert p.tolist() == q.tolist()


def test_a_loaded_state_is_not_copied():
    """As in torch: who goes on with both optimizers has to copy the state."""
    x, y = parameter(grad=[1.0, 1.0]), parameter()
    first, second = optim.Adam([x]), optim.Adam([y])
    first.step()
    second.load_state_dict(first.state_dict())
    assert second.state[y]["exp_avg"] is first.state[x]["exp_avg"]


def test_loading_casts_to_the_parameter_but_not_the_step():
    x = parameter(grad=[1.0, 1.0])
    optimizer = optim.Adam([x])
    optimizer.step()
    y = torch.ones(2, dtype=torch.float64, requires_grad=True)
    other = optim.Adam([y])
    other.load_state_dict(optimizer.state_dict())
    assert other.state[y]["exp_avg"].dtype is torch.float64
    assert other.state[y]["step"].dtype is torch.float32


def test_a_step_count_that_is_a_number_loads():
    x = parameter(grad=[1.0, 1.0])
    optimizer = optim.Adam([x])
    optimizer.step()
    state = optimizer.state_dict()
    state["state"][0]["step"] = 4
    optimizer.load_state_dict(state)
    optimizer.step()
    assert optimizer.state[x]["step"].item() == 5


def test_parameters_that_change_their_memory_are_followed():
    """`.data = ...` and `double()` replace arrays of which a step might hold the old ones."""
    net = nn.Linear(2, 2)
    optimizer = optim.Adam(net.parameters(), lr=0.1)
    for p in net.parameters():
        p.grad = torch.ones_like(p)
    optimizer.step()
    net.weight.data = torch.zeros(2, 2)
    optimizer.step()
    assert net.weight.tolist() != [[0, 0], [0, 0]]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_copies_go_on(copied):
    parameters = [parameter(), parameter(3.0)]
    optimizer = optim.Adam(parameters, lr=0.1)
    advance(optimizer, parameters, 2)
    twin = copied(optimizer)
    twins = twin.param_groups[0]["params"]
    advance(optimizer, parameters, 2, start=2)
    advance(twin, twins, 2, start=2)
    assert [p.tolist() for p in twins] == [p.tolist() for p in parameters]


def test_zero_grad():
    x = parameter(grad=[1.0, 1.0])
    grad, optimizer = x.grad, optim.SGD([x])
    optimizer.zero_grad(set_to_none=False)
    assert x.grad is grad and grad.tolist() == [0, 0]
    optimizer.zero_grad()
    assert x.grad is None


@KINDS
def test_closures_run_with_grad_mode_on(kind):
    x = parameter()
    optimizer = kind([x], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    with torch.no_grad():
        assert optimizer.step(closure).item() == 5
    assert x.tolist() != [1, 2]
    assert optimizer.step() is None


def test_a_step_makes_a_backward_through_old_values_raise():
    x = parameter()
    loss = (x * x).sum()
    x.grad = torch.ones(2)
    optim.Adam([x]).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_groups_and_defaults():
    x, y = parameter(), parameter()
    optimizer = optim.SGD([{"params": x, "lr": 0.5}], lr=0.1, momentum=0.3)
    optimizer.add_param_group({"params": iter([y]), "momentum": 0.0})
    found = [(g["lr"], g["momentum"]) for g in optimizer.param_groups]
    assert found == [(0.5, 0.3), (0.1, 0.0)]
    assert optimizer.defaults["lr"] == 0.1
    assert repr(optimizer).startswith("SGD (\nParameter Group 0\n    dampening: 0\n")


def test_named_parameters():
    net = nn.Linear(1, 1)
    optimizer = optim.Adam(net.named_parameters())
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.param_groups[0]["params"] == list(net.parameters())


def test_duplicates_in_a_group_warn():
    x = parameter(grad=[1.0, 1.0])
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optimizer = optim.Adam([x, x], lr=0.1)
    optimizer.step()
    assert optimizer.state[x]["step"].item() == 2


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda x: optim.SGD([]), ValueError, "optimizer got an empty parameter list"),
        (lambda x: optim.SGD(x), TypeError, "should be an iterable of Tensors or dicts"),
        (lambda x: optim.SGD([3]), TypeError, "can only optimize Tensors, .* is int"),
        (lambda x: optim.SGD([x * 2]), ValueError, "can't optimize a non-leaf Tensor"),
        (lambda x: optim.SGD([x], lr=-1), ValueError, "Invalid learning rate: -1"),
        (lambda x: optim.SGD([x], momentum=-1), ValueError, "Invalid momentum value: -1"),
        (lambda x: optim.SGD([x], weight_decay=-1), ValueError, "Invalid weight_decay value"),
        (lambda x: optim.SGD([x], nesterov=True), ValueError, "requires a momentum and zero"),
        (lambda x: optim.Adam([x], betas=(1.0, 0.9)), ValueError, "at index 0: 1.0"),
        (lambda x: optim.Adam([x], betas=(0.9, -1)), ValueError, "at index 1: -1"),
        (lambda x: optim.Adam([x], eps=-1), ValueError, "Invalid epsilon value: -1"),
        (lambda x: optim.Adam([x], lr=float("nan")), ValueError, "Invalid learning rate: nan"),
        (lambda x: optim.Adam([{"params": x}, {"params": x}]), ValueError, "more than one"),
        (lambda x: optim.Adam([{"params": {x}}]), TypeError, "ordered collections"),
        (lambda x: optim.Adam([("a", x), x]), ValueError, "with/without names"),
        (lambda x: optim.Adam([x]).add_param_group(3), TypeError, "must be a dict"),
        (lambda x: optim.Adam([x], fused=True, foreach=True), RuntimeError, "together"),
        (lambda x: optim.Optimizer([x], {}).step(), NotImplementedError, "^$"),
        (lambda x: optim.Adagrad([x]), AttributeError, "does not offer it"),
    ],
)
def test_refusals(make, error, text):
    with pytest.raises(error, match=text):
        make(parameter())


@pytest.mark.parametrize("way", ["differentiable", "capturable"])
def test_ways_to_step_that_there_are_not(way):
    with pytest.raises(Exception, match=f"{way}=True: autograd does not offer"):
        optim.Adam([parameter()], **{way: True})


def test_states_that_do_not_fit():
    state = optim.Adam([parameter()]).state_dict()
    with pytest.raises(ValueError, match="doesn't match the size of optimizer's group"):
        optim.Adam([parameter(), parameter()]).load_state_dict(state)
    with pytest.raises(ValueError, match="different number of parameter groups"):
        optim.Adam([{"params": parameter()}, {"params": parameter()}]).load_state_dict(state)


def test_step_of_adam_changes_nothing_while_found_inf_holds_1() -> None:
    parameter = nn.Parameter(torch.ones(2))
    optimizer = optim.Adam([parameter], lr=0.1)
    flag = optimizer.found_inf = torch.tensor(1.0)
    parameter.grad = torch.tensor([float("nan"), 1.0])
    optimizer.step()
    assert parameter.tolist() == [1.0, 1.0]
    assert not optimizer.state
    flag.zero_()
    parameter.grad = torch.ones(2)
    optimizer.step()
    assert parameter.tolist() == pytest.approx([0.9, 0.9])


@pytest.mark.parametrize("together", [True, False])
def test_parameters_that_lie_end_to_end_step_as_scattered_ones_do(together):
    """Adam works on their memory itself, and on that of gradients that lie so."""
    memory, gradients = np.arange(10, dtype=np.float32), np.ones(10, np.float32)
    flat = torch.from_numpy(memory)
    params = [flat[1:7].view(2, 3).detach(), flat[7:9].detach()]
    parts = torch.from_numpy(gradients)
    grads = [parts[:6].view(2, 3), parts[6:8]] if together else [torch.ones(2, 3), torch.ones(2)]
    others = [p.clone() for p in params]
    for group in (params, others):
        optimizer = optim.Adam([p.requires_grad_() for p in group], lr=0.5)
        for _ in range(3):
            for p, g in zip(group, grads, strict=True):
                p.grad = g.clone() if group is others else g
            optimizer.step()
    for p, other in zip(params, others, strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), other.detach().numpy())
    np.testing.assert_allclose(memory[[0, 9]], [0, 9])  # what lies around them stays
    np.testing.assert_allclose(memory[1:9], np.arange(1, 9) - 1.5, rtol=1e-5)


def test_new_memory_of_a_parameter_is_what_the_next_step_changes():
    params = [parameter(1.0), parameter(2.0)]
    optimizer = optim.Adam(params, lr=0.5)
    advance(optimizer, params, 1)
    params[0].data = torch.tensor([5.0])
    advance(optimizer, params, 1)
    np.testing.assert_allclose([p.item() for p in params], [4.5, 1.0], rtol=1e-5)
