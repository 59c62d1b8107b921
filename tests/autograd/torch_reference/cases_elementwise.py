"""Arithmetic and elementwise functions, with their gradients."""

from tests.autograd.torch_reference.registry import (
    case,
    each,
    each_gradient,
    integers,
    positive,
    register,
    wave,
)

UNARY = """exp expm1 log log1p sqrt rsqrt square abs sign neg reciprocal sin cos tanh atanh erf
    sigmoid floor ceil round relu""".split()


def _unary(name):
    def unary(torch):
        inside = wave(torch, 4, scale=0.9) if name == "atanh" else None
        x = inside if inside is not None else positive(torch, 4)
        results = {"positive": each_gradient(torch, f"x.{name}()", x=x)}
        if name not in ("log", "sqrt", "rsqrt"):
            signed = wave(torch, 4, scale=0.9, dtype=torch.float64)
            results["signed"] = each_gradient(torch, f"torch.{name}(x)", x=signed)
        half, whole = torch.tensor([0.5], dtype=torch.float16), torch.tensor([1, 0])
        results["dtypes"] = each(torch, f"half.{name}()\nwhole.{name}()", half=half, whole=whole)
        return results

    return unary


for _name in UNARY:
    register(f"elementwise.{_name}", _unary(_name))


@case
def arithmetic_with_tensors(torch):
    return each_gradient(
        torch,
        """
        x + y
        x - y
        x * y
        x / y
        x ** y
        -x
        +x
        abs(x - y)
        torch.add(x, y, alpha=2)
        torch.sub(x, y, alpha=0.5)
        torch.mul(x, y)
        torch.div(x, y)
        torch.pow(x, y)
        x.add(y, alpha=-1)
        x.sub(y).mul(x).div(y).pow(y)
        """,
        x=positive(torch, 2, 3),
        y=positive(torch, 3, shift=0.4),
    )


@case
def arithmetic_with_numbers(torch):
    return each_gradient(
        torch,
        """
        x + 2
        2 - x
        x * 2.5
        3 / x
        x ** 2
        x ** 0
        x ** 0.5
        x ** -1.5
        2 ** x
        x ** True
        x // 0.4
        x % 0.4
        torch.pow(2.0, x)
        """,
        x=positive(torch, 4),
    )


@case
def remainders(torch):
    return each(
        torch,
        """
        k % 3
        k % -3
        k // 2
        k // -2
        x % 0.75
        x % -0.75
        x // 0.75
        7 % (k + 10)
        7 // (k + 10)
        torch.fmod(k, 2)
        torch.fmod(x, 0.75)
        torch.remainder(x, 0.75)
        torch.remainder(x, x)
        torch.floor_divide(k, 2)
        torch.div(k, 2)
        torch.div(k, 2, rounding_mode="floor")
        torch.div(k, 2, rounding_mode="trunc")
        torch.div(x, 0.75, rounding_mode="floor")
        torch.div(x, 0.75, rounding_mode="up")
        k // 0
        k % 0
        x // 0
        x % 0
        """,
        k=integers(torch, 7),
        x=wave(torch, 4, requires_grad=False),
    )


@case
def remainder_gradients(torch):
    return each_gradient(
        torch,
        """
        x % y
        torch.remainder(x, y)
        torch.fmod(x, y)
        x.remainder(0.3)
        """,
        x=wave(torch, 4),
        y=positive(torch, 4),
    )


@case
def comparisons(torch):
    return each(
        torch,
        """
        k < 0
        k <= 0
        k > 0
        k >= 0
        k == 0
        k != 0
        torch.lt(k, -k)
        k.le(1)
        torch.gt(k, 0.5)
        k.ge(x)
        torch.eq(k, k)
        k.ne(k)
        2 > k
        x < float("nan")
        torch.tensor([1, 2]) == torch.tensor([[1], [2]])
        """,
        k=integers(torch, 7),
        x=wave(torch, 7, requires_grad=False),
    )


@case
def comparisons_need_no_gradient(torch):
    x = wave(torch, 3)
    return [
        x > 0,
        x == x,
        x.argmax(),
        torch.isnan(x),
        x.sign().requires_grad,
        x.floor().requires_grad,
    ]


@case
def logic(torch):
    return each(
        torch,
        """
        a & b
        a | b
        a ^ b
        ~a
        torch.logical_and(a, b)
        torch.logical_or(a, b)
        torch.logical_xor(a, b)
        torch.logical_not(a)
        a.logical_not()
        torch.logical_not(torch.tensor([0.0, 2.0]))
        torch.logical_and(torch.tensor([1, 0]), torch.tensor([2.0, 2.0]))
        k & 3
        k | 1
        k ^ 1
        ~k
        torch.tensor([1.0]) & 1
        ~torch.tensor([1.0])
        a & 1
        a + b
        a * b
        a - b
        -a
        1 - a
        a.any() or b.all()
        """,
        a=torch.tensor([True, True, False, False]),
        b=torch.tensor([True, False, True, False]),
        k=integers(torch, 4),
    )


@case
def minimum_maximum(torch):
    return each_gradient(
        torch,
        """
        torch.minimum(x, y)
        torch.maximum(x, y)
        torch.min(x, y)
        torch.max(x, y)
        x.minimum(y)
        x.max(y)
        torch.minimum(x, x)
        torch.maximum(x, x.detach())
        torch.minimum(x, torch.tensor(0.0))
        torch.maximum(x * float("nan"), y)
        """,
        x=wave(torch, 2, 3),
        y=wave(torch, 3, shift=2.0),
    )


@case
def minimum_ties_with_nan(torch):
    nan = float("nan")
    x = torch.tensor([nan, 1.0, nan, 2.0], requires_grad=True)
    y = torch.tensor([1.0, nan, nan, 2.0], requires_grad=True)
    return each_gradient(torch, "torch.minimum(x, y)\ntorch.maximum(x, y)", x=x, y=y)


@case
def clamp(torch):
    nan = float("nan")
    x = torch.tensor([-2.0, -1.0, 0.5, 1.0, 2.0, nan], requires_grad=True)
    low = torch.tensor([-1.0, -1.0, -1.0, -1.0, 3.0, 0.0], requires_grad=True)
    return each_gradient(
        torch,
        """
        x.clamp(-1, 1)
        x.clamp(min=-1)
        x.clamp(max=1.0)
        torch.clamp(x, -1, 1)
        torch.clamp(x, min=0.5)
        x.clamp(1, -1)
        x.clamp(min=low)
        x.clamp(max=low)
        x.clamp(low, low + 1)
        x.clamp()
        """,
        x=x,
        low=low,
    )


@case
def clamp_of_integers(torch):
    return each(torch, "k.clamp(0, 1)\nk.clamp(0.5, 1.5)\nk.clamp(min=0.5)", k=integers(torch, 5))


@case
def lerp_where_masked_fill(torch):
    return each_gradient(
        torch,
        """
        torch.lerp(x, y, 0.25)
        x.lerp(y, 0.9)
        torch.lerp(x, y, torch.tensor([0.1, 0.5, 0.9]))
        torch.where(x > 0, x, y)
        torch.where(x > 0, x, 0.0)
        torch.where(x > 0, 1.0, y)
        torch.where(torch.tensor([True, False, True]), x, y)
        x.where(x > y, y)
        x.masked_fill(x > 0, 0.0)
        x.masked_fill(torch.tensor([True, False, False]), -1e9)
        torch.masked_fill(x, x < 0, 2)
        """,
        x=wave(torch, 2, 3),
        y=wave(torch, 3, shift=1.0),
    )
