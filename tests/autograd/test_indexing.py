"""Reading and writing by index: torch's order of steps, views and copies, refusals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Tensor, tensor
from tests.autograd.untyped import torch


def leaf(*shape: int) -> Tensor:
    return torch.arange(float(np.prod(shape))).view(shape).clone().requires_grad_()


@pytest.mark.parametrize(
    ("index", "shape"),
    [
        ((0, slice(None), [0, 1]), (3, 2)),  # NumPy would answer (2, 3)
        ((slice(None), 0, [0, 1]), (2, 2)),
        (([0, 1], slice(None), [0, 1]), (2, 3)),
        ((None, [0, 1], slice(None), [0, 1]), (2, 1, 3)),
        ((..., [0, 1]), (2, 3, 2)),
        (([0, 1], ..., 0), (2, 3)),
        ((True, 0), (1, 3, 4)),
        ((0, True, [0, 1]), (2, 4)),
        (([True, False],), (1, 3, 4)),
        (([0, 1], None, [0, 1]), (2, 1, 4)),
        ((..., ...), (2, 3, 4)),
        (np.int64(1), (3, 4)),
        (np.array(1), (3, 4)),
        (np.array([1, 0, 1]), (3, 3, 4)),
        ([slice(None), 0], (2, 4)),
        (range(2), (2, 3, 4)),
        (tensor(1), (3, 4)),
        (slice(tensor(0), tensor(1)), (1, 3, 4)),
        (tensor(True), (1, 2, 3, 4)),
        (torch.zeros(2, 3, dtype=torch.bool), (0, 4)),
        ([], (0, 3, 4)),
        (slice(3, 1), (0, 3, 4)),
        ((), (2, 3, 4)),
    ],
)
def test_shapes(index: Any, shape: tuple[int, ...]) -> None:
    x = leaf(2, 3, 4)
    part = x[index]
    assert part.shape == shape
    part.sum().backward()
    assert x.grad is not None
    assert x.grad.sum().item() == part.numel()


@pytest.mark.parametrize(
    ("index", "name", "before"),
    [
        (0, "SelectBackward0", "AccumulateGrad"),
        (slice(0, 2), "SliceBackward0", "AccumulateGrad"),
        (slice(None), "SliceBackward0", "AccumulateGrad"),
        (None, "UnsqueezeBackward0", "AccumulateGrad"),
        (..., "AliasBackward0", "AccumulateGrad"),
        ((), "AliasBackward0", "AccumulateGrad"),
        ((slice(None), slice(None)), "AliasBackward0", "AccumulateGrad"),
        ((slice(None), 0), "SelectBackward0", "AccumulateGrad"),
        ((0, None), "UnsqueezeBackward0", "AccumulateGrad"),
        ((slice(None), slice(1, None)), "SliceBackward0", "AccumulateGrad"),
        (tensor(1), "SelectBackward0", "AccumulateGrad"),
        ([0, 1], "IndexBackward0", "AccumulateGrad"),
        ((0, [0, 1]), "IndexBackward0", "SelectBackward0"),
        (torch.ones(2, 3, dtype=torch.bool), "IndexBackward0", "AccumulateGrad"),
    ],
)
def test_names_of_nodes(index: Any, name: str, before: str) -> None:
    node = leaf(2, 3)[index].grad_fn
    assert node is not None
    assert node.name() == name
    assert type(node.next_functions[0][0]).__name__ == before


def test_numbers_and_slices_give_views() -> None:
    x = torch.zeros(2, 3)
    for view in (x[0], x[0, 1], x[:, 1:], x[None], x[...], x[-1, ::2]):
        view.fill_(1)
        assert x._version == view._version
    for copied in (x[[0, 1]], x[x > 5], x[tensor([0])]):
        assert copied._version == 0


def test_repeated_indices_add_up_in_the_gradient() -> None:
    x = leaf(3)
    x[[0, 0, 2]].sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2, 0, 1]


def test_indices_are_kept_as_they_were() -> None:
    x, index = leaf(3), tensor([0, 1])
    picked = x[index]
    index.fill_(2)
    picked.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1, 1, 0]


@pytest.mark.parametrize("name", ["gather", "index_select"])
def test_an_index_changed_before_backward_is_noticed(name: str) -> None:
    x, index = leaf(3), tensor([0, 1])
    picked = getattr(x, name)(0, index)
    index.fill_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        picked.sum().backward()


X, VECTOR, NUMBER = torch.zeros(2, 3), torch.arange(3.0), tensor(1.0)

REFUSED_INDICES: list[tuple[Tensor, Any, type[Exception], str]] = [
    (X, 5, IndexError, "index 5 is out of bounds for dimension 0 with size 2"),
    (X, -3, IndexError, "index -3 is out of bounds for dimension 0 with size 2"),
    (X, (0, 3), IndexError, "index 3 is out of bounds for dimension 1 with size 3"),
    (X, (0, 0, 0), IndexError, "too many indices for tensor of dimension 2"),
    (X, [5], IndexError, "index 5 is out of bounds for dimension 0 with size 2"),
    (X, tensor([0, -3]), IndexError, "index -3 is out of bounds for dimension 0 with size 2"),
    (NUMBER, 0, IndexError, "invalid index of a 0-dim tensor"),
    (NUMBER, (0,), IndexError, "too many indices for tensor of dimension 0"),
    (NUMBER, slice(None), IndexError, "slice() cannot be applied to a 0-dim tensor"),
    (X, 1.0, IndexError, "are valid indices (got float)"),
    (X, "a", TypeError, "new(): invalid data type 'str'"),
    (X, tensor([0.5]), IndexError, "tensors used as indices must be long, int, byte or bool"),
    (X, tensor([0], dtype=torch.int16), IndexError, "tensors used as indices must be long"),
    (X, tensor([True, False, True]), IndexError, "The shape of the mask [3] at index 0"),
    (X, (slice(None), tensor([True])), IndexError, "The shape of the mask [1] at index 0 does not "
     "match the shape of the indexed tensor [2, 3] at index 1"),
    (X, ([0, 1], [0, 1, 2]), IndexError, "could not be broadcast together with shapes [2], [3]"),
    (X, slice(None, None, -1), ValueError, "step must be greater than zero"),
]  # fmt: skip


@pytest.mark.parametrize(("x", "index", "error", "text"), REFUSED_INDICES)
def test_indices_that_are_refused(x: Tensor, index: Any, error: type[Exception], text: str) -> None:
    for use in (lambda: x[index], lambda: x.clone().__setitem__(index, 1)):
        with pytest.raises(error) as raised:
            use()
        assert text in str(raised.value)


def test_bytes_are_masks_with_a_warning() -> None:
    with pytest.warns(UserWarning, match=r"torch.uint8 is now deprecated"):
        assert VECTOR[tensor([1, 0, 1], dtype=torch.uint8)].tolist() == [0, 2]


@pytest.mark.parametrize(
    ("index", "value", "expected"),
    [
        (0, 2.5, [2.5, 1, 2]),
        (0, tensor([2.5]), [2.5, 1, 2]),
        (slice(0, 2), tensor([[7.0, 8.0]]), [7, 8, 2]),
        (slice(0, 2), tensor([7, 8]), [7, 8, 2]),
        ([0, 1], tensor([[7.0, 8.0]]), [7, 8, 2]),
        ([0, 0], tensor([7.0, 8.0]), [8, 1, 2]),
        (VECTOR > 1, 5, [0, 1, 5]),
        (True, 5, [5, 5, 5]),
        (..., tensor(True), [1, 1, 1]),
        ([], 1, [0, 1, 2]),
        (slice(3, 1), torch.ones(0), [0, 1, 2]),
        (tensor(1), 5, [0, 5, 2]),
    ],
)
def test_assignment(index: Any, value: Any, expected: list[float]) -> None:
    x = VECTOR.clone()
    x[index] = value
    assert x.tolist() == expected
    assert x._version == 1


def test_fractions_are_cut_off_in_whole_numbers() -> None:
    x = torch.arange(3)
    x[0], x[[1]] = 2.7, -1.7
    assert x.tolist() == [2, -1, 2]


@pytest.mark.parametrize(
    ("index", "value", "error", "text"),
    [
        (slice(0, 2), np.ones(2), TypeError, "can't assign a numpy.ndarray to a torch.FloatTensor"),
        (0, np.float32(4), TypeError, "can't assign a numpy.float32 to a torch.FloatTensor"),
        (slice(0, 2), [1.0, 2.0], TypeError, "can't assign a list to a torch.FloatTensor"),
        (0, None, TypeError, "can't assign a NoneType"),
        (0, tensor([1.0, 2.0]), RuntimeError, "the number of sizes provided (0)"),
        (slice(0, 2), torch.ones(3), RuntimeError,
     "The expanded size of the tensor (2) must match"),
        ([0, 1], torch.ones(3), RuntimeError, "shape mismatch: value tensor of shape [3] cannot be "
         "broadcast to indexing result of shape [2]"),
        ([0, 1], tensor(7), RuntimeError,
     "Index put requires the source and destination dtypes match"),
    ],
)  # fmt: skip
def test_values_that_are_refused(index: Any, value: Any, error: type[Exception], text: str) -> None:
    x = VECTOR.clone()
    with pytest.raises(error) as raised:
        x[index] = value
    assert text in str(raised.value)
    assert x.tolist() == [0, 1, 2]


def test_assignment_sends_gradients_to_the_value_and_zeros_to_what_was_there() -> None:
    x, value = leaf(2, 3), leaf(2)
    y = x * 2
    y[0, [0, 2]] = value
    y.sum().backward()
    assert x.grad is not None
    assert value.grad is not None
    assert x.grad.tolist() == [[0, 2, 0], [2, 2, 2]]
    assert value.grad.tolist() == [1, 1]


def test_a_larger_source_of_scatter_gets_zeros_outside() -> None:
    for name in ("scatter", "scatter_add"):
        x, src = leaf(3, 4), leaf(2, 4)
        getattr(x, name)(1, tensor([[0, 2]]), src).sum().backward()
        assert src.grad is not None
        assert src.grad.tolist() == [[1, 1, 0, 0], [0, 0, 0, 0]]


def test_scatter_with_reduce() -> None:
    x, index = torch.ones(3), tensor([0, 0])
    assert x.scatter(0, index, 2.0, reduce="add").tolist() == [5, 1, 1]
    assert x.scatter(0, index, torch.full((2,), 3.0), reduce="multiply").tolist() == [9, 1, 1]
    recorded = leaf(3).scatter(0, index, 2.0, reduce="add")
    with pytest.raises(RuntimeError, match="derivative for aten::scatter is not implemented"):
        recorded.sum().backward()


def test_in_place_scatter() -> None:
    x, value = leaf(3), leaf(2)
    y = x * 1
    assert y.scatter_(0, tensor([0, 2]), value) is y
    y.scatter_add_(0, tensor([1, 1]), value)
    y.sum().backward()
    assert x.grad is not None
    assert value.grad is not None
    assert x.grad.tolist() == [0, 1, 0]
    assert value.grad.tolist() == [2, 2]


def test_without_dimensions() -> None:
    for index, shape in ((tensor(0), ()), (tensor([0, 0]), (2,))):
        x = tensor(3.0, requires_grad=True)
        gathered = x.gather(0, index)
        assert gathered.shape == shape
        gathered.sum().backward()
        assert x.grad is not None
        assert x.grad.item() == index.numel()
    assert tensor(3.0).index_select(0, tensor([0])).item() == 3
    assert torch.arange(3).index_select(0, tensor(1)).tolist() == [1]
    assert tensor(1.0).scatter(0, tensor(0), 5.0).item() == 5


def test_empty_indices() -> None:
    x = leaf(2, 3)
    assert x.gather(1, torch.zeros(0, dtype=torch.int64)).shape == (0,)
    assert x.gather(1, torch.zeros(2, 0, dtype=torch.int64)).shape == (2, 0)
    assert x.scatter(1, torch.zeros(0, dtype=torch.int64), 1.0).tolist() == x.tolist()
    assert x.index_select(0, tensor([], dtype=torch.int64)).shape == (0, 3)


def test_take_along_dim_broadcasts_and_wraps() -> None:
    x = leaf(2, 3)
    taken = x.take_along_dim(tensor([[0, -1]]), 1)
    assert taken.tolist() == [[0, 2], [3, 5]]
    assert torch.take_along_dim(x, tensor([0, 4])).tolist() == [0, 4]


def test_nonzero_and_one_hot() -> None:
    assert tensor([[0, 1], [2, 0]]).nonzero().tolist() == [[0, 1], [1, 0]]
    rows, columns = torch.nonzero(tensor([[0, 1], [2, 0]]), as_tuple=True)
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [1, 0])
    assert NUMBER.nonzero().shape == (1, 0)
    assert torch.argwhere(tensor([0, 3])).tolist() == [[1]]
    assert torch.one_hot(tensor([[0], [2]])).tolist() == [[[1, 0, 0]], [[0, 0, 1]]]
    assert torch.one_hot(torch.zeros(0, dtype=torch.int64), 3).shape == (0, 3)


def ones(*shape: Any, dtype: Any = None) -> Tensor:
    return torch.ones(*shape, dtype=dtype)


REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: X.gather(1, tensor([[0.0]])), RuntimeError, "for index"),
    (lambda: X.gather(1, tensor([0])), RuntimeError, "must have the same number of dimensions"),
    (lambda: X.gather(1, tensor([[0]] * 3)), RuntimeError, "Size does not match at dimension 0"),
    (lambda: X.gather(1, tensor([[3]])), RuntimeError, "index 3 is out of bounds for dimension 1"),
    (lambda: X.gather(1, tensor([[-1]])), RuntimeError,
     "index -1 is out of bounds for dimension 1"),
    (lambda: X.gather(2, tensor([[0]])), IndexError, "Dimension out of range"),
    (lambda: X.gather(1, [[0]]), TypeError, "argument 'index' (position 2) must be Tensor"),
    (lambda: X.index_select(1, tensor([5])), RuntimeError, "INDICES element is out of DATA bounds"),
    (lambda: X.index_select(0, tensor([-1])), IndexError, "index out of range in self"),
    (lambda: X.index_select(1, tensor([[0]])), IndexError, "Index is supposed to be a vector"),
    (lambda: X.index_select(1, tensor([0.0])), RuntimeError, "Expected dtype int32 or int64"),
    (lambda: NUMBER.index_select(0, tensor([0, 0])), RuntimeError,
     "Index to scalar can have only 1"),
    (lambda: X.scatter(1, tensor([[0]]), ones(1, 1, dtype=torch.float64)), RuntimeError,
     "Expected self.dtype to be equal to src.dtype"),
    (lambda: X.scatter(1, tensor([[0, 1]]), ones(1, 1)), RuntimeError, "no larger size than src"),
    (lambda: X.scatter(1, tensor([[5]]), ones(1, 1)), RuntimeError, "index 5 is out of bounds"),
    (lambda: X.scatter(1, tensor([[0]]), 1, reduce="mean"), RuntimeError, "either add or multiply"),
    (lambda: X.scatter(1, tensor([[0]])), TypeError, "expected src"),
    (lambda: X.scatter_add(1, tensor([[0]]), 1.0), TypeError, "'src' (position 3) must be Tensor"),
    (lambda: torch.take_along_dim(X, tensor([0]), 1), RuntimeError, "same number of dimensions"),
    (lambda: torch.take_along_dim(X, tensor([[0.0]]), 1), RuntimeError,
     "should be Long but got Float"),
    (lambda: torch.masked_select(X, tensor([1])), RuntimeError, "expected BoolTensor for mask"),
    (lambda: X.masked_select(tensor([True, False])), RuntimeError,
     "size of tensor a (2) must match"),
    (lambda: torch.one_hot(tensor([0, 2]), 2), RuntimeError, "must be smaller than num_classes"),
    (lambda: torch.one_hot(tensor([-1])), RuntimeError, "must be non-negative"),
    (lambda: torch.one_hot(tensor([1.0])), RuntimeError, "index tensor of type LongTensor"),
    (lambda: torch.one_hot(tensor([]).long()), RuntimeError,
     "Can not infer total number of classes"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "text"), REFUSED)
def test_refusals(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error) as raised:
        call()
    assert text in str(raised.value)
