"""Sequential, ModuleList, ModuleDict."""

import pytest

import autograd as torch
from autograd import nn


def names(module):
    return [child._get_name() for child in module]


def test_sequential_calls_in_turn():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    x = torch.ones(1, 2)
    assert net(x).tolist() == net[0](x).relu().tolist()
    assert nn.Sequential()(x) is x


def test_sequential_positions():
    net = nn.Sequential(nn.ReLU(), nn.Tanh(), nn.Identity())
    assert names(net[1:]) == ["Tanh", "Identity"]
    assert net[-1] is net[2]
    net[0] = nn.SiLU()
    net.insert(1, nn.ELU()).append(nn.GELU()).extend([nn.Softplus()])
    assert names(net) == ["SiLU", "ELU", "Tanh", "Identity", "GELU", "Softplus"]
    del net[-2:]
    assert net.pop(0)._get_name() == "SiLU"
    assert list(net._modules) == ["0", "1", "2"]
    assert names(net + net) == names(net * 2) == 2 * names(net)


def test_sequential_with_names():
    net = nn.Sequential({"first": nn.ReLU(), "second": nn.Tanh()})
    assert net.second is net[1]
    del net[0]
    assert list(net._modules) == ["second"]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda s: s[1], IndexError, "index 1 is out of range"),
        (lambda s: s["0"], TypeError, "cannot be interpreted as an integer"),
        (lambda s: s.append(3), TypeError, "int is not a Module subclass"),
        (lambda s: s.insert(9, nn.ReLU()), IndexError, "Index out of range: 9"),
        (lambda s: s.insert(0, 3), AssertionError, "module should be of type"),
        (lambda s: s + 3, ValueError, "add operator supports only objects of Sequential"),
        (lambda s: s * 0, ValueError, "Non-positive multiplication factor 0"),
        (lambda s: s * "a", TypeError, "unsupported operand"),
        (lambda s: nn.Sequential(len), TypeError, "is not a Module subclass"),
        (lambda s: nn.ModuleList(s[0].inplace), TypeError, "should be called with an iterable"),
        (lambda s: nn.ModuleList([s])(3), NotImplementedError, "forward"),
        (lambda s: nn.ModuleDict(3), TypeError, "iterable of key/value pairs"),
        (lambda s: nn.ModuleDict([("a", s, 3)]), ValueError, "has length 3; 2 is required"),
        (lambda s: nn.ModuleDict({"keys": s}), KeyError, "already exists"),
        (lambda s: nn.ModuleDict()["a"], KeyError, "a"),
    ],
)
def test_refusals(call, error, text):
    with pytest.raises(error, match=text):
        call(nn.Sequential(nn.ReLU()))


def test_module_list():
    modules = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1)])
    modules += [nn.ReLU()]
    modules.insert(0, nn.Tanh())
    assert names(modules + nn.ModuleList([nn.ELU()])) == ["Tanh", "Linear", "Linear", "ReLU", "ELU"]
    assert names(modules[1:3]) == ["Linear", "Linear"]
    assert len(list(modules.parameters())) == 4
    assert repr(modules) == (
        "ModuleList(\n  (0): Tanh()\n"
        "  (1-2): 2 x Linear(in_features=1, out_features=1, bias=True)\n  (3): ReLU()\n)"
    )
    assert repr(nn.ModuleList()) == "ModuleList()"


def test_module_dict():
    modules = nn.ModuleDict({"a": nn.ReLU()})
    modules.update([("b", nn.Linear(1, 1))])
    modules["c"] = nn.Tanh()
    assert list(modules) == list(modules.keys()) == ["a", "b", "c"]
    assert "b" in modules and len(modules) == 3
    assert list(modules.state_dict()) == ["b.weight", "b.bias"]
    assert modules.pop("c")._get_name() == "Tanh"
    del modules["a"]
    assert [name for name, _ in modules.items()] == ["b"]
    modules.clear()
    assert len(modules) == 0
