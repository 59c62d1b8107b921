"""Leaves, backward, grad, accumulation, hooks, and graphs that are deep."""

import gc
import warnings
from typing import Any

import numpy as np
import pytest

from tests.autograd.untyped import torch


def leaf(*values: float) -> Any:
    return torch.tensor(values or (1.0, 2.0), requires_grad=True)


def test_leaves() -> None:
    x = leaf()
    y = x * 2
    assert (x.is_leaf, x.grad_fn, y.is_leaf) == (True, None, False)
    assert torch.ones(1).is_leaf and y.detach().is_leaf and not y.detach().requires_grad
    assert y.requires_grad_() is y
    for attempt in (lambda: y.requires_grad_(False), lambda: setattr(y, "requires_grad", False)):
        with pytest.raises(RuntimeError, match="you can only change requires_grad flags of leaf"):
            attempt()
    whole = torch.tensor([1])
    with pytest.raises(RuntimeError, match="only Tensors of floating point dtype"):
        whole.requires_grad_()
    with pytest.raises(RuntimeError, match="only Tensors of floating point and complex dtype"):
        whole.requires_grad = True


def test_detach_shares_memory_and_versions_but_data_only_memory() -> None:
    x = leaf()
    detached, data = x.detach(), x.data
    detached.add_(1)
    assert x._version == 1 and data._version == 0
    data.add_(1)
    assert x._version == 1
    assert x.tolist() == [3, 4]
    x.data = torch.zeros(3, dtype=torch.float64)
    assert x.shape == (3,) and x.is_leaf and x.requires_grad
    with pytest.raises(TypeError):
        x.data = None


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: (leaf() * 2).backward(), "grad can be implicitly created only for scalar outputs"),
        (lambda: torch.ones(1).backward(), "element 0 of tensors does not require grad"),
        (
            lambda: (leaf() * 2).backward(torch.ones(3)),
            r"Mismatch in shape: grad_output\[0\] has a shape of torch.Size\(\[3\]\) and "
            r"output\[0\] has a shape of torch.Size\(\[2\]\)",
        ),
        (lambda: leaf().sum().backward(inputs=[]), "cannot be empty"),
        (lambda: torch.autograd.grad(leaf().sum(), leaf()), "Set allow_unused=True"),
        (lambda: torch.autograd.grad(leaf().sum(), torch.ones(2)), "does not require grad"),
        (lambda: torch.ones(2).retain_grad(), "can't retain_grad on Tensor that has"),
        (lambda: torch.ones(2).register_hook(print), "cannot register a hook on a tensor"),
    ],
)
def test_refusals(attempt: Any, message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        attempt()


def test_double_backward_is_not_offered() -> None:
    for attempt in (
        lambda: leaf().sum().backward(create_graph=True),
        lambda: torch.autograd.grad(leaf().sum(), leaf(), create_graph=True),
    ):
        with pytest.raises(NotImplementedError, match="double backward"):
            attempt()


@pytest.mark.parametrize(
    ("function", "again"),
    [
        (lambda x: x + 2, True),
        (lambda x: -x[1:].reshape(1, 1), True),
        (lambda x: torch.cat([x, x]).mean(), True),
        (lambda x: x * 2, False),
        (lambda x: x / 2, False),
        (lambda x: x.exp(), False),
        (lambda x: x.max(0)[0], False),
        (lambda x: x[torch.tensor([0])], False),
        (lambda x: x.gather(0, torch.tensor([0])), False),
    ],
)
def test_a_second_backward_needs_what_was_saved(function: Any, again: bool) -> None:
    x = leaf()
    y = function(x).sum()
    y.backward()
    first = x.grad.tolist()
    if again:
        y.backward()
        assert x.grad.tolist() == [2 * g for g in first]
    else:
        with pytest.raises(
            RuntimeError, match="Trying to backward through the graph a second time"
        ):
            y.backward()
    z = function(x).sum()
    z.backward(retain_graph=True)
    z.backward()


def test_accumulation_keeps_the_object() -> None:
    x = leaf()
    (x * 2).sum().backward()
    known = x.grad
    (x * 3).sum().backward()
    assert x.grad is known and known.tolist() == [5, 5]
    assert known._version == 1


def test_gradients_alias_nothing() -> None:
    x, y, given = leaf(), leaf(), torch.ones(2)
    (x + y).backward(given)
    z = leaf()
    z.backward(given)
    for grad in (x.grad, y.grad, z.grad):
        grad.mul_(5)
    assert given.tolist() == [1, 1]
    assert [t.grad.tolist() for t in (x, y, z)] == [[5, 5]] * 3
    wide = torch.zeros(3, requires_grad=True)
    wide.expand(2, 3).sum().backward()
    wide.grad.add_(1)
    assert wide.grad.tolist() == [3, 3, 3]


def test_gradients_have_the_layout_of_the_leaf() -> None:
    x = torch.ones(2, 3).t().requires_grad_()
    (x * torch.ones(3, 2)).sum().backward()
    assert x.grad.stride() == x.stride() == (1, 3)


def test_an_expanded_gradient_is_summed_in_the_dtype_of_its_input() -> None:
    x: Any = torch.ones(3, 1, requires_grad=True)
    y: Any = torch.ones(2, dtype=torch.float64, requires_grad=True)
    (x * y).sum().backward()
    assert x.grad.dtype is torch.float32 and x.grad.tolist() == [[2], [2], [2]]
    assert y.grad.dtype is torch.float64 and y.grad.tolist() == [3, 3]


def test_grad_touches_no_grad() -> None:
    x, unused = leaf(), leaf()
    y = x * 2
    z = (y * y).sum()
    dz_dy, dz_dx = torch.autograd.grad(z, [y, x], retain_graph=True)
    assert dz_dy.tolist() == [4, 8] and dz_dx.tolist() == [8, 16]
    assert torch.autograd.grad(z, [x, unused], allow_unused=True, retain_graph=True)[1] is None
    zeros = torch.autograd.grad(z, [x, unused], materialize_grads=True)[1]
    assert zeros.tolist() == [0, 0]
    assert x.grad is None and unused.grad is None


def test_backward_of_chosen_inputs() -> None:
    x, weight = leaf(), leaf(3.0, 4.0)
    hidden = x * weight
    hidden.sum().backward(inputs=[x, hidden])
    assert x.grad.tolist() == [3, 4] and hidden.grad.tolist() == [1, 1] and weight.grad is None


def test_a_gradient_that_nobody_needs_is_not_computed() -> None:
    x = leaf()
    (x * torch.ones(2)).sum().backward()
    (frozen := leaf()).requires_grad_(False)
    node = (x @ frozen).grad_fn
    assert [target for target, _ in node.next_functions][1] is None


def test_a_leaf_whose_flag_went_off_gets_nothing() -> None:
    x = leaf()
    y = (x * 2).sum()
    x.requires_grad_(False)
    y.backward()
    assert x.grad is None


def test_assigning_grad() -> None:
    x = leaf()
    with pytest.raises(RuntimeError, match="attempting to assign a gradient of size"):
        x.grad = torch.ones(3)
    with pytest.raises(RuntimeError, match="can't assign Variable as its own grad"):
        x.grad = x
    with pytest.raises(TypeError):
        x.grad = 3
    x.grad = torch.ones(2)
    (x * 2).sum().backward()
    assert x.grad.tolist() == [3, 3]
    del x.grad
    assert x.grad is None


def test_grad_of_a_nonleaf() -> None:
    x: Any = leaf()
    y: Any = x * 2
    with pytest.warns(UserWarning, match="The .grad attribute of a Tensor that is not a leaf"):
        missing = y.grad
    assert missing is None
    y.retain_grad()
    y.retain_grad()
    y.mul_(3)
    y.sum().backward()
    found: Any = y.grad  # the checker remembers the None from before
    assert found.tolist() == [1, 1] and x.grad.tolist() == [6, 6]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x.retain_grad()
        assert not x.retains_grad and y.retains_grad


def test_hooks_see_the_summed_gradient_once_and_may_replace_it() -> None:
    x = leaf()
    y = x * 1
    seen: list[Any] = []
    y.register_hook(lambda g: seen.append((g.tolist(), torch.is_grad_enabled())))
    y.register_hook(lambda g: g * 10)
    removed = y.register_hook(lambda g: g * 1000)
    removed.remove()
    x.register_hook(lambda g: g + 1)
    (y.sum() + y.sum() + y.sum()).backward()
    assert seen == [([3, 3], False)]
    assert x.grad.tolist() == [31, 31]


def test_hooks_that_are_wrong() -> None:
    for hook, error in ((lambda g: g[:1], RuntimeError), (lambda g: 3, TypeError)):
        x = leaf()
        x.register_hook(hook)
        with pytest.raises(error):
            (x * 2).sum().backward()
        assert x.grad is None and torch.is_grad_enabled()


def test_operations_and_backward_inside_a_hook() -> None:
    x, other = leaf(), leaf()

    def hook(grad: Any) -> Any:
        with torch.enable_grad():
            (other * grad).sum().backward()
        return grad / 0  # silent, too

    x.register_hook(hook)
    (x * 2).sum().backward()
    assert other.grad.tolist() == [2, 2] and x.grad.tolist() == [np.inf, np.inf]


def test_hooks_after_accumulation_and_of_nodes() -> None:
    x = leaf()
    seen = []
    x.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.tolist()))
    y = x * 3
    y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] * 2, None))
    y.grad_fn.register_prehook(lambda outputs: (outputs[0] + 1,))
    y.sum().backward()
    assert seen == [[12, 12]]


def test_an_error_in_backward_restores_the_mode() -> None:
    x = leaf()
    x.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        x.sum().backward()
    assert torch.is_grad_enabled()
    assert (x * 2).requires_grad


def test_several_results() -> None:
    x: Any = torch.tensor([[3.0, 1.0], [2.0, 5.0]], requires_grad=True)
    values, indices = x.max(1)
    assert values.requires_grad and not indices.requires_grad
    values.sum().backward()
    assert x.grad.tolist() == [[1, 0], [0, 1]]


def test_the_graph_can_be_inspected() -> None:
    x = leaf()
    node = (x * 2).grad_fn
    assert node.name() == type(node).__name__ == "MulBackward0"
    (accumulate, number), second = node.next_functions
    assert accumulate.variable is x and number == 0 and second == (None, 0)


DEPTH = 100_000


def test_deep_graphs() -> None:
    gc.disable()  # freed by counting references alone, without recursion
    try:
        x = leaf(1.0)
        y = x
        for _ in range(DEPTH):
            y = y + 1
        y.backward()
        assert x.grad.item() == 1
        del y
        for _ in range(150_000):
            x = x * 1.0
        del x
        y = torch.ones(1, requires_grad=True) * 1
        for _ in range(20_000):
            y += 1
        y.backward()
        del y
    finally:
        gc.enable()


def test_one_tensor_used_many_times() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**60
