"""Trajectories of the optimizers and learning-rate schedulers, and their states."""

from typing import Any

from tests.autograd.torch_reference.registry import case, outcome, register, wave


def _problem(torch, dtype=None):
    """Two parameters and a loss that is neither linear nor the same in every direction."""
    x, y = wave(torch, 3, dtype=dtype), wave(torch, 2, 2, shift=1, dtype=dtype)
    return [x, y], lambda: (x**2 * 3).sum() + (y.exp()).sum() + (x[:2] * y).sum()


def _trajectory(torch, make, steps=4, dtype=None):
    parameters, loss = _problem(torch, dtype)
    optimizer = make(parameters)
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    return [p.detach() for p in parameters]


SETTINGS: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {},
        {"lr": 0.1},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.3},
        {"lr": 0.1, "weight_decay": 0.2},
        {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.2, "nesterov": True},
        {"lr": 0.01, "maximize": True},
    ],
    "Adam": [
        {},
        {"lr": 0.1},
        {"lr": 0.1, "betas": (0.5, 0.9)},
        {"lr": 0.1, "eps": 0.1},
        {"lr": 0.1, "weight_decay": 0.2},
        {"lr": 0.1, "amsgrad": True},
        {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1, "maximize": True},
    ],
    "AdamW": [
        {},
        {"lr": 0.1},
        {"lr": 0.1, "weight_decay": 0.5},
        {"lr": 0.1, "amsgrad": True, "betas": (0.8, 0.99)},
        {"lr": 0.1, "maximize": True},
    ],
    "RMSprop": [
        {},
        {"lr": 0.1, "alpha": 0.9, "eps": 0.1},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.1, "centered": True},
        {"lr": 0.1, "centered": True, "momentum": 0.5, "weight_decay": 0.2},
        {"lr": 0.01, "maximize": True},
    ],
}


def _trajectories(name):
    def trajectories(torch):
        optimizer = getattr(torch.optim, name)
        results = {
            str(settings): _trajectory(torch, lambda ps, s=settings: optimizer(ps, **s))
            for settings in SETTINGS[name]
        }
        results["float64"] = _trajectory(
            torch, lambda ps: optimizer(ps, **SETTINGS[name][-1]), dtype=torch.float64
        )
        return results

    return trajectories


for _name in SETTINGS:
    register(f"optim.{_name}_trajectories", _trajectories(_name))


@case
def adam_by_hand(torch):
    x = torch.ones(1, requires_grad=True)
    optimizer, path = torch.optim.Adam([x], lr=0.1), []
    for gradient in (1.0, -2.0, 0.5):
        x.grad = torch.tensor([gradient])
        optimizer.step()
        path.append(x.item())
    return path


@case
def groups(torch):
    parameters, loss = _problem(torch)
    optimizer = torch.optim.SGD([{"params": parameters[0], "lr": 0.5}], lr=0.1, momentum=0.5)
    optimizer.add_param_group({"params": [parameters[1]], "momentum": 0.0})
    for _ in range(3):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
        optimizer.param_groups[0]["lr"] *= 0.5
    rates = [(group["lr"], group["momentum"]) for group in optimizer.param_groups]
    return [rates, [p.detach() for p in parameters], len(optimizer.state)]


@case
def defaults(torch):
    keys = "lr momentum dampening weight_decay nesterov betas eps amsgrad maximize alpha".split()
    made = [getattr(torch.optim, name)([wave(torch, 2)]) for name in SETTINGS]
    return [{key: group.defaults[key] for key in keys if key in group.defaults} for group in made]


@case
def state_of_adam(torch):
    (x, y), _ = _problem(torch)
    optimizer = torch.optim.Adam([x, y], lr=0.1, amsgrad=True)
    (x**2).sum().backward()
    empty = optimizer.state_dict()["state"]
    optimizer.step()
    state = optimizer.state_dict()
    groups = [(g["lr"], g["betas"], g["params"]) for g in state["param_groups"]]
    return [empty, state["state"], groups, list(optimizer.state[x]), y in optimizer.state]


@case
def state_of_rmsprop(torch):
    (x, y), loss = _problem(torch)
    optimizer = torch.optim.RMSprop([x, y], lr=0.1, momentum=0.9, centered=True)
    loss().backward()
    optimizer.step()
    return [optimizer.state_dict()["state"], sorted(optimizer.defaults), list(optimizer.state[x])]


@case
def state_of_sgd(torch):
    (x, y), loss = _problem(torch)
    optimizer = torch.optim.SGD([x, y], lr=0.1, momentum=0.9)
    loss().backward()
    optimizer.step()
    return [optimizer.state_dict()["state"], list(optimizer.state[x])]


def _resumed(torch, name, **settings):
    """Two steps, a save and a load into a new optimizer with another rate, and two more steps."""
    make = getattr(torch.optim, name)
    parameters, loss = _problem(torch)
    optimizer = make(parameters, **settings)
    for step in range(4):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
        if step == 1:
            state = optimizer.state_dict()
            optimizer = make(parameters, lr=123.0)
            optimizer.load_state_dict(state)
    return [p.detach() for p in parameters]


@case
def resumed(torch):
    return [
        _resumed(torch, "SGD", lr=0.1, momentum=0.9),
        _resumed(torch, "Adam", lr=0.1),
        _resumed(torch, "Adam", lr=0.1, amsgrad=True),
        _resumed(torch, "AdamW", lr=0.1),
        _resumed(torch, "RMSprop", lr=0.1, momentum=0.9, centered=True),
    ]


@case
def steps_as_python_numbers_load(torch):
    x = wave(torch, 2)
    optimizer = torch.optim.Adam([x], lr=0.1)
    state = optimizer.state_dict()
    moments = {"exp_avg": torch.ones(2), "exp_avg_sq": torch.ones(2)}
    state["state"] = {0: {"step": 3, **moments}}
    optimizer.load_state_dict(state)
    x.grad = torch.ones(2)
    optimizer.step()
    return [x.detach(), optimizer.state_dict()["state"][0]["step"]]


@case
def parameters_without_a_gradient_are_skipped(torch):
    results = []
    for name in SETTINGS:
        x, y = wave(torch, 2), wave(torch, 2, shift=1)
        optimizer = getattr(torch.optim, name)([x, y], lr=0.1, weight_decay=0.1)
        x.grad = torch.zeros(2)
        optimizer.step()
        results.append([x.detach(), y.detach(), x._version > 0, y._version])
    return results


@case
def a_zero_gradient_still_moves(torch):
    x = wave(torch, 2)
    optimizer = torch.optim.SGD([x], lr=0.1, momentum=0.9)
    for gradient in (1.0, 0.0):
        x.grad = torch.full((2,), gradient)
        optimizer.step()
    return x.detach()


@case
def closures(torch):
    (x, y), loss = _problem(torch)
    optimizer = torch.optim.SGD([x, y], lr=0.01)

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    with torch.no_grad():
        answer = optimizer.step(closure)
    return [answer.item(), x.detach(), optimizer.step()]


@case
def zero_grad(torch):
    x = wave(torch, 2)
    optimizer = torch.optim.SGD([x], lr=0.1)
    x.grad = torch.ones(2)
    optimizer.zero_grad(set_to_none=False)
    zeroed = x.grad
    optimizer.zero_grad()
    return [zeroed, x.grad]


@case
def step_keeps_leaf_and_identity(torch):
    x = wave(torch, 2)
    alias = x.detach()
    x.grad = torch.ones(2)
    torch.optim.Adam([x], lr=0.1).step()
    return [x, alias, x._version > 0, x.grad]


@case
def arguments(torch):
    def attempt(line):
        x, y = wave(torch, 2), torch.ones(2)
        scope = {"optim": torch.optim, "x": x, "y": y, "nonleaf": x * 2, "torch": torch}
        answer = outcome(lambda: eval(line, scope))
        return answer if isinstance(answer, str) else type(answer).__name__

    lines = """optim.SGD([]); optim.SGD(x); optim.SGD([1.0]); optim.SGD([nonleaf]); optim.SGD([y])
        optim.Adam([x], lr=-1); optim.Adam([x], betas=(1.0, 0.9)); optim.Adam([x], betas=(0.9, -1))
        optim.Adam([x], eps=-1); optim.Adam([x], weight_decay=-1); optim.SGD([x], momentum=-1)
        optim.SGD([x], nesterov=True); optim.SGD([x], weight_decay=-0.1); optim.SGD([x], lr=-1)
        optim.SGD([{"params": [x]}, {"params": [x]}], lr=1); optim.AdamW([x], lr=-1)
        optim.SGD([x, x], lr=0.1); optim.Adam(iter([x]))
        optim.Adam({"x": x}.values()); optim.Adam({x}); optim.Adam([{"params": x}], lr=0)
        optim.Adam([{"parameters": x}]); optim.RMSprop([x], alpha=-1); optim.RMSprop([x], lr=-1)
        optim.RMSprop([x], momentum=-1); optim.RMSprop([x], fused=True)"""
    return {line.strip(): attempt(line.strip()) for line in lines.replace("\n", ";").split(";")}


@case
def loading_a_state_that_does_not_fit(torch):
    x, y = wave(torch, 2), wave(torch, 3)
    one, two = torch.optim.Adam([x]), torch.optim.Adam([x, y])
    groups = torch.optim.Adam([{"params": [x]}, {"params": [y]}])
    state = one.state_dict()
    return [outcome(lambda o=o: o.load_state_dict(state)) for o in (one, two, groups)]


def _schedule(torch, make, steps=6, optimizers=("SGD",)):
    """The learning rates of two groups, step by step."""
    optimizer = torch.optim.SGD(
        [{"params": [wave(torch, 1)]}, {"params": [wave(torch, 1)], "lr": 0.5}], lr=1.0
    )
    scheduler, rates = make(optimizer), []
    for _ in range(steps):
        rates.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    return [rates, scheduler.get_last_lr(), scheduler.last_epoch]


@case
def schedulers(torch):
    s = torch.optim.lr_scheduler
    return {
        "lambda": _schedule(torch, lambda o: s.LambdaLR(o, lambda n: 0.9**n)),
        "lambdas": _schedule(torch, lambda o: s.LambdaLR(o, [lambda n: 1 / (n + 1), lambda n: n])),
        "linear": _schedule(torch, lambda o: s.LinearLR(o)),
        "linear to": _schedule(torch, lambda o: s.LinearLR(o, 1.0, end_factor=0.2, total_iters=4)),
        "step": _schedule(torch, lambda o: s.StepLR(o, 2), 5),
        "step by": _schedule(torch, lambda o: s.StepLR(o, step_size=3, gamma=0.5), 8),
        "exponential": _schedule(torch, lambda o: s.ExponentialLR(o, 0.9)),
        "cosine": _schedule(torch, lambda o: s.CosineAnnealingLR(o, T_max=4)),
        "cosine to": _schedule(torch, lambda o: s.CosineAnnealingLR(o, 5, eta_min=0.1), 12),
    }


@case
def a_scheduler_resumes(torch):
    s = torch.optim.lr_scheduler
    results = []
    makers = [lambda o: s.CosineAnnealingLR(o, 5), lambda o: s.LinearLR(o, total_iters=4)]
    makers += [lambda o: s.LambdaLR(o, lambda n: 0.5**n), lambda o: s.StepLR(o, 3)]
    makers += [lambda o: s.ExponentialLR(o, 0.5), lambda o: s.OneCycleLR(o, 0.1, 10)]
    for make in makers:
        optimizer = torch.optim.SGD([wave(torch, 1)], lr=1.0)
        first = make(optimizer)
        for _ in range(2):
            optimizer.step()
            first.step()
        other = torch.optim.SGD([wave(torch, 1)], lr=1.0)
        second = make(other)
        other.load_state_dict(optimizer.state_dict())
        second.load_state_dict(first.state_dict())
        other.step()
        second.step()
        results.append([second.get_last_lr(), second.last_epoch, other.param_groups[0]["lr"]])
    return results


@case
def a_scheduler_writes_initial_lr(torch):
    optimizer = torch.optim.Adam([wave(torch, 1)], lr=0.1)
    s = torch.optim.lr_scheduler
    s.LinearLR(optimizer, start_factor=0.5)
    group = optimizer.param_groups[0]
    errors = [outcome(lambda: s.LinearLR(optimizer, start_factor=0.0))]
    errors += [outcome(lambda: s.LambdaLR(optimizer, [lambda n: 1.0] * 2))]
    return [group["initial_lr"], group["lr"], errors]
