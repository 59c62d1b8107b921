"""Dtypes of results: which pairs give what, and what is refused."""

from tests.autograd.torch_reference.registry import case, each, outcome, register

DTYPES = "float16 float32 float64 int8 int16 int32 int64 uint8 bool".split()
BINARY = "add sub mul div floor_divide remainder pow maximum eq lt logical_and".split()
REDUCTIONS = "sum mean prod std var amax max argmax any all cumsum logsumexp norm sort".split()


def _dtype(function):
    result = outcome(function)
    return result if isinstance(result, str) else result.dtype


def _pairs(name):
    def pairs(torch):
        ones = {dtype: torch.ones(2, dtype=getattr(torch, dtype)) for dtype in DTYPES}
        function = getattr(torch, name)
        return {
            a: [_dtype(lambda a=a, b=b: function(ones[a], ones[b])) for b in DTYPES] for a in DTYPES
        }

    return pairs


def _dimensionless(name):
    def dimensionless(torch):
        ones = {dtype: torch.ones(2, dtype=getattr(torch, dtype)) for dtype in DTYPES}
        function = getattr(torch, name)
        return {
            a: [_dtype(lambda a=a, b=b: function(ones[a], ones[b][0])) for b in DTYPES]
            + [_dtype(lambda a=a, b=b: function(ones[a], b)) for b in (1, 1.5, True)]
            for a in DTYPES
        }

    return dimensionless


for _name in BINARY:
    register(f"promotion.{_name}", _pairs(_name))
    register(f"promotion.{_name}_with_0d_and_numbers", _dimensionless(_name))


@case
def reductions(torch):
    def results(dtype):
        x = torch.ones(2, dtype=getattr(torch, dtype))
        called = {name: outcome(lambda name=name: getattr(x, name)(dim=0)) for name in REDUCTIONS}
        return {k: [v.dtype] if hasattr(v, "dtype") else repr_of(v) for k, v in called.items()}

    def repr_of(value):
        return value if isinstance(value, str) else [part.dtype for part in value]

    return {dtype: results(dtype) for dtype in DTYPES}


@case
def joins(torch):
    ones = {dtype: torch.ones(1, dtype=getattr(torch, dtype)) for dtype in DTYPES}
    pairs = [(a, b) for i, a in enumerate(DTYPES) for b in DTYPES[i + 1 :]]
    return {
        f"{a} {b}": [
            _dtype(lambda a=a, b=b: torch.cat([ones[a], ones[b]])),
            _dtype(lambda a=a, b=b: torch.stack([ones[a], ones[b]])),
            _dtype(lambda a=a, b=b: torch.where(ones[a] > 0, ones[a], ones[b])),
        ]
        for a, b in pairs
    }


@case
def mixed_expressions(torch):
    return each(
        torch,
        """
        (f * torch.tensor(2.0, dtype=torch.float64)).dtype
        (f * np.float64(2)).dtype
        (k + f).dtype
        (k * 1.5).dtype
        (k / 2).dtype
        (k * 2).dtype
        (k.to(torch.uint8) - 1)
        k.to(torch.int8) * 100
        k.exp().dtype
        k.sigmoid().dtype
        (f + d).dtype
        (f.sum() + d).dtype
        (f + d.sum()).dtype
        (k + d.sum()).dtype
        (k + f.sum()).dtype
        (k.sum() + f.half()).dtype
        (k > 0.5).dtype
        (f ** k).dtype
        (2 ** k)
        (2.0 ** k)
        (1 - k.bool().float()).dtype
        (k.bool() + k.bool()).dtype
        (k.bool() * 2).dtype
        (k.bool() / k.bool()).dtype
        (k.bool() * 1.5).dtype
        torch.where(k > 0, f, d).dtype
        torch.where(k > 0, f, 0).dtype
        torch.where(k > 0, k, 0.5).dtype
        torch.where(k > 0, 1, 2).dtype
        torch.where(k > 0, 1.0, 2).dtype
        torch.lerp(f, d, 0.5)
        torch.clamp(k, 0.5).dtype
        torch.minimum(f, d).dtype
        f.masked_fill(k > 0, 2).dtype
        k.masked_fill(k > 0, 2.5).dtype
        k.masked_fill(k > 0, torch.tensor(2)).dtype
        torch.full_like(k, 2.5)
        f @ d
        torch.mm(k.reshape(1, 2), k.reshape(2, 1))
        k @ k
        f @ k
        k.bool().sum()
        k.mean(dtype=torch.float32)
        k.sum(dtype=torch.float64)
        f.sum(dtype=torch.float64)
        k.cumsum(0, dtype=torch.float32)
        torch.softmax(f, 0, dtype=torch.float64)
        torch.softmax(k, 0)
        torch.softmax(k, 0, dtype=torch.float32).dtype
        F.linear(f, d.reshape(1, 2))
        torch.dot(f, d)
        torch.addmm(f, k.float().reshape(1, 2), d.reshape(2, 1))
        torch.cat([k, f]).dtype
        torch.outer(k, f).dtype
        torch.einsum("i,i->", f, d)
        """,
        f=torch.ones(2),
        d=torch.ones(2, dtype=torch.float64),
        k=torch.tensor([1, 2]),
    )


@case
def inplace_keeps_the_dtype(torch):
    made = {"f": torch.ones(2), "d": torch.ones(2, dtype=torch.float64), "k": torch.tensor([1, 2])}
    return each(
        torch,
        """
        f.add_(d)
        f.mul_(k)
        f.clone().copy_(k)
        k.add_(1)
        k.add_(0.5)
        k.mul_(f)
        k.div_(2)
        k.bool().add_(1)
        k.bool().logical_and_(k.bool())
        k.clone().copy_(f * 1.7)
        k.clone().fill_(2.7)
        k.pow_(2)
        f.clone().lerp_(f, 0.5)
        k.clamp_(0.5)
        """,
        **made,
    )


@case
def gradients_have_the_inputs_dtype(torch):
    f = torch.ones(2, requires_grad=True)
    d = torch.ones(2, dtype=torch.float64, requires_grad=True)
    h = torch.ones(2, dtype=torch.float16, requires_grad=True)
    (f * d + h).sum().backward()
    torch.nn.functional.mse_loss(f, d).backward()
    return [f.grad, d.grad, h.grad]
