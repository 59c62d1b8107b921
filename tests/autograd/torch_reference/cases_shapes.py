"""Shape, joining and splitting, gathering and scattering, linear algebra."""

from tests.autograd.torch_reference.registry import (
    case,
    each,
    each_gradient,
    integers,
    positive,
    wave,
)


@case
def reshaping(torch):
    return each_gradient(
        torch,
        """
        x.reshape(6, 2)
        x.reshape(-1)
        x.reshape((3, -1))
        torch.reshape(x, (2, 6))
        x.view(4, 3)
        x.view(-1)
        x.view(torch.Size([12]))
        x.flatten()
        x.flatten(1)
        x.flatten(start_dim=0, end_dim=1)
        torch.flatten(x, 1)
        x.unsqueeze(0)
        x.unsqueeze(-1)
        torch.unsqueeze(x, 2)
        x[:, :, :1].squeeze()
        x[:, :, :1].squeeze(-1)
        x.squeeze(0)
        x[:1, :, :1].squeeze((0, 2))
        """,
        x=wave(torch, 2, 3, 2),
    )


@case
def transposing(torch):
    return each_gradient(
        torch,
        """
        x.transpose(0, 2)
        x.transpose(-1, -2)
        torch.transpose(x, 0, 1)
        x.permute(2, 0, 1)
        x.permute((1, 0, 2))
        torch.permute(x, (0, 2, 1))
        x.mT
        x[0].T
        x[0].t()
        """,
        x=wave(torch, 2, 3, 2),
    )


@case
def expanding(torch):
    return each_gradient(
        torch,
        """
        x.expand(3, 2)
        x.expand(4, 3, 2)
        x.expand(-1, 2)
        x.expand_as(torch.zeros(3, 2))
        torch.broadcast_to(x, (2, 3, 2))
        x.repeat(2, 2)
        x.repeat((1, 3))
        x.repeat(2, 1, 1)
        """,
        x=wave(torch, 3, 1),
    )


@case
def joining(torch):
    return each_gradient(
        torch,
        """
        torch.cat([x, y])
        torch.cat((x, x, y), dim=0)
        torch.cat([x, x], dim=1)
        torch.cat([x, x], -1)
        torch.stack([x, x])
        torch.stack([x, x], dim=1)
        torch.stack((x, x), -1)
        torch.cat([torch.tensor([]), x[0]])
        """,
        x=wave(torch, 2, 3),
        y=wave(torch, 1, 3, shift=1.0),
    )


@case
def splitting(torch):
    return each_gradient(
        torch,
        """
        x.split(2)[0]
        x.split(2)[2]
        x.split([1, 4], dim=0)[1]
        torch.split(x, 2, dim=1)[1]
        x.chunk(2)[1]
        x.chunk(3, dim=1)[2]
        torch.chunk(x, 4)[-1]
        x.unbind()[3]
        x.unbind(1)[0]
        torch.unbind(x, dim=-1)[2]
        """,
        x=wave(torch, 5, 3),
    )


@case
def splitting_counts(torch):
    x = torch.arange(10)
    return each(
        torch,
        """
        x.split(4)
        x.chunk(4)
        x.chunk(7)
        type(x.chunk(2)).__name__
        type(x.unbind()).__name__
        x.split([3, 3])
        x.chunk(0)
        x.split(0)
        """,
        x=x,
    )


@case
def views_share_memory(torch):
    names = """x.view(-1); x.reshape(6); x.T; x[0]; x[:, 1:]; x.unsqueeze(0); x.expand(2, 2, 3)
        x.flatten(); x.T.reshape(6); x.detach(); x.clone(); x[[0]]; x.contiguous(); x.chunk(2)[0]"""

    def shares(line):
        x = torch.zeros(2, 3)
        view = eval(line, {"x": x})
        x.fill_(1)
        return [bool((view == 1).all()), view.is_contiguous()]

    return {line.strip(): shares(line.strip()) for line in names.replace("\n", ";").split(";")}


@case
def gathering(torch):
    return each_gradient(
        torch,
        """
        x.gather(1, torch.tensor([[0, 2], [1, 1]]))
        torch.gather(x, 0, torch.tensor([[0, 1, 1]]))
        x.gather(-1, torch.tensor([[1], [0]]))
        x.gather(dim=1, index=torch.tensor([[1]]))
        x.gather(1, torch.tensor([[1], [0]], dtype=torch.int32))
        torch.index_select(x, 1, torch.tensor([2, 0, 2]))
        x.index_select(0, torch.tensor([1]))
        torch.take_along_dim(x, torch.tensor([[1], [0]]), dim=1)
        x.take_along_dim(torch.tensor([3, 0]))
        torch.masked_select(x, x > 0)
        x.masked_select(torch.tensor([True, False, True]))
        """,
        x=wave(torch, 2, 3),
    )


@case
def scattering(torch):
    return each_gradient(
        torch,
        """
        x.scatter(1, torch.tensor([[0, 2], [1, 0]]), s)
        x.scatter(1, torch.tensor([[2], [1]]), 5.0)
        x.scatter_add(1, torch.tensor([[0, 0], [1, 2]]), s)
        torch.scatter_add(x, 0, torch.tensor([[0, 1], [0, 0]]), s)
        """,
        x=wave(torch, 2, 3),
        s=wave(torch, 2, 2, shift=1.0),
    )


@case
def scattering_in_place(torch):
    x = torch.zeros(2, 3)
    index = torch.tensor([[0], [2]])
    return [
        x.scatter_(1, index, 1.0) is x,
        x,
        x.scatter_add_(1, index, torch.ones(2, 1)),
        x._version,
    ]


@case
def gather_arguments(torch):
    return each(
        torch,
        """
        x.gather(1, torch.tensor([[0.0]]))
        x.gather(1, torch.tensor([0]))
        x.gather(1, torch.tensor([[3]]))
        x.gather(1, torch.tensor([[-1]]))
        x.gather(2, torch.tensor([[0]]))
        x.gather(1, torch.tensor([[0], [0], [0]]))
        torch.tensor(1.0).gather(0, torch.tensor(0))
        x.index_select(0, torch.tensor([2]))
        x.index_select(0, torch.tensor([[0]]))
        x.scatter(1, torch.tensor([[3]]), 1.0)
        x.masked_select(torch.tensor([0, 1, 1]))
        """,
        x=wave(torch, 2, 3, requires_grad=False),
    )


@case
def selecting(torch):
    return each(
        torch,
        """
        k.nonzero()
        torch.nonzero(k)
        torch.nonzero(k, as_tuple=True)
        torch.tensor(1).nonzero()
        torch.where(k > 0)
        F.one_hot(torch.tensor([0, 2]))
        F.one_hot(torch.tensor([[1], [0]]), num_classes=3)
        F.one_hot(torch.tensor([3]), 3)
        F.one_hot(torch.tensor([-1]))
        F.one_hot(torch.tensor([1.0]))
        """,
        k=integers(torch, 2, 3),
    )


@case
def products(torch):
    return each_gradient(
        torch,
        """
        a @ b
        torch.matmul(a, b)
        torch.mm(a, b)
        a.mm(b)
        a.matmul(b[:, 0])
        a @ b[:, 0]
        a[0] @ b
        a[0] @ b[:, 0]
        torch.mv(a, b[:, 0])
        torch.dot(a[0], b[:, 0])
        torch.outer(a[0], b[0])
        torch.addmm(b[:2], a, b)
        torch.addmm(b[0], a, b, beta=0.5, alpha=2)
        torch.einsum("ij,jk->ik", a, b)
        torch.einsum("ij,jk", a, b)
        torch.einsum("ij->", a)
        torch.einsum("ij->ji", a)
        torch.einsum("ij,ij->i", a, a)
        torch.einsum("i,j->ij", a[0], b[0])
        torch.einsum("ii->i", b[:, :3])
        torch.einsum("bi,bj,ij->b", a, a, b[:, :3])
        a.T.matmul(a)
        """,
        a=wave(torch, 2, 3),
        b=wave(torch, 3, 4, shift=1.0),
    )


@case
def batched_products(torch):
    return each_gradient(
        torch,
        """
        torch.bmm(a, b)
        a.bmm(b)
        a @ b
        a @ b[0]
        a[0] @ b
        a @ b[0, :, 0]
        a[0, 0] @ b
        a.unsqueeze(1) @ b
        torch.einsum("bij,bjk->bik", a, b)
        torch.einsum("...ij,...jk->...ik", a, b)
        torch.einsum("bij,bjk->ik", a, b)
        """,
        a=positive(torch, 2, 2, 3),
        b=wave(torch, 2, 3, 2),
    )


@case
def shape_arguments(torch):
    return each(
        torch,
        """
        x.view(5)
        x.view(-1, -1)
        x.T.view(6)
        x.reshape(4, -1)
        x.expand(3, 3)
        x.expand(2)
        x.transpose(0, 2)
        x.permute(0)
        x.permute(0, 0)
        x.unsqueeze(4)
        x.squeeze(0)
        x.repeat(2)
        x + torch.ones(2)
        x @ torch.ones(2)
        x @ torch.ones(2, 2)
        torch.mm(x, torch.ones(3))
        torch.bmm(x, x)
        torch.dot(torch.ones(2), torch.ones(3))
        torch.mv(x, torch.ones(2))
        torch.cat([x, torch.ones(2, 2)])
        torch.cat([])
        torch.cat([x, torch.ones(3)])
        torch.stack([x, torch.ones(3)])
        torch.stack([])
        torch.tensor(1.0) @ x
        torch.einsum("ij,jk->ik", x, x)
        torch.outer(x, x)
        """,
        x=wave(torch, 2, 3, requires_grad=False),
    )


@case
def triangles(torch):
    return each_gradient(
        torch,
        """
        x.tril()
        torch.triu(x)
        x.tril(1)
        x.triu(-1)
        torch.tril(x[:, 0], diagonal=-2)
        x[0].triu(5)
        (x > 0).tril() * x
        x[0, 0].tril()
        x.tril(0.5)
        """,
        x=wave(torch, 2, 3, 4),
    )
