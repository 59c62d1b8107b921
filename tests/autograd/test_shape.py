"""Shapes, views, joining and parting: what shares memory, grad_fn names, refusals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Tensor
from tests.autograd.untyped import torch

SHAPED = {
    "view": lambda x: x.view(3, 2),
    "reshape": lambda x: x.reshape(-1),
    "flatten": lambda x: x.flatten(),
    "unsqueeze": lambda x: x.unsqueeze(1),
    "squeeze": lambda x: x.squeeze(),
    "transpose": lambda x: x.transpose(0, 1),
    "t": lambda x: x.t(),
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "permute": lambda x: x.permute(1, 0),
    "movedim": lambda x: x.movedim(0, 1),
    "expand": lambda x: x.expand(2, 2, 3),
    "broadcast_to": lambda x: torch.broadcast_to(x, (2, 2, 3)),
    "split": lambda x: x.split(1)[0],
    "chunk": lambda x: x.chunk(2, 1)[1],
    "unbind": lambda x: x.unbind()[1],
    "narrow": lambda x: x.narrow(1, 0, 2),
    "select": lambda x: x.select(0, 1),
    "index": lambda x: x[0, 1:],
}


def leaf(*shape: int) -> Tensor:
    return torch.arange(float(np.prod(shape))).view(shape).clone().requires_grad_()


@pytest.mark.parametrize("name", SHAPED)
def test_views_share_memory_and_versions(name: str) -> None:
    x = leaf(2, 3).detach()
    view = SHAPED[name](x)
    x.fill_(7)
    assert set(np.ravel(view.tolist())) == {7}
    assert view._version == x._version == 1


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: x.view(6), "ViewBackward0"),
        (lambda x: x.reshape(6), "ViewBackward0"),
        (lambda x: x.t().reshape(6), "UnsafeViewBackward0"),
        (lambda x: x.flatten(), "ViewBackward0"),
        (lambda x: x.squeeze(), "SqueezeBackward0"),
        (lambda x: x.squeeze(0), "SqueezeBackward1"),
        (lambda x: x.squeeze((0, 1)), "SqueezeBackward2"),
        (lambda x: x.unsqueeze(0), "UnsqueezeBackward0"),
        (lambda x: x.transpose(0, 1), "TransposeBackward0"),
        (lambda x: x.t(), "TBackward0"),
        (lambda x: x.T, "PermuteBackward0"),
        (lambda x: x.mT, "TransposeBackward0"),
        (lambda x: x.expand(2, 2, 3), "ExpandBackward0"),
        (lambda x: x.repeat(2, 2), "RepeatBackward0"),
        (lambda x: x.clone(), "CloneBackward0"),
        (lambda x: x.t().contiguous(), "CloneBackward0"),
        (lambda x: x.split(1)[0], "SplitBackward0"),
        (lambda x: x.split([1, 1])[0], "SplitWithSizesBackward0"),
        (lambda x: x.chunk(2)[0], "SplitBackward0"),
        (lambda x: x.unbind()[0], "UnbindBackward0"),
        (lambda x: torch.cat([x, x]), "CatBackward0"),
        (lambda x: torch.stack([x, x]), "StackBackward0"),
    ],
)
def test_names_of_nodes(call: Callable[[Tensor], Tensor], name: str) -> None:
    node = call(leaf(2, 3)).grad_fn
    assert node is not None
    assert node.name() == name


def test_nothing_to_do_gives_the_tensor_itself() -> None:
    vector = leaf(3)
    assert vector.contiguous() is vector
    assert vector.flatten() is vector


def test_a_view_that_would_need_a_copy() -> None:
    transposed = leaf(2, 3).t()
    with pytest.raises(RuntimeError, match="view size is not compatible"):
        transposed.view(6)
    assert transposed.view(3, 1, 2).shape == (3, 1, 2)  # the strides allow it
    copied = transposed.detach().reshape(6)
    copied.zero_()
    assert transposed.sum().item() == 15


def test_sizes_by_name_and_in_a_tuple() -> None:
    x = leaf(2, 3)
    assert x.reshape(shape=(3, 2)).shape == torch.reshape(x, [3, 2]).shape == (3, 2)
    assert x.view(size=(3, 2)).shape == x.view(torch.Size([3, 2])).shape == (3, 2)
    assert x.permute(dims=(1, 0)).shape == x.permute((1, 0)).shape == (3, 2)
    assert x.expand(size=(2, 2, 3)).shape == x.expand([2, -1, 3]).shape == (2, 2, 3)
    assert x.repeat(repeats=(2, 1)).shape == x.repeat([2, 1]).shape == (4, 3)
    assert [part.shape for part in x.split(split_size=2, dim=1)] == [(2, 2), (2, 1)]
    assert x.unflatten(1, (3, -1)).shape == (2, 3, 1)
    assert x.view_as(leaf(3, 2)).shape == x.reshape_as(leaf(3, 2)).shape == (3, 2)


def test_parts() -> None:
    x = leaf(7)
    assert [p.tolist() for p in x.chunk(3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [len(p) for p in torch.zeros(0).chunk(3)] == [0, 0, 0]
    assert [len(p) for p in x.split([0, 7])] == [0, 7]
    assert torch.zeros(0, 2).unbind() == ()
    first, second, _ = x.chunk(3)
    assert first.grad_fn is second.grad_fn
    second.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 0, 0, 1, 1, 1, 0]


def test_parts_cannot_be_changed_in_place() -> None:
    for part in (
        leaf(4).mul(1).chunk(2)[0],
        leaf(4).mul(1).unbind()[0],
        leaf(4).mul(1).split(3)[1],
    ):
        with pytest.raises(RuntimeError, match="output of a function that returns multiple views"):
            part.add_(1)


def test_expanded_tensors_cannot_be_changed_in_place() -> None:
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
        torch.zeros(1).expand(3).add_(1)
    single = torch.zeros(3)
    single.expand(3).add_(1)
    assert single.tolist() == [1, 1, 1]


def test_joining_promotes_and_gives_each_its_dtype_back() -> None:
    x, y = leaf(2), leaf(2).detach().double().requires_grad_()
    for joined in (torch.cat([x, y]), torch.stack((x, y))):
        assert joined.dtype is torch.float64
        joined.sum().backward()
    assert x.grad is not None
    assert y.grad is not None
    assert (x.grad.dtype, y.grad.dtype) == (torch.float32, torch.float64)
    assert torch.cat([torch.ones(1), torch.ones(1, dtype=torch.int64)]).dtype is torch.float32


def test_empty_vectors_pass_among_tensors_of_any_shape() -> None:
    empty, matrix = leaf(0), leaf(2, 2)
    torch.cat([empty, matrix], 1).sum().backward()
    assert empty.grad is not None
    assert empty.grad.shape == (0,)
    assert torch.cat([matrix.detach(), torch.zeros(0)]).shape == (2, 2)


X = torch.zeros(2, 3)

REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: X.view(5), RuntimeError, "shape '[5]' is invalid for input of size 6"),
    (lambda: X.view(-1, -1), RuntimeError, "only one dimension can be inferred"),
    (lambda: X.view(-2, 3), RuntimeError, "invalid shape dimension -2"),
    (lambda: X.view(2.0, 3), TypeError, "must be tuple of ints"),
    (lambda: torch.zeros(0).view(-1, 0), RuntimeError, "is ambiguous"),
    (lambda: X.flatten(1, 0), RuntimeError, "start_dim cannot come after end_dim"),
    (lambda: X.unflatten(1, (2, 2)), RuntimeError, "don't multiply up to the size of dim 1"),
    (lambda: X.unsqueeze(3), IndexError, "expected to be in range of [-3, 2], but got 3"),
    (lambda: X.unsqueeze(1.0), TypeError, "must be int, not float"),
    (lambda: X.squeeze(5), IndexError, "expected to be in range of [-2, 1], but got 5"),
    (lambda: X.squeeze((0, 0)), RuntimeError, "dim 0 appears multiple times in the list of dims"),
    (lambda: X.transpose(0, 2), IndexError, "Dimension out of range"),
    (lambda: torch.zeros(2, 3, 4).t(), RuntimeError, "expects a tensor with <= 2 dimensions"),
    (lambda: torch.zeros(2).mT, RuntimeError, "only supported on matrices or batches of matrices"),
    (lambda: X.permute(0), RuntimeError, "number of dimensions in the tensor input does not match"),
    (lambda: X.permute(0, 0), RuntimeError, "duplicate dims are not allowed"),
    (lambda: X.movedim((0, 1), (0, 0)), RuntimeError, "repeated dim in `destination`"),
    (lambda: X.expand(2, 2), RuntimeError, "The expanded size of the tensor (2) must match"),
    (lambda: X.expand(3), RuntimeError, "must be greater or equal to the number of dimensions"),
    (lambda: X.expand(-1, 2, 3), RuntimeError, "leading, non-existing dimension 0"),
    (lambda: X.repeat(2), RuntimeError, "repeat dims can not be smaller"),
    (lambda: X.repeat(2, -1), RuntimeError, "negative dimension -3: [4, -3]"),
    (lambda: torch.cat([]), ValueError, "expected a non-empty list of Tensors"),
    (lambda: torch.cat(X), TypeError, "must be tuple of Tensors, not Tensor"),
    (lambda: torch.cat([X, 2]), TypeError, "expected Tensor as element 1 in argument 0"),
    (lambda: torch.cat([X[0, 0]]), RuntimeError, "zero-dimensional tensor (at position 0)"),
    (lambda: torch.cat([X, X[0]]), RuntimeError,
     "must have same number of dimensions: got 2 and 1"),
    (lambda: torch.cat([X, X.t()]), RuntimeError,
     "Sizes of tensors must match except in dimension 0"),
    (lambda: torch.cat([X, X], 2), IndexError, "Dimension out of range"),
    (lambda: torch.stack([]), RuntimeError, "stack expects a non-empty TensorList"),
    (lambda: torch.stack([X, X.t()]), RuntimeError, "stack expects each tensor to be equal size"),
    (lambda: X.split(0), RuntimeError, "split_size can only be 0 if dimension size is 0"),
    (lambda: X.split(-1), RuntimeError, "split_size be non-negative"),
    (lambda: X.split([1, 2]), RuntimeError, "split_sizes to sum exactly to 2"),
    (lambda: X.split([3, -1]), RuntimeError, "only non-negative entries"),
    (lambda: X.chunk(0), RuntimeError, "expects `chunks` to be greater than 0"),
    (lambda: X[0, 0].chunk(1), RuntimeError, "at least a 1-dimensional tensor"),
    (lambda: X[0, 0].unbind(), IndexError, "tensor has no dimensions"),
    (lambda: X.narrow(0, 1, 2), RuntimeError, "start (1) + length (2) exceeds dimension size (2)"),
    (lambda: X.narrow(0, 3, 0), IndexError, "start out of range"),
    (lambda: X.select(0, 2), IndexError, "select(): index 2 out of range"),
    (lambda: torch.reshape(2, (1,)), TypeError, "argument 'input' (position 1) must be Tensor"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "text"), REFUSED)
def test_refusals(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error) as raised:
        call()
    assert text in str(raised.value)
