"""Modules: layers with given weights, registration, state dicts, initialisation, utilities."""

import copy

from tests.autograd.torch_reference.registry import case, outcome, wave


def _fill(torch, module):
    """Give every parameter values that are the same wherever they are computed."""
    with torch.no_grad():
        for i, parameter in enumerate(module.parameters()):
            parameter.copy_(wave(torch, *parameter.shape, shift=i, requires_grad=False))
    return module


def _run(torch, module, *shape):
    """The output of a module, and the gradients of its input and parameters."""
    x = wave(torch, *shape, shift=0.5)
    y = _fill(torch, module)(x)
    y.backward(wave(torch, *y.shape, shift=0.7, requires_grad=False))
    return [y, x.grad, {name: p.grad for name, p in module.named_parameters()}]


def _aliases(a, b):
    """Whether a change of one tensor shows in the other."""
    a.data.fill_(7)
    return bool((b == 7).all())


def _network(torch):
    nn = torch.nn
    return _fill(torch, nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)))


@case
def layers(torch):
    nn = torch.nn
    return {
        "linear": _run(torch, nn.Linear(3, 2), 2, 3),
        "linear without bias": _run(torch, nn.Linear(3, 2, bias=False), 2, 3),
        "linear float64": [p.dtype for p in nn.Linear(1, 1, dtype=torch.float64).parameters()],
        "conv2d": _run(torch, nn.Conv2d(1, 2, 2, stride=1, padding=1), 1, 1, 2, 2),
        "layer norm": _run(torch, nn.LayerNorm(3), 2, 3),
        "layer norm plain": _run(torch, nn.LayerNorm((2, 3), elementwise_affine=False), 2, 3),
        "batch norm": _run(torch, nn.BatchNorm1d(3), 4, 3),
        "sequential": _run(torch, _network(torch), 2, 3),
        "identity": _run(torch, nn.Identity(), 2),
        "flatten": _run(torch, nn.Flatten(), 2, 2, 2),
        "flatten from": _run(torch, nn.Flatten(start_dim=0), 2, 2),
    }


@case
def activations(torch):
    nn = torch.nn
    made = [nn.ReLU(), nn.LeakyReLU(0.1), nn.ELU(), nn.ELU(alpha=0.5), nn.GELU(), nn.SiLU()]
    made += [nn.Tanh(), nn.Sigmoid(), nn.Softplus(), nn.Softplus(beta=2), nn.GELU("tanh")]
    made += [nn.Softmax(dim=1), nn.LogSoftmax(dim=-1)]
    return [_run(torch, module, 2, 2) for module in made]


@case
def inplace_activations(torch):
    x = wave(torch, 3, requires_grad=False)
    return [torch.nn.ReLU(inplace=True)(x) is x, x, torch.nn.LeakyReLU(0.5, inplace=True)(x) is x]


@case
def losses(torch):
    nn = torch.nn
    x, y = wave(torch, 2, 3), wave(torch, 2, 3, shift=2, requires_grad=False)
    classes = torch.tensor([2, 0])
    made = [nn.MSELoss(), nn.MSELoss(reduction="none"), nn.L1Loss(), nn.SmoothL1Loss(beta=0.5)]
    made += [nn.HuberLoss(delta=0.5), nn.HuberLoss(reduction="sum")]
    named = [nn.CrossEntropyLoss(), nn.CrossEntropyLoss(reduction="none"), nn.NLLLoss()]
    named += [nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 0.5]), label_smoothing=0.1)]
    return [[loss(x, y) for loss in made], [loss(x, classes) for loss in named]]


@case
def batch_norm_statistics(torch):
    norm = torch.nn.BatchNorm1d(2)
    norm(wave(torch, 4, 2))
    norm(wave(torch, 3, 2, shift=1))
    y = norm.eval()(wave(torch, 1, 2, requires_grad=False))
    return [norm.state_dict(), y, outcome(lambda: norm.train()(torch.ones(1, 2)))]


@case
def batch_norm_without_momentum(torch):
    norm = torch.nn.BatchNorm1d(2, momentum=None, affine=False)
    for shift in range(3):
        norm(wave(torch, 4, 2, shift=shift))
    plain = torch.nn.BatchNorm1d(2, track_running_stats=False)
    return [norm.state_dict(), list(plain.state_dict()), plain.eval()(wave(torch, 4, 2))]


@case
def initial_ranges(torch):
    linear, conv = torch.nn.Linear(16, 400), torch.nn.Conv2d(4, 60, 3)
    bounds = [abs(p).max().item() for p in (*linear.parameters(), *conv.parameters())]
    limits = [0.25, 0.25, 1 / 6, 1 / 6]
    return [0.9 * limit < bound <= limit for bound, limit in zip(bounds, limits, strict=True)]


@case
def initialisers(torch):
    init = torch.nn.init
    w = torch.empty(300, 100)
    nonlinearities = ("linear", "relu", "tanh", "sigmoid", "leaky_relu", "selu", "conv2d")
    xavier, kaiming = (6 / 400) ** 0.5, (6 / 100) ** 0.5
    made = {
        "uniform_": init.uniform_(w, -2, 3).max().item() <= 3 and w.min().item() >= -2,
        "normal_": abs(init.normal_(w, 1.0, 0.5).mean().item() - 1) < 0.02,
        "constant_": init.constant_(w, 0.3)[0, :2],
        "zeros_": init.zeros_(w).sum().item(),
        "ones_": init.ones_(w).mean().item(),
        "xavier_uniform_": 0.99 < init.xavier_uniform_(w).max().item() / xavier <= 1,
        "xavier_gain": 0.99 < init.xavier_uniform_(w, gain=2.0).max().item() / xavier / 2 <= 1,
        "xavier_normal_": abs(init.xavier_normal_(w).std().item() / (2 / 400) ** 0.5 - 1) < 0.02,
        "kaiming_uniform_": 0.99 < init.kaiming_uniform_(w).max().item() / kaiming <= 1,
        "kaiming_normal_": abs(
            init.kaiming_normal_(w, mode="fan_out").std().item() / (2 / 300) ** 0.5 - 1
        )
        < 0.02,
        "gain": [init.calculate_gain(name) for name in nonlinearities],
        "leaky gain": init.calculate_gain("leaky_relu", 0.2),
        "returns itself": init.zeros_(w) is w,
    }
    return made


@case
def orthogonal(torch):
    def product(rows, columns, gain):
        w = torch.nn.init.orthogonal_(torch.empty(rows, columns), gain=gain)
        square = w @ w.T if rows < columns else w.T @ w
        return torch.allclose(square, gain**2 * torch.eye(min(rows, columns)), atol=1e-4)

    return [product(3, 5, 1.0), product(5, 3, 2.0), product(4, 4, 0.5)]


@case
def initialisers_change_leaves(torch):
    p = torch.nn.Parameter(torch.ones(2, 2))
    torch.nn.init.constant_(p, 2.0)
    return [p, p._version, outcome(lambda: torch.nn.init.xavier_uniform_(torch.empty(3)))]


@case
def names_and_order(torch):
    nn = torch.nn

    class Net(nn.Module):  # type: ignore[name-defined]
        def __init__(self):
            super().__init__()
            self.inner = nn.Sequential(nn.Linear(1, 2), nn.BatchNorm1d(2))
            self.scale = nn.Parameter(torch.ones(1))
            self.register_buffer("count", torch.zeros(1))
            self.register_buffer("scratch", torch.zeros(1), persistent=False)
            self.register_parameter("none", None)
            self.again = self.inner[0]

    net = Net()
    return {
        "parameters": [name for name, _ in net.named_parameters()],
        "all": [name for name, _ in net.named_parameters(remove_duplicate=False)],
        "own": [name for name, _ in net.named_parameters(recurse=False)],
        "prefixed": [name for name, _ in net.named_parameters(prefix="p")],
        "buffers": [name for name, _ in net.named_buffers()],
        "state": list(net.state_dict()),
        "prefixed state": list(net.state_dict(prefix="q."))[:2],
        "modules": [name for name, _ in net.named_modules()],
        "children": [name for name, _ in net.named_children()],
        "count": [len(list(net.modules())), len(list(net.children()))],
        "iterator": iter(net.parameters()) is not None and hasattr(net.parameters(), "__next__"),
        "none": net.none,
    }


@case
def modes_and_flags(torch):
    net = _network(torch)
    returned = [
        net.eval() is net,
        net.training,
        net[0].training,
        net.train() is net,
        net[1].training,
    ]
    returned += [net.requires_grad_(False) is net, [p.requires_grad for p in net.parameters()]]
    weight = net[0].weight
    returned += [net.double() is net, net[0].weight is weight, weight.dtype, net.to("cpu") is net]
    return [*returned, net.float()[0].weight.dtype, net.to(torch.float64)[2].bias.dtype]


@case
def state_dicts(torch):
    net, other = _network(torch), _network(torch)
    with torch.no_grad():
        net[0].weight.zero_()
    weight = other[0].weight
    answer = other.load_state_dict(net.state_dict())
    state = net.state_dict()
    same = [other[0].weight is weight, torch.equal(weight, net[0].weight), repr(answer)]
    return [same, state, weight._version, _aliases(state["0.bias"], net[0].bias)]


@case
def state_dict_mismatches(torch):
    net = _network(torch)
    state = {"0.weight": torch.ones(4, 3), "extra": torch.ones(1)}
    answer = net.load_state_dict(state, strict=False)
    wrong = {**net.state_dict(), "2.bias": torch.ones(5)}
    errors = [outcome(lambda: net.load_state_dict(state)), outcome(lambda: net.load_state_dict(3))]
    errors += [outcome(lambda: net.load_state_dict(wrong, strict=False))]
    return [answer.missing_keys, answer.unexpected_keys, errors, net[0].weight]


@case
def zero_grad(torch):
    net = _network(torch)
    net(torch.ones(1, 3)).sum().backward()
    net.zero_grad(set_to_none=False)
    zeroed = net[2].bias.grad
    net.zero_grad()
    return [zeroed, net[2].bias.grad]


@case
def apply_and_hooks(torch):
    net, seen = _network(torch), []
    net.apply(lambda module: seen.append(type(module).__name__))
    handle = net[1].register_forward_hook(lambda module, args, output: output * 2)
    before = net[0].register_forward_pre_hook(lambda module, args: (args[0] + 1,))
    x = wave(torch, 1, 3, requires_grad=False)
    hooked, bypassed = net(x), net[1].forward(x)
    handle.remove()
    before.remove()
    return [seen, hooked, net(x), bypassed]


@case
def containers(torch):
    nn = torch.nn
    modules = nn.ModuleList([nn.Linear(1, 1), nn.ReLU()])
    modules.append(nn.Tanh()).extend([nn.Identity()])
    modules.insert(0, nn.Sigmoid())
    named = nn.ModuleDict({"a": nn.ReLU()})
    named["b"] = nn.Tanh()
    named.update({"c": nn.Linear(1, 1)})
    chain = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
    chain.append(nn.Linear(1, 1))
    return {
        "list": [type(m).__name__ for m in modules],
        "length": [len(modules), len(named), len(chain), len(modules[1:3]), len(chain[:2])],
        "last": type(modules[-1]).__name__,
        "dict": [list(named.keys()), "a" in named, type(named["b"]).__name__, list(named)],
        "items": [(k, type(m).__name__) for k, m in named.items()],
        "names": [name for name, _ in nn.ModuleList([modules, named]).named_parameters()],
        "slice type": type(chain[:1]).__name__,
        "state": [list(chain.state_dict()), list(named.state_dict())],
    }


@case
def parameters(torch):
    p = torch.nn.Parameter(torch.ones(2))
    q = torch.nn.Parameter(wave(torch, 2) * 2)
    kinds = [type(t).__name__ for t in (p, p * 2, p.detach(), p.data, p.clone(), p[0])]
    shared = torch.nn.Parameter(p)
    return [kinds, q.is_leaf, p, isinstance(p, torch.Tensor), _aliases(shared, p)]


@case
def deepcopy_of_a_network(torch):
    net = _network(torch)
    other = copy.deepcopy(net)
    with torch.no_grad():
        other[0].weight.add_(1)
    return [net[0].weight, other[0].weight, type(other[0].weight).__name__]


@case
def clipping_where_squares_leave_the_range(torch):
    def clipped(value, norm_type=2.0):
        parameter = torch.nn.Parameter(torch.zeros(1))
        parameter.grad = torch.tensor([value])
        total = torch.nn.utils.clip_grad_norm_([parameter], 1.0, norm_type)
        return [total / value, parameter.grad / min(value, 1.0)]

    return [clipped(1e20), clipped(1e-23), clipped(1e20, 3), clipped(1e-23, 3)]


@case
def embedding(torch):
    layer = torch.nn.Embedding(4, 2, padding_idx=-1)
    row = layer.weight[3].tolist()
    with torch.no_grad():
        layer.weight.copy_(wave(torch, 4, 2))
    out = layer(torch.tensor([[0, 3], [1, 1]]))
    out.sum().backward()
    refused = outcome(lambda: torch.nn.Embedding(2, 2, padding_idx=2))
    shown = [repr(layer), repr(torch.nn.Embedding(3, 2)), list(layer.state_dict())]
    return [row, out, layer.weight.grad, shown, refused]


@case
def clipping(torch):
    def clipped(clip, *arguments, **settings):
        xs = [wave(torch, 3), wave(torch, 2, shift=1), wave(torch, 2)]
        (xs[0] * 3).sum().backward()
        (xs[1] ** 2).sum().backward()
        answer = clip(xs, *arguments, **settings)
        return [answer, [x.grad for x in xs]]

    utils = torch.nn.utils
    return {
        "norm": clipped(utils.clip_grad_norm_, 1.0),
        "large": clipped(utils.clip_grad_norm_, 100.0),
        "infinity": clipped(utils.clip_grad_norm_, 1.0, norm_type=float("inf")),
        "one": clipped(utils.clip_grad_norm_, max_norm=1.0, norm_type=1),
        "value": clipped(utils.clip_grad_value_, 0.5),
        "none": utils.clip_grad_norm_([wave(torch, 2)], 1.0),
    }


@case
def vectors(torch):
    net = _network(torch)
    vector = torch.nn.utils.parameters_to_vector(net.parameters())
    torch.nn.utils.vector_to_parameters(vector.detach() * 2, net.parameters())
    return [vector, net[2].bias, net[0].weight.is_leaf]


@case
def module_errors(torch):
    def attempt(statement):
        nn = torch.nn
        net = nn.Linear(2, 1)
        try:
            exec(statement, {"torch": torch, "nn": nn, "net": net})
        except Exception as error:
            return type(error).__name__
        return "works"

    statements = """net.weight = torch.ones(1, 2); net.weight = None; net.new = torch.ones(1)
        net.register_parameter("a.b", None); net.register_buffer("b", 3); net.train("x")
        net.register_parameter("p", torch.ones(1)); nn.Module()(1); net.missing; net(torch.ones(3))
        net.register_buffer("weight", torch.ones(1)); nn.Dropout(1.5)
        net.weight = nn.Parameter(torch.ones(3, 3)); nn.Parameter(torch.tensor([1])); del net.weight
        nn.Parameter(torch.tensor([1]), requires_grad=False)
        net.to(torch.int64)"""
    lines = [line.strip() for line in statements.replace("\n", ";").split(";")]
    return {line: attempt(line) for line in lines}
