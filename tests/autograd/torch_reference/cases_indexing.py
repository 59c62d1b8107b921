"""Indexing and assignment through an index."""

from tests.autograd.torch_reference.registry import case, each, each_gradient, wave


@case
def getitem(torch):
    return each_gradient(
        torch,
        """
        x[0]
        x[-1]
        x[1, 2]
        x[:, 1]
        x[1:]
        x[::2]
        x[:, ::3]
        x[..., 0]
        x[None]
        x[:, None, 1:]
        x[[0, 2, 0]]
        x[torch.tensor([0, 2, 0])]
        x[torch.tensor([[0, 1], [2, -1]])]
        x[[0, 1], [1, 3]]
        x[torch.tensor([0, 1])[:, None], torch.tensor([1, 3])]
        x[:, [1, 1, 0]]
        x[x > 0]
        x[torch.tensor([True, False, True])]
        x[:, torch.tensor([True, False, True, False])]
        x[torch.tensor([True, False, True]), torch.tensor([1, 2])]
        x[torch.tensor(1)]
        x[torch.tensor(1), 2]
        x[torch.arange(3), torch.arange(3)]
        x[np.array([0, 2])]
        x[True]
        x[False]
        x[...]
        x[()]
        x[5:]
        x[-2:]
        x[0:0]
        x[:, :, None]
        x[1, ..., None]
        x[[True, False, True]]
        x[torch.tensor([0, 2], dtype=torch.int32)]
        x[(0, 1)]
        x[None, 0, :, None]
        x[[0, 1], :, None]
        x[[0, 1], None, [1, 2]]
        """.replace("np.array([0, 2])", "torch.tensor([0, 2]).numpy()"),
        x=wave(torch, 3, 4),
    )


@case
def getitem_of_three_dimensions(torch):
    return each_gradient(
        torch,
        """
        x[0, 1]
        x[..., 1]
        x[:, [0, 2], 0]
        x[[0, 1], :, [1, 0]]
        x[0, :, [1, 0, 1]]
        x[:, torch.tensor([[0], [2]]), torch.tensor([0, 1])]
        x[torch.tensor([[True, False, True], [False, False, True]])]
        x[1, ..., 0:1]
        x[None, ..., [0]]
        """,
        x=wave(torch, 2, 3, 2),
    )


@case
def getitem_errors(torch):
    return each(
        torch,
        """
        x[2]
        x[-3]
        x[0, 0, 0]
        x[torch.tensor([2])]
        x[torch.tensor([0.5])]
        x[0.5]
        x[torch.tensor([True, False, True])]
        x[::-1]
        x[[0, 5]]
        torch.tensor(1)[0]
        x[:, 5]
        """,
        x=wave(torch, 2, 3),
    )


SET = """x[0] = 5; x[1, 2] = v[0, 0]; x[:, 1] = v[:, 0]; x[:] = v; x[...] = 0.0; x[[0, 1]] = v
    x[x > 0] = 0; x[torch.tensor([0, 1]), torch.tensor([1, 2])] = v[0, :2]; x[1:] = v[:1] * 2
    x[0] = v[1]; x[:, None] = 1.0; x[torch.tensor([True, False])] = v[0]; x[0, :2] = 7
    x[..., 0] = torch.tensor(3); x[-1, -1] = True; x[5:] = 1; x[0] = torch.tensor([1, 2, 3])"""


@case
def setitem(torch):
    def assign(line):
        x = wave(torch, 2, 3, requires_grad=False)
        exec(line, {"torch": torch, "x": x, "v": wave(torch, 2, 3, shift=1, requires_grad=False)})
        return [x, x._version]

    return {line.strip(): assign(line.strip()) for line in SET.replace("\n", ";").split(";")}


@case
def setitem_gradients(torch):
    def assign(line):
        leaf, v = wave(torch, 2, 3), wave(torch, 2, 3, shift=1)
        x = leaf * 2
        exec(line, {"torch": torch, "x": x, "v": v})
        (x * x).sum().backward()
        return [x, leaf.grad, v.grad]

    return {line.strip(): assign(line.strip()) for line in SET.replace("\n", ";").split(";")}


@case
def setitem_into_a_tensor_without_gradient(torch):
    x, v = torch.zeros(2, 3), wave(torch, 3)
    x[0] = v * 2
    before = [x.requires_grad, x.is_leaf, x.grad_fn is not None]
    (x * x).sum().backward()
    return [before, v.grad]


@case
def setitem_errors(torch):
    def assign(line):
        x = wave(torch, 2, 3, requires_grad=False)
        try:
            exec(line, {"torch": torch, "x": x})
        except Exception as error:
            return type(error).__name__
        return x

    lines = """x[0] = torch.ones(2); x[5] = 1; x[0, 0] = torch.ones(2); x[0] = "a"
        x[torch.tensor([True])] = 1; x[[0, 3]] = 1; x[0] = [1.0, 2.0, 3.0]; x[::-1] = 1"""
    return {line.strip(): assign(line.strip()) for line in lines.replace("\n", ";").split(";")}


@case
def setitem_keeps_the_dtype(torch):
    k = torch.zeros(3, dtype=torch.int64)
    k[0] = 2.7
    k[1:] = torch.tensor([1.5, -1.5])
    return k


@case
def duplicates_accumulate(torch):
    x = wave(torch, 3)
    x[torch.tensor([0, 0, 2])].sum().backward()
    y = wave(torch, 2, 2)
    y.gather(1, torch.tensor([[0, 0, 1]])).sum().backward()
    z = wave(torch, 2)
    torch.index_select(z, 0, torch.tensor([1, 1])).sum().backward()
    return [x.grad, y.grad, z.grad]
