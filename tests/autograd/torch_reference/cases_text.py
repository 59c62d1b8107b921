"""The text of a tensor: `repr`, `str` and `format`, in torch's form."""

from tests.autograd.torch_reference.registry import case, each


@case
def repr_of_floats(torch):
    return each(
        torch,
        """
        repr(torch.tensor(1.0))
        repr(torch.tensor([1.0, 2.0]))
        repr(torch.tensor([0.1, 0.25]))
        repr(torch.tensor([1e-8, 1.0]))
        repr(torch.tensor([1e10, 1.0]))
        repr(torch.tensor([123456.0, 1.0]))
        repr(torch.tensor([[1.0, -2.0], [0.0, 4.5]]))
        repr(torch.tensor([float("nan"), float("inf"), 1.5]))
        repr(torch.tensor([float("-inf"), 1.0]))
        repr(torch.tensor(3.14159265))
        repr(torch.zeros(2, 0))
        repr(torch.tensor([]))
        """,
    )


@case
def repr_of_other_dtypes(torch):
    return each(
        torch,
        """
        repr(torch.tensor([1, -20]))
        repr(torch.tensor([True, False]))
        repr(torch.tensor(5))
        repr(torch.tensor(False))
        repr(torch.zeros(2, dtype=torch.float64))
        repr(torch.ones(1, dtype=torch.int32))
        repr(torch.tensor(1.5, dtype=torch.float16))
        repr(torch.zeros(0, dtype=torch.int64))
        """,
    )


@case
def repr_in_the_graph(torch):
    return each(
        torch,
        """
        repr(x)
        repr(x * 2)
        repr(x.sum())
        repr(x.double().exp())
        str(x.detach())
        repr(torch.nn.Parameter(x))
        repr(torch.nn.Parameter(x, requires_grad=False))
        """,
        x=torch.ones(2, requires_grad=True),
    )


@case
def repr_of_large_and_nested(torch):
    return each(
        torch,
        """
        repr(torch.arange(2000))
        repr(torch.zeros(2, 2, 2))
        repr(torch.arange(30.0))
        repr(torch.zeros(3, 1001))
        """,
    )


@case
def formats(torch):
    return each(
        torch,
        """
        f"{torch.tensor(1.23456):.3f}"
        f"{torch.tensor(3):d}"
        f"{torch.ones(2)}"
        f"{torch.tensor(0.5)}"
        f"{torch.ones(2):.3f}"
        """,
    )


@case
def repr_of_modules(torch):
    return each(
        torch,
        """
        repr(nn.Linear(2, 3))
        repr(nn.Sequential(nn.Linear(1, 2, bias=False), nn.ReLU(), nn.Sequential(nn.Tanh())))
        repr(nn.ModuleList([nn.Identity(), nn.Flatten()]))
        repr(nn.ModuleDict({"a": nn.Dropout(0.25), "b": nn.LayerNorm(3)}))
        repr(nn.Conv2d(1, 2, 3, stride=2, padding=1))
        repr(nn.BatchNorm1d(4))
        repr(nn.LeakyReLU())
        repr(nn.ELU())
        repr(nn.GELU())
        repr(nn.SiLU())
        repr(nn.Softplus())
        repr(nn.Softmax(dim=-1))
        repr(nn.LogSoftmax(dim=1))
        repr(nn.Sigmoid())
        repr(nn.MSELoss())
        repr(nn.Module())
        """,
    )
