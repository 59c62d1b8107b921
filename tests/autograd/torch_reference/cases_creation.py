"""Creation of tensors: factories, data from elsewhere, random numbers."""

import numpy as np

from tests.autograd.torch_reference.registry import case, each


@case
def tensor_infers_dtype(torch):
    return each(
        torch,
        """
        torch.tensor(1)
        torch.tensor(1.0)
        torch.tensor(True)
        torch.tensor([1, 2])
        torch.tensor([1, 2.0])
        torch.tensor([True, 2])
        torch.tensor([])
        torch.tensor([[], []])
        torch.tensor([[1.5], [2]])
        torch.tensor((1, 2))
        torch.tensor(range(3))
        torch.tensor(np.zeros(2))
        torch.tensor(np.float32(1))
        torch.tensor(np.float64(1))
        torch.tensor(np.int32(3))
        torch.tensor(np.array([1], np.int16))
        torch.tensor([np.float64(1)])
        torch.tensor([torch.tensor(1.5), torch.tensor(2.5)])
        torch.tensor([torch.tensor(1), 2.0])
        torch.tensor([1.0, 2.0], requires_grad=True)
        torch.tensor([[1, 2], [3]])
        torch.tensor("a")
        torch.tensor(None)
        torch.tensor([1], requires_grad=True)
        torch.tensor(np.array(["a"]))
        """,
    )


@case
def tensor_with_dtype(torch):
    names = "float16 float32 float64 int8 int16 int32 int64 uint8 bool".split()
    return {name: torch.tensor([0.0, 1.75, 2.0], dtype=getattr(torch, name)) for name in names}


@case
def numpy_memory(torch):
    array = np.ones(2)
    copied, shared, also = torch.tensor(array), torch.from_numpy(array), torch.as_tensor(array)
    array[0] = 5
    return [copied, shared, also, torch.as_tensor(array, dtype=torch.float32)]


@case
def from_numpy_dtypes(torch):
    names = "float16 float32 float64 int8 int16 int32 int64 uint8 bool".split()
    return {name: torch.from_numpy(np.ones(2, getattr(np, name, bool))) for name in names}


@case
def from_numpy_keeps_negative_strides_out(torch):
    array = np.arange(6).reshape(2, 3)
    return each(
        torch,
        """
        torch.from_numpy(array.T)
        torch.from_numpy(array[:, ::2]).is_contiguous()
        torch.from_numpy(array[::-1])
        torch.from_numpy([1])
        torch.tensor(array[::-1].copy())
        """,
        array=array,
    )


@case
def as_tensor_of_a_tensor(torch):
    x = torch.ones(2)
    return each(
        torch,
        """
        torch.as_tensor(x) is x
        torch.as_tensor(x, dtype=torch.float32) is x
        torch.as_tensor(x, dtype=torch.float64)
        torch.as_tensor([1.5, 2])
        torch.as_tensor(3)
        """,
        x=x,
    )


@case
def legacy_constructors(torch):
    return each(
        torch,
        """
        torch.Tensor(2, 3).shape
        torch.Tensor().shape
        torch.Tensor([1, 2])
        """,
    )


@case
def zeros_ones_full(torch):
    return each(
        torch,
        """
        torch.zeros(2, 3)
        torch.zeros((2,))
        torch.zeros([2])
        torch.zeros(())
        torch.zeros(size=(2,))
        torch.zeros(torch.Size([1, 2]))
        torch.zeros(2, dtype=bool)
        torch.zeros(-1)
        torch.zeros(1.5)
        torch.ones(2, dtype=int)
        torch.ones(1, dtype=float)
        torch.ones(0, 3)
        torch.ones(2, requires_grad=True)
        torch.ones(2, dtype=torch.int64, requires_grad=True)
        torch.full((2,), 3)
        torch.full((2,), 3.5)
        torch.full((1,), True)
        torch.full((2,), 3, dtype=torch.float64)
        torch.full((2, 1), fill_value=float("inf"))
        """,
    )


@case
def likes(torch):
    x = torch.tensor([[1, 2]], dtype=torch.int32)
    y = torch.ones(2, dtype=torch.float64, requires_grad=True)
    return each(
        torch,
        """
        torch.zeros_like(x)
        torch.ones_like(x)
        torch.full_like(x, 7)
        torch.zeros_like(y)
        torch.ones_like(y, requires_grad=True)
        torch.ones_like(x, dtype=torch.float32)
        torch.full_like(y, 2)
        torch.empty_like(x).shape
        torch.empty_like(y).dtype
        torch.rand_like(y).dtype
        torch.randn_like(y).requires_grad
        torch.randn_like(x)
        """,
        x=x,
        y=y,
    )


@case
def arange(torch):
    return each(
        torch,
        """
        torch.arange(3)
        torch.arange(3.0)
        torch.arange(1, 4)
        torch.arange(1, 2, 0.25)
        torch.arange(5, 0, -2)
        torch.arange(0)
        torch.arange(0.5, 3)
        torch.arange(3, dtype=torch.float64)
        torch.arange(2, dtype=torch.int8)
        torch.arange(start=1, end=3)
        torch.arange(3.0, requires_grad=True)
        torch.arange(3, 1)
        torch.arange(0, 1, 0)
        """,
    )


@case
def linspace_and_eye(torch):
    return each(
        torch,
        """
        torch.linspace(0, 1, 5)
        torch.linspace(-1, 1, steps=4)
        torch.linspace(3, 3, 1)
        torch.linspace(0, 1, 0)
        torch.linspace(0, 1, 3, dtype=torch.float64)
        torch.linspace(1, 0, 2, requires_grad=True)
        torch.eye(2)
        torch.eye(2, 3)
        torch.eye(2, dtype=torch.int64)
        torch.eye(1, requires_grad=True)
        """,
    )


@case
def empties(torch):
    return each(
        torch,
        """
        torch.empty(2, 3).shape
        torch.empty((0,))
        torch.empty(1, dtype=torch.int8).dtype
        torch.empty(2, requires_grad=True).is_leaf
        """,
    )


@case
def random_shapes_and_dtypes(torch):
    made = {
        "rand": torch.rand(2, 3),
        "randn": torch.randn((2,)),
        "randn64": torch.randn(2, dtype=torch.float64),
        "randn0": torch.randn(()),
        "randint": torch.randint(5, (3,)),
        "randint_range": torch.randint(1, 5, (2, 2)),
        "randint_dtype": torch.randint(2, (2,), dtype=torch.int32),
        "randint_named": torch.randint(low=0, high=2, size=(3,)),
        "randperm": torch.randperm(4),
        "rand_empty": torch.rand(0),
        "rand_leaf": torch.rand(2, requires_grad=True),
        "normal": torch.normal(0.0, 1.0, (2, 3)),
        "normal_both": torch.normal(torch.zeros(3), torch.ones(3)),
        "normal_mean": torch.normal(torch.zeros(2), 1.0),
        "normal_std": torch.normal(0.0, torch.ones(2, 1)),
        "normal_named": torch.normal(mean=0.0, std=1.0, size=(2,)),
    }
    return {k: [t.shape, t.dtype, t.requires_grad, t.is_leaf] for k, t in made.items()}


@case
def random_ranges(torch):
    generator = torch.Generator().manual_seed(3)
    u = torch.rand(1000, generator=generator)
    n = torch.randn(1000, generator=generator)
    k = torch.randint(2, 5, (1000,), generator=generator)
    permutation = torch.randperm(50, generator=generator).sort().values
    moments = [abs(n.mean().item()), abs(n.std().item() - 1), abs(u.mean().item() - 0.5)]
    ends = [u.min().item() >= 0, u.max().item() < 1, k.min().item(), k.max().item()]
    return [[moment < 0.15 for moment in moments], ends, permutation]


@case
def random_arguments(torch):
    return each(
        torch,
        """
        torch.randint(5, 5, (2,))
        torch.normal(0.0, -1.0, (2,))
        torch.normal(torch.zeros(2), -torch.ones(2))
        torch.randn(2, dtype=torch.int64)
        torch.randperm(-1)
        torch.rand(-1)
        torch.randperm(0)
        """,
    )


@case
def seeds_repeat(torch):
    def draw(seed):
        torch.manual_seed(seed)
        return torch.randn(4).tolist()

    generator = torch.Generator()
    own = [generator.manual_seed(5) is generator, generator.initial_seed()]
    return [draw(1) == draw(1), draw(1) == draw(2), own]


@case
def generator_state_repeats(torch):
    generator = torch.Generator().manual_seed(0)
    state = generator.get_state()
    first = torch.rand(3, generator=generator)
    generator.set_state(state)
    return [torch.equal(first, torch.rand(3, generator=generator)), state.dtype]
