"""Changes in place, views, version counters: torch's rules, and gradients that are right."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.autograd.untyped import torch


def leaf(*values: float) -> Any:
    return torch.tensor(values or (1.0, 2.0, 3.0), requires_grad=True)


def number_tensor() -> Any:
    return torch.ones(3)


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda x: x.add_(1), "^a leaf Variable that requires grad is being used in an in-place"),
        (lambda x: x.__iadd__(1), "^a leaf Variable that requires grad"),
        (lambda x: x.zero_(), "^a leaf Variable that requires grad"),
        (lambda x: x[:2].add_(1), "^a view of a leaf Variable that requires grad"),
        (lambda x: x.__setitem__(0, 5), "^a view of a leaf Variable that requires grad"),
        (lambda x: x.view(3, 1).mul_(2), "^a view of a leaf Variable that requires grad"),
        (
            lambda x: (x * 1).chunk(3)[0].add_(1),
            "This view is the output of a function that returns",
        ),
        (
            lambda x: (x * 1).unbind()[0].add_(1),
            "This view is the output of a function that returns",
        ),
        (lambda x: x.expand(2, 3).clone()[0].expand(2, 3).add_(1), "more than one element of the"),
        (lambda x: (x * 1).add_(torch.ones(2, 3)), "doesn't match the broadcast shape"),
        (lambda x: (x * 1)[:2].detach_(), "Can't detach views in-place"),
        (lambda x: torch.add(x, 1, out=torch.empty(3)), "don't support automatic differentiation"),
    ],
)
def test_refusals(attempt: Callable[[Any], Any], message: str) -> None:
    x = leaf()
    with pytest.raises(RuntimeError, match=message):
        attempt(x)
    assert x.tolist() == [1, 2, 3] and x._version == 0


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: torch.tensor([1]).add_(0.5), "result type Float can't be cast to the desired"),
        (
            lambda: torch.tensor([1]).div_(2),
            "result type Float can't be cast to the desired output",
        ),
        (lambda: torch.tensor([True]).add_(1), "result type Long can't be cast to the desired"),
        (lambda: (x := torch.arange(4.0))[1:].add_(x[:-1]), "refer to a single memory location"),
        (
            lambda: torch.ones(3).expand(2, 3).copy_(torch.ones(3)),
            "refers to a single memory location",
        ),
    ],
)
def test_what_cannot_be_written(attempt: Callable[[], Any], message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        attempt()


def test_a_leaf_of_a_view_is_a_leaf_too() -> None:
    view = torch.ones(3)[:2].requires_grad_()
    with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad"):
        view.add_(1)


def test_under_no_grad_a_leaf_is_changed_and_stays_a_leaf() -> None:
    x = leaf()
    with torch.no_grad():
        assert x.sub_(1) is x
        x[0] = 9
        x.copy_(x.clone())
        x.fill_(7)
    assert x.is_leaf and x.requires_grad and x.grad_fn is None
    assert x._version == 4 and x.tolist() == [7, 7, 7]


def test_a_view_made_under_no_grad() -> None:
    x = leaf() * 1
    with torch.no_grad():
        view = x[:2]
    with pytest.raises(
        RuntimeError, match="A view was created in no_grad mode and is being modified"
    ):
        view.add_(1)
    x.add_(1)
    with pytest.raises(
        RuntimeError, match="its base or another view of its base has been modified"
    ):
        view * 2


def test_a_view_made_in_inference_mode() -> None:
    x = leaf()
    with torch.inference_mode():
        view = x[:2]
    with pytest.raises(RuntimeError, match="A view was created in inference mode and is being"):
        view.add_(1)


def test_a_view_changed_under_no_grad_finds_its_place_anew() -> None:
    x = leaf()
    view = x[:2]
    with torch.no_grad():
        view.mul_(3)
    assert view.grad_fn is not None
    view.sum().backward()
    assert x.grad.tolist() == [1, 1, 0] and x.tolist() == [3, 6, 3]


def test_the_version_counter_is_shared() -> None:
    base = torch.ones(4)
    view, detached, data, clone = base[1:], base.detach(), base.data, base.clone()
    view.view(3, 1).add_(1)
    base[0] = 2
    detached.zero_()
    assert [t._version for t in (base, view, detached, data, clone)] == [3, 3, 3, 0, 0]


SAVED = "one of the variables needed for gradient computation has been modified by an inplace"


@pytest.mark.parametrize(
    ("function", "refused"),
    [
        (lambda x: x + 1, False),
        (lambda x: x.sum(), False),
        (lambda x: x * number_tensor(), False),
        (lambda x: x.exp(), False),
        (lambda x: x.tanh(), False),
        (lambda x: x.sqrt(), False),
        (lambda x: x.log_softmax(0), False),
        (lambda x: x.min(0)[0], False),
        (lambda x: x * x, True),
        (lambda x: x.log(), True),
        (lambda x: x**2, True),
        (lambda x: x.clamp(0, 1), True),
        (lambda x: x.prod(), True),
    ],
)
def test_a_changed_input_matters_only_if_it_was_saved(function: Any, refused: bool) -> None:
    x = leaf()
    hidden = x * 1
    result = function(hidden).sum()
    expected = torch.autograd.grad(function(x * 1).sum(), x)[0]
    hidden.detach().add_(1)
    if refused:
        with pytest.raises(
            RuntimeError, match=rf"{SAVED}.*\[torch.FloatTensor \[3\]\].*is at version"
        ):
            result.backward()
    else:
        result.backward()
        assert torch.equal(x.grad, expected)


@pytest.mark.parametrize("function", [torch.exp, torch.tanh, torch.sqrt, torch.sigmoid])
def test_a_changed_result_matters_if_it_was_saved(function: Any) -> None:
    result = function(leaf())
    result.detach().add_(1)
    with pytest.raises(RuntimeError, match=SAVED):
        result.sum().backward()
    changed = (leaf() * 1).exp_()
    changed.add_(1)
    with pytest.raises(RuntimeError, match=SAVED):
        changed.sum().backward()


def test_the_other_operand_is_saved_only_if_this_one_needs_a_gradient() -> None:
    weight, x = leaf(), number_tensor()
    (weight * x).sum().backward()
    product = (weight * x).sum()
    with torch.no_grad():
        weight.add_(1)
    product.backward()  # the gradient of x is not asked for, so weight was not saved
    product = (weight * x).sum()
    x.add_(1)
    with pytest.raises(RuntimeError, match=SAVED):
        product.backward()


def test_stepping_the_critic_before_the_actors_backward_raises() -> None:
    weight, action = leaf(), leaf()
    actor_loss = (weight * action).sum()
    with torch.no_grad():
        weight -= 0.1
    with pytest.raises(RuntimeError, match=SAVED):
        actor_loss.backward()


def test_data_is_not_noticed() -> None:
    result = leaf().exp()
    result.data.zero_()
    result.sum().backward()


def gradient_of(program: Callable[[Any], Any]) -> list[float]:
    x = leaf()
    program(x).sum().backward()
    return x.grad.tolist()


def changed_part(x: Any) -> Any:
    y = x * 1
    y[:2].mul_(5)
    return y


def changed_through_a_chain(x: Any) -> Any:
    y = x * 1
    y.view(3, 1)[1:].t().mul_(5)
    return y


def two_views(x: Any) -> Any:
    y = x * 1
    first, second = y[:2], y[1:]
    first.mul_(2)
    second.mul_(3)
    return first.sum() + second.sum()


def into_a_constant(x: Any) -> Any:
    y = torch.zeros(5)
    view = y[1:4]
    view.add_(x)
    y.mul_(2)
    return view + y[:3]


def assigned(x: Any) -> Any:
    y = x * 1
    y[0] = y[2] * 4
    y[torch.tensor([False, True, False])] = x[0:1]
    return y


def overwritten(x: Any) -> Any:
    y = x * 1
    y.fill_(3)
    return y


def copied_over(x: Any) -> Any:
    y = torch.zeros(2, 3)
    y.copy_(x)
    return y


def squared_in_place(x: Any) -> Any:
    y = x * 1
    y.pow_(2)
    y += x
    return y


@pytest.mark.parametrize(
    ("program", "gradient"),
    [
        (changed_part, [5, 5, 1]),
        (changed_through_a_chain, [1, 5, 5]),
        (two_views, [2, 12, 3]),
        (into_a_constant, [4, 4, 2]),
        (assigned, [1, 0, 5]),
        (overwritten, [0, 0, 0]),
        (copied_over, [2, 2, 2]),
        (squared_in_place, [3, 5, 7]),
    ],
)
def test_gradients_through_changes(program: Callable[[Any], Any], gradient: list[float]) -> None:
    assert gradient_of(program) == gradient


def test_in_place_on_a_nonleaf_keeps_the_object() -> None:
    a = leaf() * 1
    b = a
    a += 1
    a *= 2
    assert a is b and a.grad_fn.name() == "MulBackward0" and a._version == 2


def test_a_view_follows_a_base_that_begins_to_require_a_gradient() -> None:
    base = torch.ones(3)
    view = base[:2]
    assert not view.requires_grad
    base.requires_grad_()
    assert view.requires_grad and view.is_leaf
    other = torch.ones(3)
    part = other[:2]
    other.mul_(leaf())
    assert part.requires_grad and not part.is_leaf


def test_a_change_in_place_keeps_the_dtype() -> None:
    x = torch.ones(2)
    x += torch.ones(2, dtype=torch.float64)
    x *= torch.tensor(2.0, dtype=torch.float64)
    assert x.dtype is torch.float32 and x.tolist() == [4, 4]
    whole = torch.ones(2, dtype=torch.int64)
    whole += True
    assert whole.dtype is torch.int64


def test_tensors_without_dimensions() -> None:
    x = torch.zeros(())
    x += 1
    assert x.item() == 1 and x._version == 1
    row = torch.zeros(3)
    row[1].add_(5)
    assert row.tolist() == [0, 5, 0]
    with pytest.raises(RuntimeError, match="doesn't match the broadcast shape"):
        x.add_(torch.ones(1))


def test_out_as_polyak_averaging_uses_it() -> None:
    target, parameter = torch.zeros(2), torch.ones(2, requires_grad=True)
    target.data.mul_(0.5)
    result = torch.add(target.data, parameter.data, alpha=0.25, out=target.data)
    assert target.tolist() == [0.25, 0.25] == result.tolist()
    assert target._version == 0
    with torch.no_grad():
        torch.mul(parameter, 3, out=parameter)
    assert parameter.tolist() == [3, 3] and parameter._version == 1


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool])
def test_what_is_written_into_whole_numbers_has_no_gradient(dtype: torch.dtype) -> None:
    """Truncation has none; torch does the same."""
    source = torch.tensor([1.7, 2.3], requires_grad=True)
    for write in (
        lambda x: x.copy_(source),
        lambda x: x.__setitem__(slice(None), source),
        lambda x: x[:1].copy_(source[:1]),
        lambda x: x.__setitem__(0, source[0]),
    ):
        target = torch.zeros(2, dtype=dtype)
        write(target)
        assert not target.requires_grad and target[0].item() == 1
        assert not (target * 2.0).requires_grad
