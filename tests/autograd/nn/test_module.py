"""Modules: registration, names, state dicts, modes, hooks, copies."""

import copy
import pickle
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

import autograd as torch
from autograd import nn


class Net(nn.Module):
    """A parameter, buffers, a child and a child that is shared."""

    count: Any
    scratch: Any
    scale: Any
    plain: Any

    def __init__(self) -> None:
        super().__init__()
        self.child = nn.Linear(2, 3)
        self.scale = nn.Parameter(torch.ones(3))
        self.register_buffer("count", torch.tensor(5))
        self.register_buffer("scratch", torch.zeros(2), persistent=False)
        self.again = self.child

    def forward(self, x: Any, factor: float = 1.0) -> Any:
        return self.child(x) * self.scale * factor


class Bare(nn.Module):
    """A module whose `__init__` does not call that of `Module`."""

    def __init__(self, value: Any) -> None:
        self.value = value


def test_names_own_parameters_first_shared_ones_once():
    net = Net()
    names = [name for name, _ in net.named_parameters()]
    assert names == ["scale", "child.weight", "child.bias"]
    all_names = [name for name, _ in net.named_parameters(remove_duplicate=False)]
    assert all_names == [*names, "again.weight", "again.bias"]
    assert [name for name, _ in net.named_parameters(recurse=False)] == ["scale"]
    assert [name for name, _ in net.named_modules()] == ["", "child"]
    assert [name for name, _ in net.named_children()] == ["child"]
    assert [name for name, _ in net.named_buffers(prefix="net")] == ["net.count", "net.scratch"]


def test_parameters_is_an_iterator():
    parameters = Net().parameters()
    assert len(list(parameters)) == 3
    assert list(parameters) == []


def test_state_dict_lists_shared_tensors_twice_and_aliases_them():
    net = Net()
    state = net.state_dict()
    assert type(state) is OrderedDict
    assert list(state) == [
        "scale", "count", "child.weight", "child.bias", "again.weight", "again.bias"
    ]  # fmt: skip
    assert list(state._metadata) == ["", "child", "again"]  # type: ignore[attr-defined]
    assert not state["scale"].requires_grad
    state["scale"].fill_(7.0)
    assert net.scale.tolist() == [7, 7, 7]
    assert net.state_dict(keep_vars=True)["scale"] is net.scale
    assert list(net.child.state_dict(prefix="a.")) == ["a.weight", "a.bias"]


def test_loading_keeps_identity_and_dtype_and_bumps_the_version():
    source, target = Net(), Net()
    scale, version = target.scale, target.scale._version
    state = source.double().state_dict()
    state["scale"] = state["scale"] + 1
    keys = target.load_state_dict(state)
    assert repr(keys) == "<All keys matched successfully>"
    assert target.scale is scale
    assert scale.dtype is torch.float32
    assert scale._version > version
    assert scale.tolist() == [2, 2, 2]


def test_loading_with_assign_takes_the_tensors():
    net = nn.Linear(2, 1)
    state = {"weight": torch.ones(1, 2, dtype=torch.float64), "bias": nn.Parameter(torch.ones(1))}
    net.load_state_dict(state, assign=True)
    assert net.bias is state["bias"]
    assert isinstance(net.weight, nn.Parameter)
    assert net.weight.dtype is torch.float64


def test_loading_tells_everything_that_does_not_fit():
    net = nn.Linear(2, 3)
    wrong = {"weight": torch.ones(2, 2), "other": torch.ones(1)}
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(wrong)
    message = str(caught.value)
    assert message.startswith("Error(s) in loading state_dict for Linear:")
    assert 'Missing key(s) in state_dict: "bias".' in message
    assert 'Unexpected key(s) in state_dict: "other".' in message
    assert "size mismatch for weight: copying a param with shape torch.Size([2, 2])" in message
    with pytest.raises(RuntimeError, match="size mismatch") as caught:
        net.load_state_dict(wrong, strict=False)
    assert "Missing" not in str(caught.value)
    keys = net.load_state_dict({"bias": torch.ones(3), "other": 1}, strict=False)
    assert keys == (["weight"], ["other"])
    assert net.bias.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("state", "error", "text"),
    [
        (3, TypeError, "Expected state_dict to be dict-like"),
        ({"weight": np.ones((1, 1)), "bias": torch.ones(1)}, RuntimeError,
         "expected torch.Tensor or Tensor-like object from checkpoint"),
    ],
)  # fmt: skip
def test_loading_what_is_no_state(state, error, text):
    with pytest.raises(error, match=text):
        nn.Linear(1, 1).load_state_dict(state)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (nn.Linear(1, 1), "cannot assign module before Module.__init__"),
        (nn.Parameter(torch.ones(1)), "cannot assign parameters before Module.__init__"),
    ],
)
def test_assigning_before_init(value, text):
    with pytest.raises(AttributeError, match=text):
        Bare(value)


def test_plain_values_may_come_before_init():
    assert Bare(3).value == 3
    with pytest.raises(AttributeError, match="no attribute 'missing'"):
        _ = Bare(3).missing


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("scale", r"as parameter 'scale' \(torch.nn.Parameter or None expected\)"),
        ("child", r"as child module 'child' \(torch.nn.Module or None expected\)"),
        ("count", r"as buffer 'count' \(torch.nn.Buffer, torch.Tensor or None expected\)"),
    ],
)
def test_slots_take_their_kind_or_none(name, text):
    net = Net()
    with pytest.raises(TypeError, match=text):
        setattr(net, name, "wrong")
    setattr(net, name, None)
    assert getattr(net, name) is None
    assert name not in net.state_dict()


def test_a_tensor_does_not_replace_a_parameter():
    with pytest.raises(TypeError, match=r"cannot assign 'torch.FloatTensor' as parameter 'scale'"):
        Net().scale = torch.ones(3)


def test_assigning_moves_a_name_to_its_new_kind():
    net = Net()
    net.child = nn.Parameter(torch.ones(1))  # type: ignore[assignment]
    assert "child" in dict(net.named_parameters())
    net.plain = 3
    net.plain = nn.Identity()
    assert "plain" in dict(net.named_children())
    assert "plain" not in net.__dict__


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda n: n.register_buffer("a.b", None), KeyError, "t contain"),
        (lambda n: n.register_buffer("", None), KeyError, "t be empty string"),
        (lambda n: n.register_buffer("forward", None), KeyError, "already exists"),
        (lambda n: n.register_buffer("a", 3), TypeError, "torch Tensor or None required"),
        (lambda n: n.register_parameter("a", torch.ones(1)), TypeError, "or None required"),
        (lambda n: n.register_parameter(3, None), TypeError, "should be a string. Got int"),
        (lambda n: n.add_module("a", 3), TypeError, "int is not a Module subclass"),
        (lambda n: n.add_module("scale", nn.Identity()), KeyError, "already exists"),
        (lambda n: n.get_submodule("child.x"), AttributeError, "Linear has no attribute `x`"),
        (lambda n: n.get_submodule("scale"), AttributeError, "`scale` is not an nn.Module"),
        (lambda n: n.get_parameter("count"), AttributeError, "`count` is not an nn.Parameter"),
        (lambda n: n.get_buffer("scale"), AttributeError, "`scale` is not a buffer"),
        (lambda n: n.train("yes"), ValueError, "training mode is expected to be boolean"),
        (lambda n: n.to(torch.int64), TypeError, "only accepts floating point"),
        (lambda n: nn.Module()(n), NotImplementedError, 'missing the required "forward" function'),
        (lambda n: type(n)(3), TypeError, "positional argument"),
    ],
)  # fmt: skip
def test_refusals(call, error, text):
    with pytest.raises(error, match=text):
        call(Net())


def test_getters():
    net = Net()
    assert net.get_submodule("") is net
    assert net.get_parameter("child.weight") is net.child.weight
    assert net.get_buffer("count") is net.count


def test_deleting():
    net = Net()
    del net.scratch, net.scale, net.again
    assert [name for name, _ in net.named_parameters()] == ["child.weight", "child.bias"]
    with pytest.raises(AttributeError):
        del net.scratch
    assert "child" in dir(net)


def test_modes_and_freezing_reach_all():
    net = nn.Sequential(nn.Dropout(), nn.Sequential(nn.Linear(1, 1)))
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    assert net.train() is net
    assert all(module.training for module in net.modules())
    assert net.requires_grad_(False) is net
    assert not any(p.requires_grad for p in net.parameters())


def test_apply_goes_from_the_leaves_up():
    visited: list[str] = []
    nn.Sequential(nn.ReLU(), nn.Tanh()).apply(lambda m: visited.append(m._get_name()))
    assert visited == ["ReLU", "Tanh", "Sequential"]


def test_zero_grad():
    net = nn.Linear(1, 1)
    net(torch.ones(1, 1)).sum().backward()
    grad = net.weight.grad
    assert grad is not None
    net.bias.grad = None
    net.zero_grad(set_to_none=False)
    assert net.weight.grad is grad
    assert grad.tolist() == [[0]]
    assert net.bias.grad is None
    net.zero_grad()
    assert net.weight.grad is None


def test_casting_keeps_parameters_and_leaves_whole_numbers():
    net = Net()
    net(torch.ones(1, 2)).sum().backward()
    weight = net.child.weight
    assert net.double() is net
    assert net.child.weight is weight
    assert weight.dtype is torch.float64
    assert weight.grad is not None and weight.grad.dtype is torch.float64
    assert weight.is_leaf and weight.requires_grad
    assert net.count.dtype is torch.int64
    assert net.scratch.dtype is torch.float64
    assert net.to(torch.ones(1)).scratch.dtype is torch.float32
    assert net.to("cpu", torch.float16).scale.dtype is torch.float16
    assert net.to(device="cpu").float().half().cpu().scale.dtype is torch.float16


def test_hooks_run_in_order_and_may_replace():
    net = Net()
    calls: list[str] = []
    handle = net.register_forward_pre_hook(lambda module, args: calls.append("pre"))

    def zero(module, args):
        calls.append("first")
        return (args[0] * 0,)

    net.register_forward_pre_hook(zero, prepend=True)
    net.register_forward_hook(lambda module, args, out: calls.append("post"))
    net.register_forward_hook(lambda module, args, out: out + 1)
    with torch.no_grad():
        net.child.bias.zero_()
        assert net(torch.ones(1, 2)).tolist() == [[1, 1, 1]]
    assert calls == ["first", "pre", "post"]
    handle.remove()
    net(torch.ones(1, 2))
    assert calls[3:] == ["first", "post"]
    net.forward(torch.ones(1, 2))
    assert len(calls) == 5


def test_hooks_with_keyword_arguments():
    net = Net()
    net.register_forward_pre_hook(
        lambda module, args, kwargs: (args, {"factor": 0.0}), with_kwargs=True
    )
    seen = []
    net.register_forward_hook(
        lambda module, args, kwargs, out: seen.append(kwargs), with_kwargs=True
    )
    assert net(torch.ones(1, 2), factor=3.0).abs().sum().item() == 0
    assert seen == [{"factor": 0.0}]
    net.register_forward_pre_hook(lambda module, args, kwargs: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match="forward pre-hook must return None or a tuple"):
        net(torch.ones(1, 2))


def test_hooks_that_are_always_called():
    class Broken(nn.Module):
        def forward(self):
            raise ZeroDivisionError

    calls = []
    net = Broken()
    net.register_forward_hook(lambda *_: calls.append("normal"))
    net.register_forward_hook(lambda *_: calls.append("always"), always_call=True)
    with pytest.raises(ZeroDivisionError):
        net()
    assert calls == ["always"]


def test_copies_are_independent():
    net = Net()
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert twin.again is twin.child
        assert isinstance(twin.scale, nn.Parameter)
        with torch.no_grad():
            twin.scale.zero_()
        assert net.scale.tolist() == [1, 1, 1]


def test_repr():
    class Described(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(1, 2, bias=False), nn.ReLU())

        def extra_repr(self):
            return "size=3"

    assert repr(Described()) == (
        "Described(\n  size=3\n  (body): Sequential(\n"
        "    (0): Linear(in_features=1, out_features=2, bias=False)\n    (1): ReLU()\n  )\n)"
    )


def test_the_nearest_name_is_named():
    with pytest.raises(AttributeError, match="does not offer it; the nearest name is 'Linear'"):
        _ = nn.Lineal
    with pytest.raises(AttributeError, match="nearest name is 'relu'"):
        _ = nn.functional.relu6
    with pytest.raises(
        AttributeError, match="autograd does not offer it; the nearest name is 'reg"
    ):
        nn.ReLU().register_full_backward_hook(print)
    with pytest.raises(AttributeError, match="nearest name is 'normal_'"):
        _ = nn.init.trunc_normal_
    with pytest.raises(AttributeError, match="does not offer it"):
        _ = nn.utils.weight_norm


class TestParameter:
    def test_shares_elements_and_version(self):
        data = torch.ones(2)
        parameter = nn.Parameter(data)
        data.add_(1)
        assert parameter.tolist() == [2, 2]
        assert parameter._version == 1

    def test_results_are_plain_tensors(self):
        parameter = nn.Parameter(torch.ones(2))
        for result in (parameter + 1, parameter.detach(), parameter.data, parameter[:1]):
            assert type(result) is torch.Tensor
        assert nn.Parameter(parameter * 2).is_leaf

    def test_needs_floating_point(self):
        with pytest.raises(RuntimeError, match="Only Tensors of floating point"):
            nn.Parameter(torch.ones(2, dtype=torch.int64))
        assert not nn.Parameter(torch.ones(1, dtype=torch.int64), requires_grad=False).requires_grad
        assert nn.Parameter().shape == (0,)

    def test_made_under_no_grad_it_still_needs_a_gradient(self):
        with torch.no_grad():
            assert nn.Parameter(torch.ones(1)).requires_grad

    def test_copy_pickle_repr(self):
        parameter = nn.Parameter(torch.ones(2))
        (parameter * 3).sum().backward()
        twin = copy.deepcopy(parameter)
        assert type(twin) is nn.Parameter
        assert twin.grad is not None and twin.grad.tolist() == [3, 3]
        back = pickle.loads(pickle.dumps(parameter))
        assert type(back) is nn.Parameter and back.requires_grad and back.grad is None
        assert repr(parameter).startswith("Parameter containing:\ntensor([1., 1.]")
