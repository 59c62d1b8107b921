"""Kinks, extremes, values outside the domain, and elementwise functions in place."""

from tests.autograd.torch_reference.registry import case, each, each_gradient, positive


@case
def kinks(torch):
    zero = torch.zeros(2, requires_grad=True)
    return each_gradient(
        torch,
        """
        x.abs()
        x.sign()
        x.relu()
        F.leaky_relu(x, 0.1)
        F.elu(x)
        F.silu(x)
        F.gelu(x)
        F.softplus(x)
        x.sqrt()
        x ** 0
        x ** 2
        x ** 0.5
        x ** -1
        0 ** x
        0.0 ** (x + 2)
        (x - 1) ** 3
        (x - 1) ** 0.5
        x.norm()
        x.norm(dim=0)
        x.log()
        torch.where(x > 0, x.log(), torch.zeros(()))
        torch.where(x > 0, x.sqrt(), torch.zeros(()))
        x.clamp(0, 1)
        x.tanh()
        torch.pow(x, x)
        """,
        x=zero,
    )


@case
def extremes_stay_finite(torch):
    x = torch.tensor([-1000.0, -90.0, -20.0, 0.0, 20.0, 21.0, 90.0, 1000.0], requires_grad=True)
    return each_gradient(
        torch,
        """
        x.exp()
        x.expm1()
        x.sigmoid()
        x.tanh()
        F.softplus(x)
        F.softplus(x, beta=2, threshold=10)
        F.logsigmoid(x)
        F.silu(x)
        F.gelu(x)
        F.elu(x)
        x.erf()
        """,
        x=x,
    )


@case
def values_outside_the_domain(torch):
    return each(
        torch,
        """
        x.log()
        x.sqrt()
        x.rsqrt()
        x.reciprocal()
        x.log1p()
        x.atanh()
        x ** 0.5
        x / 0
        x * float("inf")
        torch.tensor([100.0]).exp()
        torch.tensor([100]).exp()
        torch.tensor([1, 0]) / 0
        torch.tensor([-2.0]).log()
        torch.tensor([2]) ** -1
        torch.tensor([0]) ** torch.tensor([0])
        """,
        x=torch.tensor([-1.0, 0.0, 1.0]),
    )


@case
def rounding_is_to_even(torch):
    x = torch.tensor([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])
    return [x.round(), x.floor(), x.ceil(), torch.round(x * 1.23, decimals=1)]


@case
def inplace_arithmetic(torch):
    def apply(name, *arguments):
        x = positive(torch, 4, requires_grad=False)
        y = getattr(x, name)(*arguments)
        return [y is x, x, x._version]

    names = "exp_ log_ sqrt_ abs_ neg_ sin_ tanh_ sigmoid_ relu_ floor_ reciprocal_ square_ round_"
    results = {name: apply(name) for name in names.split()}
    numbers = "add_ sub_ mul_ div_ pow_ clamp_ remainder_ floor_divide_".split()
    return results | {f"{name}(0.75)": apply(name, 0.75) for name in numbers}


@case
def inplace_operators(torch):
    x = positive(torch, 3, requires_grad=False)
    original = x
    x += 1
    x *= torch.arange(3)
    x -= 0.5
    x /= 2
    x **= 2
    x //= 0.3
    x %= 4
    return [x is original, x, x._version]
