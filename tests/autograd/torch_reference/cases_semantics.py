"""Leaves, flags, versions, views and changes in place: facts of the graph."""

from tests.autograd.torch_reference.registry import case, outcome, wave


def _facts(tensor):
    return [tensor.requires_grad, tensor.is_leaf, tensor.grad_fn is not None]


@case
def leaves(torch):
    x = wave(torch, 2)
    p = torch.nn.Parameter(x * 2)
    made = [
        torch.ones(2),
        x,
        x * 2,
        (x * 2).detach(),
        torch.ones(2) * 2,
        x.data,
        x.clone(),
        p,
        x[0],
    ]
    return [_facts(t) for t in made]


@case
def requires_grad_of_results(torch):
    x, y = wave(torch, 2), torch.ones(2)
    made = [x + y, y + y, x > 0, x.argmax(), x.max(0).indices, x.detach() * x, x.long(), x.double()]
    made += [x.max(0).values, torch.zeros_like(x), torch.stack([x, y]), x.sign(), x.round()]
    return [_facts(t) for t in made]


@case
def requires_grad_can_be_set(torch):
    x = torch.ones(2)
    answers = [x.requires_grad_() is x, x.requires_grad]
    x.requires_grad = False
    answers += [x.requires_grad, x.requires_grad_(True).requires_grad]
    nonleaf = x * 2
    answers += [nonleaf.requires_grad_() is nonleaf]
    return [*answers, outcome(lambda: nonleaf.requires_grad_(False))]


@case
def detach_shares(torch):
    x = wave(torch, 2)
    d = x.detach()
    d[0] = 5
    return [x, d, x._version, d._version, _facts(d)]


@case
def data_shares_without_a_version(torch):
    x = wave(torch, 2)
    d = x.data
    d[0] = 5
    return [x, d, x._version, d._version, x.data is x.data]


@case
def data_can_be_assigned(torch):
    x = wave(torch, 2)
    alias = x
    x.data = torch.zeros(3, dtype=torch.float64)
    return [x is alias, x, _facts(x)]


@case
def data_changes_are_not_noticed(torch):
    x = wave(torch, 2)
    y = (x * x).sum()
    x.data.fill_(10)
    y.backward()
    return x.grad


@case
def detach_in_place(torch):
    x = wave(torch, 2)
    y = x * 2
    same = y.detach_() is y
    return [same, _facts(y), _facts(x.detach_())]


@case
def versions(torch):
    x = torch.zeros(4)
    history = [x._version]

    def note(_):
        history.append(x._version)

    note(x.add_(1))
    note(x.__setitem__(0, 2))
    note(x[1:].mul_(2))
    note(x.detach().zero_())
    note(x.view(2, 2).fill_(1))
    note(x.data.add_(1))
    note(x.clone().add_(1))
    note(x + 1)
    note(x.requires_grad_(False))
    with torch.no_grad():
        note(x.copy_(torch.ones(4)))
    x += 1
    note(x)
    return [history, x[:2]._version, x.clone()._version]


@case
def versions_of_what_torch_updates(torch):
    net = torch.nn.Linear(2, 1)
    versions = [net.weight._version]
    net.load_state_dict(net.state_dict())
    versions.append(net.weight._version)
    torch.nn.init.zeros_(net.weight)
    versions.append(net.weight._version)
    net(torch.ones(1, 2)).sum().backward()
    torch.optim.SGD(net.parameters(), lr=0.1).step()
    return [b > a for a, b in zip(versions, [*versions[1:], net.weight._version], strict=True)]


@case
def in_place_on_a_nonleaf(torch):
    x = wave(torch, 3)
    y = x * 2
    alias = y
    y += 1
    y.mul_(3.0)
    y.exp_()
    y.sum().backward()
    return [y is alias, y, x.grad, _facts(y)]


@case
def in_place_with_a_tensor_that_requires_grad(torch):
    x, y = wave(torch, 3), torch.ones(3)
    y.mul_(x)
    y += x
    y.sum().backward()
    return [_facts(y), y, x.grad]


@case
def copy_in_place_has_a_gradient(torch):
    x, y, z = wave(torch, 3), wave(torch, 3, shift=1), torch.zeros(2, 3)
    a = x * 2
    a.copy_(y)
    z.copy_(y)
    (a.sum() + (z * 2).sum()).backward()
    return [x.grad, y.grad, _facts(z)]


@case
def zero_and_fill_in_place_stop_the_gradient(torch):
    x = wave(torch, 3)
    y, z = x * 2, x * 3
    y.zero_()
    z.fill_(2.0)
    (y + z + x).sum().backward()
    return [x.grad, _facts(y)]


SAVED = """exp tanh relu sqrt sigmoid log sin square reciprocal abs neg sum mean cumsum
    softmax log_softmax expm1 rsqrt erf""".split()
NEED_A_DIMENSION = ("cumsum", "softmax", "log_softmax")


@case
def what_a_function_saves(torch):
    def attempt(name, change):
        x = wave(torch, 3).abs().detach().requires_grad_()
        y = x * 1
        result = getattr(y, name)(*([0] if name in NEED_A_DIMENSION else []))
        (y if change == "input" else result).detach().mul_(2)
        raised = outcome(lambda: result.sum().backward())
        return raised is not None

    return {name: [attempt(name, change) for change in ("input", "result")] for name in SAVED}


@case
def what_a_binary_function_saves(torch):
    text = """a + b; a - b; a * b; a / b; a ** b; torch.minimum(a, b); a @ b; torch.where(m, a, b)
        a * c; c * a; a / c; c / a; a ** 2; a * 2; a + c; torch.cat([a, b]); a.clamp(0, 1)
        torch.nn.functional.mse_loss(a, b); a.softmax(0) * c; torch.nn.functional.softplus(a)"""

    def attempt(line, name):
        leaves = [wave(torch, 3, shift=i).abs().detach().requires_grad_() for i in range(2)]
        a, b, c = leaves[0] * 1, leaves[1] * 1, torch.ones(3)
        scope = {"torch": torch, "a": a, "b": b, "c": c, "m": a > 0}
        result = eval(line, scope)
        scope[name].detach().mul_(2)
        return outcome(lambda: result.sum().backward()) is not None

    lines = [line.strip() for line in text.replace("\n", ";").split(";")]
    return {line: [attempt(line, name) for name in "abc"] for line in lines}


@case
def older_views_follow(torch):
    x = wave(torch, 4)
    y = x * 2
    view = y[:2]
    before = _facts(view)
    y.mul_(3)
    after = [_facts(view), view]
    view.sum().backward()
    return [before, after, x.grad]


@case
def views_of_a_base_that_gets_a_gradient(torch):
    x = torch.ones(4)
    view = x[:2]
    x.requires_grad_()
    base = torch.ones(4)
    other = base[:2]
    base.mul_(wave(torch, 4))
    return [view.requires_grad, other.requires_grad]


@case
def sac_order_of_updates(torch):
    policy, q = torch.nn.Linear(2, 1), torch.nn.Linear(1, 1)
    x = torch.ones(3, 2)
    stepper = torch.optim.SGD(q.parameters(), lr=0.1)
    policy_loss = -q(policy(x)).mean()
    q(torch.ones(3, 1)).pow(2).mean().backward()
    stepper.step()
    stale = outcome(policy_loss.backward)
    fresh = outcome((-q(policy(x)).mean()).backward)
    return [stale, fresh]


@case
def two_critics_update_in_turn(torch):
    nets = [torch.nn.Linear(2, 1) for _ in range(2)]
    x = torch.ones(3, 2)
    losses = [(net(x) ** 2).mean() for net in nets]
    answers = []
    for net, loss in zip(nets, losses, strict=True):
        answers.append(outcome(loss.backward))
        torch.optim.SGD(net.parameters(), lr=0.1).step()
    return answers


@case
def views_in_place(torch):
    x = torch.zeros(2, 3)
    x[0].add_(1)
    x.T[2].mul_(5)
    x.view(6)[3:5] = 7
    x.unsqueeze(0).squeeze(0)[1, 2].sub_(1)
    return [x, x._version]


@case
def names_of_types(torch):
    x = torch.nn.Parameter(torch.ones(2))
    kinds = [type(t).__name__ for t in (x, x + 1, x.detach(), x.data, x.view(2), torch.ones(1))]
    return kinds
