"""Reductions, sorting and norms, with gradients, ties and empty inputs."""

from tests.autograd.torch_reference.registry import case, each, each_gradient, integers, wave


@case
def sums_and_means(torch):
    return each_gradient(
        torch,
        """
        x.sum()
        x.sum(0)
        x.sum(-1)
        x.sum(dim=1, keepdim=True)
        x.sum((0, 2))
        x.sum(dim=(0, -1), keepdim=True)
        x.sum(dim=[1])
        torch.sum(x, 1)
        x.mean()
        x.mean(1)
        x.mean((0, 1))
        torch.mean(x, dim=-1, keepdim=True)
        x.prod()
        x.prod(1)
        x.prod(dim=-1, keepdim=True)
        x.cumsum(0)
        torch.cumsum(x, dim=-1)
        x.logsumexp(0)
        torch.logsumexp(x, dim=(0, 2), keepdim=True)
        """,
        x=wave(torch, 2, 3, 2),
    )


@case
def spreads(torch):
    return each_gradient(
        torch,
        """
        x.var()
        x.std()
        x.var(0)
        x.std(dim=1)
        x.std(dim=-1, keepdim=True)
        x.var(unbiased=False)
        x.var(1, unbiased=False)
        x.var(dim=1, correction=0)
        x.std(dim=0, correction=2)
        torch.std(x, dim=(0, 1))
        torch.var(x, 1, True)
        """,
        x=wave(torch, 4, 3),
    )


@case
def extremes(torch):
    return each_gradient(
        torch,
        """
        x.max()
        x.min()
        x.amax()
        x.amin()
        x.amax(1)
        x.amin(dim=(0, 1))
        x.amax(dim=-1, keepdim=True)
        x.max(0).values
        x.min(dim=1, keepdim=True)[0]
        torch.max(x, 1)[0]
        torch.min(x, dim=-1).values
        x.sort().values
        x.sort(dim=0, descending=True).values
        torch.sort(x, 1)[0]
        torch.topk(x, 2).values
        x.topk(1, dim=0, largest=False).values
        """,
        x=wave(torch, 2, 3),
    )


@case
def ties(torch):
    x = torch.tensor([[2.0, 1.0, 2.0], [1.0, 1.0, 2.0]], requires_grad=True)
    return each_gradient(
        torch,
        """
        x.max()
        x.min()
        x.amax()
        x.amin(1)
        x.amax((0, 1))
        x.max(0).values
        x.max(1).values
        x.min(dim=1).values
        x.sort(stable=True).values
        """,
        x=x,
    )


@case
def indices_of_extremes(torch):
    return each(
        torch,
        """
        k.argmax()
        k.argmin()
        k.argmax(0)
        k.argmin(dim=1, keepdim=True)
        torch.argmax(k, dim=-1)
        k.max(0).indices
        k.min(1).indices
        k.max(dim=1)
        type(k.max(dim=1)).__name__
        k.max(dim=1)[1].dtype
        k.argsort(stable=True)
        k.argsort(dim=0, descending=True, stable=True)
        k.sort(stable=True).indices
        torch.topk(k[0], 2).values
        torch.topk(k.float(), 1).indices
        k.bool().float().argmax()
        torch.tensor([1.0, float("nan"), 2.0]).max()
        torch.tensor([1.0, float("nan"), 2.0]).argmax()
        torch.tensor([1.0, float("nan"), 2.0]).max(0)
        torch.tensor([1.0, float("nan"), 2.0]).amin()
        torch.tensor([1.0, float("nan"), 2.0]).sort()
        """,
        k=integers(torch, 3, 4),
    )


@case
def truth(torch):
    return each(
        torch,
        """
        b.any()
        b.all()
        b.any(0)
        b.all(dim=1)
        b.any(dim=1, keepdim=True)
        torch.any(b)
        torch.all(torch.ones(0))
        torch.any(torch.ones(0, dtype=torch.bool))
        torch.tensor([0.0, 2.0]).any()
        torch.tensor([1, 2]).all()
        b.sum()
        """,
        b=torch.tensor([[True, False], [True, True]]),
    )


@case
def empties(torch):
    return each(
        torch,
        """
        e.sum()
        e.sum(0)
        e.sum(1)
        e.mean()
        e.prod()
        e.max()
        e.max(1)
        e.amax()
        e.argmax()
        e.any()
        e.all()
        e.logsumexp(1)
        e.norm()
        e.sort().values
        e.cumsum(0)
        e.exp()
        e @ torch.ones(0, 2)
        torch.cat([e, torch.ones(3, 1)], 1)
        """,
        e=torch.zeros(3, 0),
    )


@case
def zero_dimensional(torch):
    return each_gradient(
        torch,
        """
        x.sum()
        x.sum(0)
        x.sum(-1)
        x.mean()
        x.max()
        x.max(0).values
        x.prod()
        x.logsumexp(0)
        x.softmax(0)
        x.cumsum(0)
        x.sort().values
        x.norm()
        x.unsqueeze(0)
        x.expand(3)
        x.reshape(1, 1)
        x.flatten()
        x.squeeze()
        x.t()
        torch.stack([x, x])
        x[None]
        x[...]
        x.clamp(0, 1)
        """,
        x=torch.tensor(0.75, requires_grad=True),
    )


@case
def products_with_zeros(torch):
    return each_gradient(
        torch,
        """
        x.prod()
        x.prod(0)
        x.prod(1)
        x.prod(1, keepdim=True)
        x[0].prod()
        """,
        x=torch.tensor([[2.0, 0.0, 3.0], [0.0, 0.0, 4.0], [1.0, 2.0, 3.0]], requires_grad=True),
    )


@case
def logsumexp_of_infinities(torch):
    infinity = float("inf")
    return each_gradient(
        torch,
        """
        x.logsumexp(0)
        x.logsumexp(1)
        (x + 1000).logsumexp(1)
        """,
        x=torch.tensor([[-infinity, -infinity], [-infinity, 0.0]], requires_grad=True),
    )


@case
def norms(torch):
    return each_gradient(
        torch,
        """
        x.norm()
        torch.norm(x)
        x.norm(p=1)
        x.norm(p=2, dim=1)
        x.norm(dim=0, keepdim=True)
        x.norm(float("inf"))
        x.norm(p=3)
        """,
        x=wave(torch, 2, 3),
    )


@case
def squares_that_leave_the_range(torch):
    """As multiples of the input, since the comparison of float32 takes tiny numbers for 0."""
    half = torch.tensor([300.0, -300.0, 300.0, 300.0], dtype=torch.float16)
    return each_gradient(
        torch,
        """
        large.norm() / 1e20
        tiny.norm() / 1e-23
        large.norm(0.5) / 1e20
        torch.cat([large, tiny]).reshape(2, 1).norm(dim=1)[1] / 1e-23
        large.expand(2).norm()
        tiny.expand(2).norm()
        torch.cat([large, -large]).std() / 1e20
        torch.cat([tiny, -tiny]).std() / 1e-23
        torch.cat([tiny, -tiny]).var()
        half.norm()
        half.norm(3)
        half.std()
        """,
        large=torch.tensor([1e20], requires_grad=True),
        tiny=torch.tensor([-1e-23], requires_grad=True),
        half=half.requires_grad_(),
    )


@case
def running_sums_in_half(torch):
    """In float16 alone, 2048 + 1 is 2048."""
    return each(
        torch,
        """
        torch.ones(3000, dtype=torch.float16).cumsum(0)[-1]
        torch.ones(3000).cumsum(0, dtype=torch.float16)[-1]
        """,
    )


@case
def spread_of_one_element_warns(torch):
    return each(torch, "torch.ones(1).std(correction=0)\ntorch.ones(2, 2).std(dim=(0, 1))")


@case
def dimension_arguments(torch):
    return each(
        torch,
        """
        x.sum(2)
        x.sum(-3)
        x.mean((0, 0))
        x.max(5)
        x.softmax(2)
        x.cumsum(-3)
        x.argmax(3)
        x.sum(axis=0)
        x.sum(0, True)
        x.mean(axis=1, keepdims=True)
        x.sum(dim=None)
        x.topk(4)
        x.std(unbiased=True, correction=1)
        x.sort(dim=3)
        x.squeeze(5)
        """,
        x=wave(torch, 2, 3),
    )
