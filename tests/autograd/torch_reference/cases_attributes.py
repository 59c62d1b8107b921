"""Attributes of a tensor, its conversions, copies and texts."""

import copy
import pickle

import numpy as np

from tests.autograd.torch_reference.registry import case, each, positive, wave


@case
def attributes(torch):
    return each(
        torch,
        """
        x.shape
        x.size()
        x.size(0)
        x.size(-1)
        x.size(dim=1)
        x.size(2)
        x.dim()
        x.ndim
        x.numel()
        len(x)
        len(torch.tensor(1))
        x.dtype
        x.device
        x.grad
        x.grad_fn
        x._version
        x.is_floating_point()
        torch.is_floating_point(x.int())
        torch.is_tensor(x)
        torch.is_tensor([1])
        torch.numel(x)
        x.requires_grad
        """,
        x=wave(torch, 2, 3),
    )


@case
def size_is_a_tuple(torch):
    return each(
        torch,
        """
        size == (2, 3)
        size + (1,)
        isinstance(size, tuple)
        isinstance(size[1:], torch.Size)
        size.numel()
        str(size)
        repr(size[1:])
        torch.Size([2, 3]) == size
        """,
        size=torch.zeros(2, 3).shape,
    )


@case
def transposes(torch):
    return each(
        torch,
        """
        x.T
        x.mT
        x.t()
        y.mT
        x.T.is_contiguous()
        x.T.contiguous().is_contiguous()
        x.contiguous() is x
        torch.arange(2).t()
        y.t()
        torch.arange(2).mT
        """,
        x=torch.arange(6).reshape(2, 3),
        y=torch.arange(12).reshape(2, 2, 3),
    )


@case
def items(torch):
    return each(
        torch,
        """
        torch.tensor(1.5).item()
        torch.tensor([2]).item()
        torch.tensor([[True]]).item()
        torch.tensor(0.1).item()
        torch.zeros(2).item()
        torch.zeros(0).item()
        torch.tensor(2).tolist()
        torch.zeros(2, 2).tolist()
        torch.zeros(0).tolist()
        torch.tensor([True]).tolist()
        """,
    )


@case
def python_conversions(torch):
    return each(
        torch,
        """
        float(torch.tensor([2.5]))
        int(torch.tensor([[2.5]]))
        bool(torch.tensor(0))
        bool(torch.tensor(0.5))
        [10, 20, 30][torch.tensor(1)]
        [10, 20, 30][torch.tensor(1.0)]
        float(torch.zeros(2))
        bool(torch.zeros(2))
        bool(torch.zeros(0))
        list(range(torch.tensor(2)))
        torch.tensor(5) in torch.arange(3)
        1.0 in torch.ones(2)
        iter(torch.tensor(1))
        list(torch.arange(2))
        """,
    )


@case
def numpy_shares_memory(torch):
    x = torch.zeros(2)
    array = x.numpy()
    array[0] = 3
    return [x, array, np.asarray(x), x.numpy(force=True), np.array([x.tolist()])]


@case
def numpy_of_a_tensor_that_requires_grad(torch):
    return each(
        torch,
        """
        x.numpy()
        (x * 2).numpy()
        np.asarray(x)
        x.numpy(force=True)
        x.detach().numpy()
        """,
        x=wave(torch, 2),
    )


@case
def numpy_of_a_leaf_under_no_grad(torch):
    with torch.no_grad():
        return wave(torch, 2).numpy()


@case
def numpy_scalars_stay_tensors(torch):
    return each(
        torch,
        """
        np.float64(2) * x
        x * np.float64(2)
        x + np.float32(1)
        x ** np.int64(2)
        np.ones(2) * x
        """,
        x=positive(torch, 2),
    )


@case
def conversions(torch):
    x = torch.tensor([0.0, 1.75, -2.5])
    names = "float double half long int bool".split()
    return {name: getattr(x, name)() for name in names}


@case
def conversions_that_return_self(torch):
    return each(
        torch,
        """
        x.float() is x
        x.cpu() is x
        x.to(torch.float32) is x
        x.to("cpu") is x
        x.to(x) is x
        x.type_as(x) is x
        x.to(x.device) is x
        x.to(torch.float64) is x
        x.to(torch.float32, copy=True) is x
        """,
        x=torch.ones(2),
    )


@case
def to_variants(torch):
    return each(
        torch,
        """
        x.to(torch.float64)
        x.to(y)
        x.to("cpu", torch.float16)
        x.to(device="cpu", dtype=torch.float64)
        x.type_as(y)
        x.to(dtype=torch.int64)
        x.to("nowhere")
        """,
        x=wave(torch, 3),
        y=torch.zeros(1, dtype=torch.float64),
    )


@case
def conversion_has_a_gradient(torch):
    x = wave(torch, 3)
    (x.double() ** 2).sum().backward()
    return [x.grad, x.double()]


@case
def copies(torch):
    x = wave(torch, 3)
    return [x.clone(), x.detach(), x.clone().detach().requires_grad_(), x.data, x.contiguous() is x]


@case
def clone_does_not_share(torch):
    x = torch.zeros(2)
    x.clone().fill_(1)
    x.detach()[0] = 2
    x.data[1] = 3
    return x


@case
def copy_and_fill(torch):
    x = torch.zeros(2, 3)
    y = torch.ones(3, dtype=torch.float64)
    same = x.copy_(y) is x
    return [same, x, x.clone().fill_(2), x.clone().zero_(), x._version]


@case
def deepcopy_and_pickle(torch):
    x = wave(torch, 3)
    x.sum().backward()
    copied, pickled = copy.deepcopy(x), pickle.loads(pickle.dumps(x))
    return [copied, copied.grad, pickled, pickled.grad]


@case
def deepcopy_of_views(torch):
    """Copied together, they share memory; each keeps its strides."""
    x = torch.arange(6.0).view(2, 3)
    column, base, leaf, alias = copy.deepcopy([x[:, 1], x, *[torch.ones(2).requires_grad_()] * 2])
    base[0, 1] = 9.0
    others = [x.t(), x.t()[::2], x[1:, ::2], torch.ones(1).expand(3)]
    return [column, x, leaf is alias, [copy.deepcopy(o).stride() for o in [column, *others]]]


@case
def deepcopy_of_a_parameter(torch):
    p = copy.deepcopy(torch.nn.Parameter(torch.ones(2)))
    q = pickle.loads(pickle.dumps(p))
    transposed = torch.nn.Parameter(torch.ones(2, 3).t())
    strides = copy.deepcopy(transposed).stride()
    return [p, type(p).__name__, q, type(q).__name__, strides]


@case
def pickled_nonleaf_is_a_leaf(torch):
    return pickle.loads(pickle.dumps(wave(torch, 2) * 2))


@case
def special_values(torch):
    return each(
        torch,
        """
        torch.isnan(x)
        torch.isinf(x)
        torch.isfinite(x)
        x.isnan()
        torch.nan_to_num(x)
        torch.nan_to_num(x, 1.0, 2.0, 3.0)
        torch.nan_to_num(x, nan=5.0)
        torch.isnan(torch.tensor([1]))
        torch.isfinite(torch.tensor([1]))
        """,
        x=torch.tensor([float("nan"), float("inf"), -float("inf"), 0.0]),
    )


@case
def finfo(torch):
    kinds = [torch.finfo(getattr(torch, name)) for name in ("float16", "float32", "float64")]
    return [[info.eps, info.max, info.min, info.tiny, info.bits] for info in kinds]


@case
def dtypes(torch):
    return each(
        torch,
        """
        torch.float is torch.float32
        torch.double is torch.float64
        torch.half is torch.float16
        torch.long is torch.int64
        torch.int is torch.int32
        torch.float32.is_floating_point
        torch.int64.is_floating_point
        torch.float32 == torch.float64
        str(torch.float32)
        repr(torch.bool)
        """,
    )


@case
def devices(torch):
    return each(
        torch,
        """
        str(torch.device("cpu"))
        torch.device("cpu").type
        torch.zeros(2).device == torch.device("cpu")
        torch.zeros(2, device="cpu").device.type
        torch.zeros(1, device=torch.device("cpu")).dtype
        str(torch.device("cuda:1"))
        torch.device("cuda:1").index
        torch.device("cuda", 1) == torch.device("cuda:1")
        repr(torch.device("cpu"))
        torch.device("gpu")
        """,
    )


@case
def equality_and_hash(torch):
    x = torch.ones(2)
    return each(
        torch,
        """
        x == None
        x != None
        len({x, x, torch.ones(2)})
        x == torch.ones(2)
        torch.equal(x, torch.ones(2))
        torch.equal(x, torch.ones(3))
        torch.equal(x, torch.ones(2, 1))
        torch.allclose(x, x + 1e-9)
        torch.allclose(x, x + 1e-3)
        torch.allclose(x, x + 1e-3, atol=1e-2)
        torch.allclose(x * float("nan"), x * float("nan"), equal_nan=True)
        """,
        x=x,
    )


@case
def iteration(torch):
    first, second = wave(torch, 2, 2)
    return [first, second, [row.sum() for row in wave(torch, 2, 2)]]
