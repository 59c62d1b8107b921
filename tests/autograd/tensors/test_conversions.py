"""Tensors as other dtypes, on devices, and as Python's and NumPy's values."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import tensor


def leaf() -> autograd.Tensor:
    return autograd.arange(6.0).view(2, 3).clone().requires_grad_()


@pytest.mark.parametrize(
    ("method", "dtype"),
    [("half", "float16"), ("float", "float32"), ("double", "float64"), ("char", "int8"),
     ("short", "int16"), ("int", "int32"), ("long", "int64"), ("byte", "uint8"), ("bool", "bool")],
)  # fmt: skip
def test_conversion_methods(method: str, dtype: str) -> None:
    wanted = getattr(autograd, dtype)
    converted = getattr(tensor([0.0, 1.75, 2.0]), method)()
    assert converted.dtype is wanted
    assert getattr(converted, method)() is converted
    assert tensor([1]).to(wanted).dtype is wanted


def test_to_in_every_form() -> None:
    x, whole = autograd.ones(2), tensor(3)
    for same in (x.to(), x.to("cpu"), x.to(autograd.float32), x.to(autograd.device("cpu")), x.cpu(),
                 x.to(device="cpu"), x.to(x), x.to("cpu", autograd.float32, True)):  # fmt: skip
        assert same is x
    assert x.to(whole).dtype is autograd.int64
    assert x.to("cpu", autograd.float64).dtype is autograd.float64
    assert x.to(dtype=autograd.int32, non_blocking=True).dtype is autograd.int32
    assert x.to(float).dtype is autograd.float64
    assert x.to(int).dtype is x.type_as(whole).dtype is autograd.int64
    assert x.type(autograd.int64).dtype is autograd.int64
    assert x.type() == "torch.FloatTensor"
    assert x.type("torch.DoubleTensor").dtype is autograd.float64
    for copied in (x.to(autograd.float32, copy=True), x.to(autograd.float32, False, True),
                   x.to("cpu", autograd.float32, False, True)):  # fmt: skip
        assert copied is not x
        assert copied.data_ptr() != x.data_ptr()


@pytest.mark.parametrize(
    ("argument", "error", "text"),
    [
        ("cuda", AssertionError, "Torch not compiled with CUDA enabled"),
        ("gpu", RuntimeError, "device type at start of device string"),
        (np.float32, TypeError, "must be torch.dtype"),
    ],
)
def test_to_refuses(argument: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        autograd.ones(2).to(argument)


def test_gradients_come_back_in_the_dtype_of_the_input() -> None:
    x = leaf()
    (x.double() * 2).sum().backward()
    assert x.grad is not None
    assert x.grad.dtype is autograd.float32
    assert x.grad.tolist() == [[2, 2, 2], [2, 2, 2]]
    node = x.double().grad_fn
    assert node is not None
    assert node.name() == "ToCopyBackward0"
    assert not x.long().requires_grad


def test_item_and_tolist() -> None:
    assert tensor([[2.5]]).item() == 2.5
    assert type(tensor(3).item()) is int
    assert type(tensor(True).item()) is bool
    assert leaf().tolist() == [[0, 1, 2], [3, 4, 5]]
    assert tensor(3).tolist() == 3
    with pytest.raises(
        RuntimeError, match="a Tensor with 2 elements cannot be converted to Scalar"
    ):
        tensor([1, 2]).item()


def test_python_numbers() -> None:
    assert (float(tensor([[2.5]])), int(tensor(2.5)), complex(tensor(1.0))) == (2.5, 2, 1 + 0j)
    assert [10, 20][tensor(1)] == 20
    for convert in (float, int):
        with pytest.raises(ValueError, match="only one element tensors can be converted"):
            convert(leaf())
    for wrong in (tensor(1.0), tensor([0, 1])):
        with pytest.raises(TypeError, match="only integer tensors of a single element"):
            [10, 20][wrong]


def test_truth() -> None:
    assert tensor([[2.5]])
    assert not tensor(0)
    with pytest.raises(RuntimeError, match="more than one value is ambiguous"):
        bool(leaf())
    with pytest.raises(RuntimeError, match="no values is ambiguous"):
        bool(tensor([]))


def test_as_a_container() -> None:
    x = leaf()
    assert len(x) == 2
    rows = list(x)
    assert [row.tolist() for row in rows] == [[0, 1, 2], [3, 4, 5]]
    assert rows[0].requires_grad
    assert 2.0 in x
    assert tensor([7.0]) not in x
    for wrong in (len, list):
        with pytest.raises(TypeError, match="0-d tensor"):
            wrong(tensor(1.0))
    with pytest.raises(RuntimeError, match="only supports Tensor or scalar"):
        "a" in x  # noqa: B015


def test_format_and_hash() -> None:
    assert (
        f"{tensor(1.5):.3f}|{tensor(3):5d}|{tensor(1.5, requires_grad=True)}" == "1.500|    3|1.5"
    )
    assert f"{tensor([1.0])}" == "tensor([1.])"
    with pytest.raises(TypeError, match=r"unsupported format string passed to Tensor.__format__"):
        f"{tensor([1.0]):.3f}"
    x = leaf()
    assert {x: 1}[x] == 1
    assert hash(x) != hash(leaf())


def test_numpy_shares_memory() -> None:
    x = autograd.zeros(2)
    x.numpy()[0] = 5
    assert x.tolist() == [5, 0]
    assert np.asarray(x, dtype=np.int64).tolist() == [5, 0]
    assert np.array(x).base is None


def test_numpy_of_what_needs_a_gradient() -> None:
    x = leaf()
    for convert in (x.numpy, lambda: np.asarray(x)):
        with pytest.raises(
            RuntimeError, match=r"Can't call numpy\(\) on Tensor that requires grad"
        ):
            convert()
    assert x.numpy(force=True).tolist() == x.tolist()
    with autograd.no_grad():
        assert x.numpy().tolist() == x.tolist()
    with pytest.raises(TypeError):
        np.ones(3) * x


def test_sizes() -> None:
    x = leaf()
    assert x.size() == x.shape == (2, 3)
    assert (x.size(0), x.size(-1), x.dim(), x.ndim, x.numel(), x.nelement()) == (2, 3, 2, 2, 6, 6)
    assert (x.stride(), x.stride(0), x.t().stride()) == ((3, 1), 3, (1, 3))
    assert (x.itemsize, x.element_size(), x.nbytes) == (4, 4, 24)
    assert (x.is_contiguous(), x.t().is_contiguous()) == (True, False)
    assert (x.is_floating_point(), tensor(1).is_floating_point(), x.is_complex()) == (
        True,
        False,
        False,
    )
    assert (x.is_cuda, x.is_cpu, x.get_device(), x.is_signed()) == (False, True, -1, True)
    with pytest.raises(IndexError, match="Dimension out of range"):
        x.size(2)


def test_deepcopy() -> None:
    x = leaf()
    (x * x).sum().backward()
    twin = copy.deepcopy(x)
    assert twin is not x
    assert twin.requires_grad
    assert twin.is_leaf
    assert twin.grad.tolist() == x.grad.tolist()  # type: ignore[union-attr]
    twin.data.zero_()
    twin.grad.zero_()  # type: ignore[union-attr]
    assert x.sum().item() == 15
    assert x.grad.sum().item() == 30  # type: ignore[union-attr]
    first, second = copy.deepcopy([x, x])
    assert first is second
    with pytest.raises(RuntimeError, match="Only Tensors created explicitly by the user"):
        copy.deepcopy(x * 2)


def test_deepcopy_keeps_what_shares_memory_together(device: str) -> None:
    x = autograd.arange(12.0, device=device).view(3, 4).t()
    part, whole, alias = copy.deepcopy([x[1:, ::2], x, x.detach()])
    whole.fill_(7)
    assert part.tolist() == [[7, 7], [7, 7], [7, 7]]
    assert alias.tolist() == whole.tolist()
    assert x.sum().item() == 66
    assert (part.stride(), whole.stride()) == ((1, 8), (1, 4))


def test_copy_and_pickle_make_leaves() -> None:
    x = leaf()
    product = x * 2
    shared = copy.copy(product)
    assert shared.is_leaf
    assert shared.requires_grad
    assert shared.data_ptr() == product.data_ptr()
    x.grad = autograd.ones(2, 3)
    again = pickle.loads(pickle.dumps(x))
    assert again.tolist() == x.tolist()
    assert again.requires_grad
    assert again.grad is None
    assert pickle.loads(pickle.dumps(product)).is_leaf
    for part in (autograd.float32, x.shape):
        assert pickle.loads(pickle.dumps(part)) == part
    assert pickle.loads(pickle.dumps(autograd.float32)) is autograd.float32
