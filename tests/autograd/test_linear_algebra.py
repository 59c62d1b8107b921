"""Products of matrices and vectors: shapes, dtypes, names, refusals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Tensor
from tests.autograd.untyped import torch


def ones(*shape: Any, dtype: Any = None) -> Tensor:
    return torch.ones(*shape, dtype=dtype)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((2, 3), (3, 4)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((5, 2, 3), (3, 4)),
        ((5, 2, 3), (3,)), ((3,), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)), ((6, 1, 2, 3), (5, 3, 4)),
        ((2, 0), (0, 3)), ((0, 2), (2, 3)), ((2, 0, 3), (3, 2)), ((4, 1), (1, 5)),
     ((2, 3), (5, 3, 4)),
    ],
)  # fmt: skip
def test_matmul_of_all_dimensions(first: tuple[int, ...], second: tuple[int, ...]) -> None:
    generator = np.random.default_rng(0)
    a, b = generator.normal(size=first), generator.normal(size=second)
    x, y = torch.tensor(a, requires_grad=True), torch.tensor(b, requires_grad=True)
    product = x @ y
    np.testing.assert_allclose(product.detach().numpy(), a @ b, rtol=1e-12, atol=1e-14)
    product.sum().backward()
    assert x.grad is not None
    assert y.grad is not None
    assert (x.grad.shape, y.grad.shape) == (first, second)


def test_a_frozen_factor_costs_no_gradient() -> None:
    x, weight = ones(2, 3).requires_grad_(), ones(3, 4)
    node = (x @ weight).grad_fn
    assert node is not None
    assert len(node.edges) == 1


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x, v: x @ v, "MvBackward0"),
        (lambda x, v: v @ v, "DotBackward0"),
        (lambda x, v: x @ x.t(), "MmBackward0"),
        (lambda x, v: torch.outer(v, v), "MulBackward0"),
        (lambda x, v: torch.addmm(v, x, x.t() @ x), "AddmmBackward0"),
    ],
)
def test_names_of_nodes(call: Callable[[Tensor, Tensor], Tensor], name: str) -> None:
    node = call(ones(2, 3).requires_grad_(), ones(3).requires_grad_()).grad_fn
    assert node is not None
    assert node.name() == name


def test_dtypes() -> None:
    half = ones(2, 4096, dtype=torch.float16)
    assert (half @ half.t()).dtype is torch.float16
    assert (half @ half.t())[0, 0].item() == 4096  # a sum in float16 would stay at 2048
    whole = ones(2, 3, dtype=torch.int32)
    assert (whole @ whole.t()).tolist() == [[3, 3], [3, 3]]
    assert (whole @ whole.t()).dtype is torch.int32
    assert torch.outer(ones(2), ones(3, dtype=torch.float64)).dtype is torch.float64


def test_addmm() -> None:
    x, y = ones(2, 4), ones(4, 3)
    assert torch.addmm(ones(3), x, y, beta=2, alpha=0.5).tolist() == [[4] * 3] * 2
    poisoned = torch.full((3,), float("nan"))
    assert poisoned.addmm(x, y, beta=0).tolist() == [[4] * 3] * 2
    whole = ones(3, dtype=torch.int64)
    product = whole.addmm(x.long(), y.long(), beta=0.5, alpha=1.5)  # cut off, as in torch
    assert product.tolist() == [[4] * 3] * 2
    into = torch.zeros(2, 3)
    assert into.addmm_(x, y) is into
    assert into.tolist() == [[4] * 3] * 2


def test_einsum_in_every_form() -> None:
    a, b = torch.rand(2, 3), torch.rand(3, 4)
    expected = (a @ b).tolist()
    for result in (
        torch.einsum("ij,jk->ik", a, b),
        torch.einsum("ij,jk", a, b),
        torch.einsum(" I j, jK -> I K ", a, b),
        torch.einsum("ij,jk->ik", [a, b]),
        torch.einsum(a, [0, 1], b, [1, 2], [0, 2]),
        torch.einsum(a, [0, 1], b, [1, 2]),
        torch.einsum("...j,jk->...k", a, b),
    ):
        np.testing.assert_allclose(result.tolist(), expected, rtol=1e-6)
    assert torch.einsum("bA,A", ones(2, 3), ones(3)).shape == (2,)
    assert torch.einsum("ba", ones(2, 3)).shape == (3, 2)
    assert torch.einsum("i...->...", ones(2, 3)).tolist() == [2, 2, 2]
    assert torch.einsum("i->", ones(3, dtype=torch.int32)).dtype is torch.int64


def test_einsum_of_one_tensor_is_no_view() -> None:
    x = torch.zeros(2, 3)
    torch.einsum("ij->ji", x).add_(1)
    assert x.sum().item() == 0


X, WIDE = torch.ones(2, 3), torch.ones(2, 3, dtype=torch.float64)
TRUE = torch.ones(3, 3, dtype=torch.bool)

REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: X @ X, RuntimeError, "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)"),
    (lambda: X @ ones(4), RuntimeError, "size mismatch, got input (2), mat (2x3), vec (4)"),
    (lambda: ones(3) @ ones(4), RuntimeError, "inconsistent tensor size"),
    (lambda: ones(4) @ ones(3, 2), RuntimeError, "cannot be multiplied (1x4 and 3x2)"),
    (lambda: ones(2, 2, 3) @ ones(2, 2), RuntimeError, "cannot be multiplied (4x3 and 2x2)"),
    (lambda: ones(2, 2, 3) @ ones(3, 3, 4), RuntimeError, "The size of tensor a (2) must match"),
    (lambda: ones(5) @ ones(2, 3, 4), RuntimeError, "batch2 tensor to be: [2, 5] but got: [2, 3]"),
    (lambda: ones(()) @ ones(2), RuntimeError, "need to be at least 1D, but they are 0D and 1D"),
    (lambda: X @ 2, TypeError, "unsupported operand type(s) for @: 'Tensor' and 'int'"),
    (lambda: torch.matmul(X, 2), TypeError, "argument 'other' (position 2) must be Tensor"),
    (lambda: X @ WIDE.t(), RuntimeError, "to have the same dtype, but got: float != double"),
    (lambda: X @ WIDE[0], RuntimeError, "must have the same dtype"),
    (lambda: X[0] @ WIDE[0], RuntimeError, "to have same dtype"),
    (lambda: X[None] @ WIDE.t()[None], RuntimeError, "must have the same dtype"),
    (lambda: X @ torch.ones(3, 2, dtype=torch.int64), RuntimeError, "float != long int"),
    (lambda: TRUE @ TRUE, NotImplementedError, "not implemented for 'Bool'"),
    (lambda: TRUE @ TRUE[0], NotImplementedError, "not implemented for 'Bool'"),
    (lambda: X.mm(ones(3)), RuntimeError, "mat2 must be a matrix"),
    (lambda: X.mv(X), RuntimeError, "vector + matrix @ vector expected, got 1, 2, 2"),
    (lambda: X.dot(X), RuntimeError, "1D tensors expected, but got 2D and 2D tensors"),
    (lambda: X.bmm(X), RuntimeError, "batch1 must be a 3D tensor"),
    (lambda: X[None].bmm(X[None]), RuntimeError, "batch2 tensor to be: [1, 3] but got: [1, 2]"),
    (lambda: X.outer(ones(3)), RuntimeError, "outer: Expected 1-D argument self, but got 2-D"),
    (lambda: torch.addmm(ones(2), X, X.t() @ X), RuntimeError,
     "The expanded size of the tensor (3)"),
    (lambda: torch.addmm(X[0], X, X), RuntimeError, "mat1 and mat2 shapes cannot be multiplied"),
    (lambda: torch.addmm(X[0], X, ones(3)), RuntimeError, "mat2 must be a matrix, got 1-D tensor"),
    (lambda: torch.addmm(X[0], X, WIDE.t()), RuntimeError,
     "self and mat2 must have the same dtype"),
    (lambda: torch.einsum("ij,jk->ik", X, X), RuntimeError,
     "does not broadcast with previously seen"),
    (lambda: torch.einsum("ij->ik", X), RuntimeError,
     "subscript k does not appear in the equation"),
    (lambda: torch.einsum("ij->ii", X), RuntimeError, "appears more than once in the output"),
    (lambda: torch.einsum("ijk", X), RuntimeError, "does not match the number of dimensions (2)"),
    (lambda: torch.einsum("ii", X), RuntimeError,
     "is repeated for operand 0 but the sizes don't match"),
    (lambda: torch.einsum("ij,jk", X), RuntimeError, "fewer operands were provided"),
    (lambda: torch.einsum("ij", X, X), RuntimeError, "more operands were provided"),
    (lambda: torch.einsum("i1", X), RuntimeError, "invalid subscript given at index 1"),
    (lambda: torch.einsum("i..j", X), RuntimeError, "not part of any ellipsis"),
    (lambda: torch.einsum("ij,kj->ik", X, WIDE), RuntimeError, "must have the same dtype"),
    (lambda: torch.einsum("ij"), ValueError, "at least one operand"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "text"), REFUSED)
def test_refusals(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error) as raised:
        call()
    assert text in str(raised.value)


def test_running_sum_of_many_numbers() -> None:
    """Added in float32 one after another, they would come to 100,958; torch has 100,000."""
    x = torch.full((1_000_000,), 0.1, requires_grad=True)
    total = x.cumsum(0)
    assert total[-1].item() == pytest.approx(1e5, rel=1e-6) and total.dtype is torch.float32
    (total * 0.1).sum().backward()
    assert x.grad is not None and x.grad[0].item() == pytest.approx(1e5, rel=1e-6)
