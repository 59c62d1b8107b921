"""The engine: backward, grad, accumulation, hooks, functions of a user's own."""

from tests.autograd.torch_reference.registry import case, outcome, positive, wave


@case
def accumulation(torch):
    x = wave(torch, 3)
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    x.sum().backward()
    return [x.grad is first, x.grad]


@case
def a_diamond(torch):
    x = wave(torch, 3)
    y = x * 2
    z = y.exp() * y + y.sin() / (y * y + 1)
    z.sum().backward()
    return [x.grad, z]


@case
def backward_with_a_gradient(torch):
    x = wave(torch, 2, 2)
    g = wave(torch, 2, 2, shift=1, requires_grad=False)
    (x * x).backward(g)
    y = wave(torch, 2)
    y.backward(g[0])
    y.grad.add_(1)
    return [x.grad, y.grad, g, (x * 1)[:1, :1].backward(torch.ones(1, 1)), x.grad]


@case
def gradients_do_not_alias(torch):
    x, y = wave(torch, 2), wave(torch, 2, shift=1)
    (x + y).sum().backward()
    x.grad.mul_(5)
    return [x.grad, y.grad]


@case
def several_roots(torch):
    x = wave(torch, 3)
    torch.autograd.backward([x.sum(), (x * x).sum()])
    y = wave(torch, 3)
    torch.autograd.backward([y * 2, y * 3], [torch.ones(3), torch.arange(3.0)])
    return [x.grad, y.grad]


@case
def grad(torch):
    x, y, unused = wave(torch, 3), positive(torch, 3), wave(torch, 1)
    z = (x * y).sum()
    grads = torch.autograd.grad(z, [x, y], retain_graph=True)
    kept = [torch.autograd.grad(z, x, retain_graph=True)[0]]
    weighted = torch.autograd.grad(x * y, (x,), grad_outputs=torch.arange(3.0))
    allowed = torch.autograd.grad(z, [x, unused], allow_unused=True)
    zeros = torch.autograd.grad(x.sum(), [unused], materialize_grads=True)
    return [type(grads).__name__, grads, kept, weighted, allowed, zeros, x.grad]


@case
def grad_of_a_nonleaf(torch):
    x = wave(torch, 3)
    y = x.exp()
    z = (y * y).sum()
    return [torch.autograd.grad(z, y, retain_graph=True), torch.autograd.grad(z, [y, x]), x.grad]


@case
def backward_of_chosen_inputs(torch):
    x, y = wave(torch, 2), wave(torch, 2, shift=1)
    (x * y).sum().backward(inputs=[x])
    z = x * 2
    z.retain_grad()
    (z * y).sum().backward(inputs=[z])
    return [x.grad, y.grad, z.grad]


@case
def retained_graph(torch):
    x = wave(torch, 2)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    z = (x + 2).sum()
    z.backward()
    z.backward()  # nothing on its path was saved
    return [x.grad, outcome(y.backward)]


@case
def retain_grad(torch):
    x = wave(torch, 2)
    y = x * 2
    y.retain_grad()
    y.retain_grad()
    x.retain_grad()
    (y * y).sum().backward()
    return [y.grad, x.grad, y.retains_grad, x.retains_grad]


@case
def retain_grad_of_a_changed_tensor(torch):
    x = wave(torch, 2)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    y.sum().backward()
    return [x.grad, y.grad]


@case
def hooks(torch):
    x, seen = wave(torch, 2), []
    y = x * 3
    first = y.register_hook(lambda g: seen.append(g.clone()))
    y.register_hook(lambda g: g * 2)
    x.register_hook(lambda g: g + 1)
    (y.sum() + (y * y).sum()).backward(retain_graph=True)
    first.remove()
    y.sum().backward()
    return [x.grad, seen]


@case
def post_accumulate_hook(torch):
    x, seen = wave(torch, 2), []
    handle = x.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad.clone()))
    x.sum().backward()
    (x * 2).sum().backward()
    handle.remove()
    x.sum().backward()
    return [seen, x.grad]


@case
def assigned_gradients(torch):
    x = wave(torch, 2)
    g = torch.ones(2)
    x.grad = g
    (x * 2).sum().backward()
    same, value = x.grad is g, x.grad.clone()
    x.grad = None
    return [same, value, x.grad]


@case
def deleted_gradient(torch):
    x = wave(torch, 2)
    x.sum().backward()
    del x.grad
    return x.grad


@case
def detached_parts_get_nothing(torch):
    x, y = wave(torch, 2), wave(torch, 2, shift=1)
    (x * y.detach() + x.data * 2 + (x * 3).detach()).sum().backward()
    return [x.grad, y.grad]


@case
def half_of_the_graph_without_gradient(torch):
    x, w = wave(torch, 2, 3, requires_grad=False), wave(torch, 3)
    y = x * 2
    z = (y * w).sum()
    z.backward()
    return [y, z, w.grad, x.grad]


@case
def grad_fn_names(torch):
    x, names = positive(torch, 2, 2), {}
    made = """x + 1; x - 1; x * 2; x / 2; -x; x ** 2; x.exp(); x.tanh(); x.relu(); x.sum(); x.sum(0)
        x.mean(); x.min(); torch.minimum(x, x); x.clamp(0, 1); x.log_softmax(0); x.unsqueeze(0)
        x.gather(0, torch.tensor([[0]])); x[0]; x[:1]; x.view(4); x.reshape(4); x.t(); x.clone()
        x[:, :1].expand(2, 3); torch.cat([x, x]); torch.nn.functional.mse_loss(x, x.detach())
        torch.nn.functional.linear(x, x, x[0])"""
    for line in made.replace("\n", ";").split(";"):
        names[line.strip()] = eval(line.strip(), {"torch": torch, "x": x}).grad_fn.name()
    return names


@case
def next_functions(torch):
    x = wave(torch, 2)
    y = (x * 2).exp()
    (parent, index), *others = y.grad_fn.next_functions
    leaf = parent.next_functions[0][0]
    kinds = [type(y.grad_fn).__name__, type(parent).__name__, type(leaf).__name__]
    return [kinds, index, len(others), leaf.variable is x]


@case
def function_of_a_user(torch):
    class Cube(torch.autograd.Function):  # type: ignore[name-defined]
        @staticmethod
        def forward(ctx, x, scale):
            ctx.save_for_backward(x)
            ctx.scale = scale
            return x**3 * scale

        @staticmethod
        def backward(ctx, grad_output):
            (x,) = ctx.saved_tensors
            return grad_output * 3 * x**2 * ctx.scale, None

    x = wave(torch, 3)
    y = Cube.apply(x, 2.0)
    y.sum().backward()
    with torch.no_grad():
        plain = Cube.apply(x, 2.0)
    return [y, x.grad, plain, type(y.grad_fn).__name__, Cube.apply(x.detach(), 1.0)]


@case
def function_with_two_results(torch):
    class SinCos(torch.autograd.Function):  # type: ignore[name-defined]
        @staticmethod
        def forward(ctx, x, y):
            s, c = x.sin(), y.cos()
            ctx.save_for_backward(x, y)
            return s, c

        @staticmethod
        def backward(ctx, ds, dc):
            x, y = ctx.saved_tensors
            flags = ctx.needs_input_grad
            return ds * x.cos() if flags[0] else None, -dc * y.sin() if flags[1] else None

    x, y = wave(torch, 2), wave(torch, 2, shift=1)
    s, c = SinCos.apply(x, y)
    (s.sum() * 2).backward(retain_graph=True)
    only = [x.grad.clone(), y.grad]
    (s * c).sum().backward()
    return [s, c, only, x.grad, y.grad, SinCos.apply(x.detach(), y)[1]]


@case
def function_with_setup_context(torch):
    class Double(torch.autograd.Function):  # type: ignore[name-defined]
        @staticmethod
        def forward(x):
            return x * 2

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.shape = inputs[0].shape

        @staticmethod
        def backward(ctx, g):
            return (g * 2).reshape(ctx.shape)

    x = wave(torch, 2, 2)
    Double.apply(x).sum().backward()
    return x.grad


@case
def function_that_marks(torch):
    class Sign(torch.autograd.Function):  # type: ignore[name-defined]
        @staticmethod
        def forward(ctx, x):
            y = x.sign()
            ctx.mark_non_differentiable(y)
            return x * 2, y

        @staticmethod
        def backward(ctx, g, ignored):
            return g * 2

    x = wave(torch, 2)
    doubled, sign = Sign.apply(x)
    doubled.sum().backward()
    return [doubled, sign, x.grad]


@case
def gradcheck(torch):
    x = positive(torch, 3, dtype=torch.float64)
    y = wave(torch, 3, dtype=torch.float64)
    check = torch.autograd.gradcheck
    passed = [
        check(torch.exp, (x,)),
        check(lambda a, b: (a * b).sin(), (x, y)),
        check(torch.mul, [x, y]),
    ]

    class Wrong(torch.autograd.Function):  # type: ignore[name-defined]
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 3

    answer = check(Wrong.apply, (x,), raise_exception=False)
    try:
        check(Wrong.apply, (x,))
    except Exception as error:
        return [passed, answer, isinstance(error, RuntimeError)]


@case
def deep_graphs(torch):
    x = torch.ones(1, requires_grad=True)
    y = x
    for _ in range(20000):
        y = y + 0.5
    y.backward()
    del y
    return x.grad


@case
def wide_graphs(torch):
    x = wave(torch, 2)
    total = sum(x * i for i in range(300))
    total.sum().backward()
    return [x.grad, total]


@case
def gradient_layout_and_expansion(torch):
    x = wave(torch, 2, 3)
    x.T.sum().backward()
    y = wave(torch, 3)
    y.expand(2, 3).sum().backward()
    y.grad[0] = 7
    return [x.grad, x.grad.is_contiguous(), y.grad]
