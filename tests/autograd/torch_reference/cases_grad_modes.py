"""Grad modes: what they switch off, how they are entered, and how they are left."""

import threading

from tests.autograd.torch_reference.registry import case, outcome, wave


@case
def contexts(torch):
    states = [torch.is_grad_enabled()]
    with torch.no_grad() as nothing:
        states += [torch.is_grad_enabled(), nothing]
        with torch.enable_grad():
            states += [torch.is_grad_enabled()]
        states += [torch.is_grad_enabled()]
    with torch.set_grad_enabled(False):
        states += [torch.is_grad_enabled()]
        with torch.set_grad_enabled(mode=True):
            states += [torch.is_grad_enabled()]
    with torch.inference_mode():
        states += [torch.is_grad_enabled(), torch.is_inference_mode_enabled()]
        with torch.inference_mode(False):
            states += [torch.is_grad_enabled(), torch.is_inference_mode_enabled()]
        with torch.enable_grad():
            states += [torch.is_grad_enabled(), torch.ones(1, requires_grad=True) * 2]
    return [*states, torch.is_grad_enabled(), torch.is_inference_mode_enabled()]


@case
def set_grad_enabled_acts_at_once(torch):
    torch.set_grad_enabled(False)
    off = torch.is_grad_enabled()
    torch.set_grad_enabled(True)
    return [off, torch.is_grad_enabled()]


@case
def decorators(torch):
    @torch.no_grad
    def bare():
        """The documentation."""
        return torch.is_grad_enabled()

    @torch.no_grad()
    def called():
        return torch.is_grad_enabled()

    @torch.inference_mode
    def inference():
        return torch.is_inference_mode_enabled(), torch.is_grad_enabled()

    @torch.inference_mode()
    def inference_called():
        return torch.is_inference_mode_enabled()

    @torch.enable_grad()
    def enabled():
        return torch.is_grad_enabled()

    with torch.no_grad():
        inside = enabled()
    answers = [bare(), called(), inference(), inference_called(), inside]
    return [answers, bare.__name__, bare.__doc__, torch.is_grad_enabled()]


@case
def set_grad_enabled_as_a_decorator(torch):
    @torch.set_grad_enabled(False)
    def function():
        return torch.is_grad_enabled()

    return [torch.is_grad_enabled(), function(), torch.is_grad_enabled()]


@case
def decorated_recursion(torch):
    @torch.no_grad()
    def countdown(n):
        with torch.enable_grad():
            below = countdown(n - 1) if n else []
        return [torch.is_grad_enabled(), *below]

    return [countdown(3), torch.is_grad_enabled()]


@case
def exceptions_restore(torch):
    @torch.no_grad()
    def fail():
        raise ValueError

    def fail_in_a_context():
        with torch.no_grad(), torch.enable_grad(), torch.inference_mode():
            raise ValueError

    calls = [outcome(fail), outcome(fail_in_a_context)]
    return [calls, torch.is_grad_enabled(), torch.is_inference_mode_enabled()]


@case
def decorated_generators(torch):
    log = []

    @torch.no_grad()
    def generate():
        try:
            received = yield torch.is_grad_enabled()
            log.append([received, torch.is_grad_enabled()])
            try:
                yield 1
            except ValueError:
                log.append(["caught", torch.is_grad_enabled()])
            yield 2
        finally:
            log.append(["closed", torch.is_grad_enabled()])

    g = generate()
    outside = [next(g), torch.is_grad_enabled()]
    outside += [
        g.send("sent"),
        torch.is_grad_enabled(),
        g.throw(ValueError),
        torch.is_grad_enabled(),
    ]
    g.close()
    return [outside, log, torch.is_grad_enabled()]


@case
def generator_returns(torch):
    @torch.no_grad()
    def inner():
        yield torch.is_grad_enabled()
        return "result"

    def outer():
        answer = yield from inner()
        yield answer

    return [list(outer()), torch.is_grad_enabled()]


@case
def threads_start_with_grad_on(torch):
    seen = []
    with torch.no_grad():
        thread = threading.Thread(target=lambda: seen.append(torch.is_grad_enabled()))
        thread.start()
        thread.join()
        seen.append(torch.is_grad_enabled())
    return seen


@case
def the_same_instance_twice(torch):
    mode = torch.no_grad()
    with mode, mode:
        pass
    after = torch.is_grad_enabled()
    torch.set_grad_enabled(True)
    return after


@case
def without_parentheses(torch):
    def enter():
        with torch.no_grad:
            pass

    return outcome(enter)


@case
def decorated_coroutines_stay_on(torch):
    @torch.no_grad()
    async def coroutine():
        return torch.is_grad_enabled()

    try:
        coroutine().send(None)
    except StopIteration as stop:
        return stop.value


@case
def results_under_no_grad(torch):
    x = wave(torch, 2, 2)
    y = x * 2
    with torch.no_grad():
        made = {
            "op": x * 2,
            "alias": x,
            "view": x.view(4),
            "slice": x[:1],
            "detach": x.detach(),
            "factory": torch.ones(1, requires_grad=True),
            "parameter": torch.nn.Parameter(torch.ones(1)),
            "linear": torch.nn.Linear(1, 1).weight.requires_grad,
            "flagged": torch.ones(1).requires_grad_(),
            "in place on a nonleaf": y.mul_(2),
            "clone": x.clone(),
            "nonleaf view": y[0],
        }
    return [made, y.grad_fn is not None]


@case
def backward_works_under_no_grad(torch):
    x = wave(torch, 2)
    y = (x * x).sum()
    with torch.no_grad():
        y.backward()
    return x.grad


@case
def enable_grad_inside_records(torch):
    x = wave(torch, 2)
    with torch.no_grad():
        y = x * 2
        with torch.enable_grad():
            z = (x * 3).sum()
    z.backward()
    return [y, z, x.grad]


@case
def updates_under_no_grad(torch):
    x = wave(torch, 2)
    alias = x
    (x * x).sum().backward()
    with torch.no_grad():
        x -= 0.1 * x.grad
        x.grad.zero_()
    return [x is alias, x, x._version, x.grad]


@case
def rebinding_makes_another_tensor(torch):
    x = wave(torch, 2)
    x.sum().backward()
    recorded = x - 0.1 * x.grad
    with torch.no_grad():
        plain = x - 0.1 * x.grad
    return [recorded, plain]


@case
def inference_tensors(torch):
    x = wave(torch, 2)
    with torch.inference_mode():
        y = x * 2
        view = x[:1]
        leaf = torch.ones(1, requires_grad=True)
        inside = y.add_(1).is_inference()
        x.mul_(2)
    flags = [t.is_inference() for t in (x, y, y[:1], view, leaf, y.clone(), y + 1)]
    return [flags, inside, y, y.clone(), leaf, x._version, outcome(lambda: y._version)]


@case
def inference_tensors_outside(torch):
    def attempt(use):
        with torch.inference_mode():
            y = torch.ones(2)
        return outcome(lambda: use(y, wave(torch, 2)))

    return {
        "save": attempt(lambda y, w: w * y),
        "no save": attempt(lambda y, w: w + y),
        "without grad": attempt(lambda y, w: y * 2),
        "in place": attempt(lambda y, w: y.add_(1)),
        "flag": attempt(lambda y, w: y.requires_grad_()),
        "flag off": attempt(lambda y, w: y.requires_grad_(False).requires_grad),
        "parameter": attempt(lambda y, w: torch.nn.Parameter(y)),
        "cloned": attempt(lambda y, w: w * y.clone()),
        "item": attempt(lambda y, w: y[0].item()),
        "setitem": attempt(lambda y, w: y.__setitem__(0, 5)),
    }


@case
def detach_is_no_substitute(torch):
    net = torch.nn.Linear(2, 1)
    x = torch.ones(3, 2)
    target = net(x)
    with torch.no_grad():
        free = net(x)
    return [target.requires_grad, target.detach().requires_grad, free.requires_grad, free.is_leaf]
