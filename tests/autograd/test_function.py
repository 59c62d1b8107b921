"""A user's own operations."""

from typing import Any

import pytest

import autograd as torch
from autograd import Function

once_differentiable = torch.autograd.function.once_differentiable


def leaf(*values: float) -> Any:
    return torch.tensor(values or (1.0, 2.0), requires_grad=True)


class Exp(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        result = x.exp()
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (result,) = ctx.saved_tensors
        return grad * result


def test_an_operation() -> None:
    x = leaf()
    y = Exp.apply(x)
    assert y.grad_fn.name() == "ExpBackward" and y.requires_grad
    y.sum().backward(retain_graph=True)
    assert torch.equal(x.grad, x.detach().exp())
    assert torch.gradcheck(Exp.apply, leaf().double().detach().requires_grad_())
    y.sum().backward()
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        y.sum().backward()


def test_what_is_saved_is_guarded() -> None:
    y = Exp.apply(leaf())
    y.detach().add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_nothing_is_recorded_without_need() -> None:
    assert Exp.apply(torch.ones(2)).grad_fn is None
    with torch.no_grad():
        assert not Exp.apply(leaf()).requires_grad


class Scale(Function):
    """Numbers beside tensors, and what ctx knows."""

    @staticmethod
    def forward(ctx: Any, x: Any, factor: float, shift: Any) -> Any:
        assert not torch.is_grad_enabled()
        ctx.factor, ctx.needed = factor, ctx.needs_input_grad
        return x * factor + shift

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        assert not torch.is_grad_enabled()
        return grad * ctx.factor, None, grad.sum(0) if ctx.needs_input_grad[2] else None


def test_numbers_and_needs() -> None:
    x = leaf()
    y = Scale.apply(x, 3.0, torch.ones(2))
    assert y.grad_fn.needed == (True, False, False)
    y.sum().backward()
    assert x.grad.tolist() == [3, 3]


class Two(Function):
    materialize = True

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.set_materialize_grads(Two.materialize)
        positive = x > 1
        ctx.mark_non_differentiable(positive)
        return x * 2, x * 3, positive

    @staticmethod
    def backward(ctx: Any, first: Any, second: Any, positive: Any) -> Any:
        if second is None:
            return first * 20
        return first * 2 + second * 3


@pytest.mark.parametrize(("materialize", "gradient"), [(True, [2, 2]), (False, [20, 20])])
def test_several_results(materialize: bool, gradient: list[float], monkeypatch: Any) -> None:
    monkeypatch.setattr(Two, "materialize", materialize)
    x = leaf()
    first, second, positive = Two.apply(x)
    assert second.requires_grad and not positive.requires_grad
    first.sum().backward()
    assert x.grad.tolist() == gradient


class Setup(Function):
    @staticmethod
    def forward(x: Any, factor: float) -> Any:
        return x * factor

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, ctx.factor = inputs
        ctx.save_for_backward(x, output, None)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Any) -> Any:
        x, output, nothing = ctx.saved_tensors
        assert nothing is None and output.grad_fn is not None and x.is_leaf
        return grad * ctx.factor, None


def test_setup_context() -> None:
    x = leaf()
    Setup.apply(x, 4.0).sum().backward()
    assert x.grad.tolist() == [4, 4]


class Double(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad * 2


def test_changes_in_place() -> None:
    x = leaf()
    y = x * 1
    assert Double.apply(y) is y and y.grad_fn.name() == "DoubleBackward"
    Double.apply(y[:1])
    y.sum().backward()
    assert x.grad.tolist() == [4, 2]
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad has been used"):
        Double.apply(leaf())


class Same(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad * 7


def test_an_input_that_is_returned_is_a_view() -> None:
    x = leaf()
    y = Same.apply(x)
    assert y is not x
    y.sum().backward()
    assert x.grad.tolist() == [7, 7]
    with pytest.raises(RuntimeError, match="This view was created inside a custom Function"):
        Same.apply(leaf() * 1).add_(1)


def with_backward(backward: Any) -> Any:
    """The gradient of a sum through an operation with this backward."""

    class Sum(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x + y

    Own: Any = type("Own", (Sum,), {"backward": staticmethod(backward)})
    x = leaf()
    Own.apply(x, torch.ones(2)).sum().backward()
    return x.grad


@pytest.mark.parametrize(
    ("backward", "message"),
    [
        (lambda ctx, g: g, r"incorrect number of gradients \(expected 2, got 1\)"),
        (lambda ctx, g: (g, None, g), r"incorrect number of gradients \(expected 2, got 3\)"),
        (lambda ctx, g: (3.0, None), "expected Variable or None"),
        (
            lambda ctx, g: (torch.ones(3), None),
            r"got \[3\] but expected shape compatible with \[2\]",
        ),
    ],
)
def test_wrong_gradients(backward: Any, message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        with_backward(backward)


def test_gradients_are_fitted() -> None:
    assert with_backward(lambda ctx, g: (g, None, None)).tolist() == [1, 1]
    assert with_backward(lambda ctx, g: (None, None)) is None
    fitted = with_backward(lambda ctx, g: (torch.ones(4, 2, dtype=torch.float64), None))
    assert fitted.tolist() == [4, 4] and fitted.dtype is torch.float32


def test_a_gradient_that_backward_keeps_is_not_shared() -> None:
    kept = torch.ones(2)
    with_backward(lambda ctx, g: (kept, None)).add_(1)
    assert kept.tolist() == [1, 1]


def test_what_is_missing() -> None:
    class Empty(Function):
        pass

    class Forward(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1

    with pytest.raises(NotImplementedError, match="You must implement the forward function"):
        Empty.apply(leaf())
    with pytest.raises(NotImplementedError, match="You must implement either the backward or vjp"):
        Forward.apply(leaf()).sum().backward()
    with pytest.raises(RuntimeError, match="Legacy autograd function"):
        with pytest.warns(DeprecationWarning, match="should not be instantiated"):
            Exp()(leaf())
