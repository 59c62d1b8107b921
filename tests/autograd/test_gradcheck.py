"""gradcheck."""

from typing import Any

import pytest

import autograd as torch
from autograd import Function
from autograd.autograd import GradcheckError


def wide(*values: float) -> Any:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


class Wrong(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x * 2

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad * 2.1


def test_right_gradients() -> None:
    assert torch.gradcheck(lambda x, y: (x * y).tanh(), (wide(0.5, 1.0), wide(2.0)))
    assert torch.autograd.gradcheck(lambda x: (x.sum(), x.max(0)), wide(0.5, 1.0, 3.0))
    assert torch.gradcheck(lambda x, n: x**n, (wide(0.5), 3))


def test_wrong_gradients() -> None:
    with pytest.raises(
        GradcheckError, match="Jacobian mismatch for output 0 with respect to input 0"
    ):
        torch.gradcheck(Wrong.apply, wide(1.0))
    assert not torch.gradcheck(Wrong.apply, wide(1.0), raise_exception=False)
    assert torch.gradcheck(Wrong.apply, wide(1.0), rtol=0.1)


def test_a_detached_part_is_found() -> None:
    with pytest.raises(GradcheckError):
        torch.gradcheck(lambda x: x * x.detach(), wide(1.0, 2.0))


def test_inputs_are_left_as_they_were() -> None:
    x = wide(0.1, 0.7)
    torch.gradcheck(torch.exp, x)
    assert x.tolist() == [0.1, 0.7] and x.grad is None


def test_inputs_without_gradient_or_precision() -> None:
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        torch.gradcheck(torch.exp, torch.ones(2))
    with pytest.warns(UserWarning, match="not a double precision floating point"):
        torch.gradcheck(lambda x: 2 * x, torch.ones(2, requires_grad=True), eps=1e-2, atol=1e-2)
