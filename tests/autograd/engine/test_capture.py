"""Captured functions: the same results as without, and all that cannot be repeated is noticed."""

import dataclasses
import random
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as torch
from autograd import Tensor, nn, optim
from autograd.engine import apply as engine
from autograd.engine.capture import MAX_PROGRAMS, Captured, effect
from autograd.generator import from_numpy_generator

CALLS = 4


class Learner:
    """Something to learn: one step a call, captured or not."""

    def __init__(self, loss: Callable[["Learner", Tensor], Tensor], *, is_captured: bool) -> None:
        self.generator = torch.Generator()
        self.generator.manual_seed(1)
        self.weight = nn.Parameter(torch.arange(6.0).view(2, 3) / 10)
        self.bias = nn.Parameter(torch.ones(()))
        self.rate = torch.tensor(0.5)
        self.optimizer = optim.Adam([self.weight, self.bias], lr=0.1)
        self.loss = loss
        self.calls = 0
        self.tensors = [self.weight, self.bias, self.rate]
        self.captured = Captured(self.learn, self.tensors)
        self.step = self.captured if is_captured else self.learn

    def learn(self, x: Tensor) -> dict[str, Any]:
        loss = self.loss(self, x)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"loss": loss.detach(), "parts": (loss.detach() * 2, [loss.detach()]), "name": 1.5}


def inputs(seed: int, rows: int = 4) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((rows, 3)).astype("f4"))


def assert_equal_learning(loss: Callable[[Learner, Tensor], Tensor]) -> Learner:
    """Learn with and without a program; returns the captured learner."""
    plain, captured = (Learner(loss, is_captured=c) for c in (False, True))
    for seed in range(CALLS):
        ours, theirs = captured.step(inputs(seed)), plain.step(inputs(seed))
        assert ours.keys() == theirs.keys() and ours["name"] == theirs["name"]
        assert ours["loss"].dtype == torch.float32 and ours["loss"].shape == ()
        np.testing.assert_array_equal(ours["loss"].numpy(), theirs["loss"].numpy())
        np.testing.assert_array_equal(ours["parts"][1][0].numpy(), theirs["loss"].numpy())
        for one, other in zip(captured.tensors, plain.tensors, strict=True):
            np.testing.assert_array_equal(one.detach().numpy(), other.detach().numpy())
            assert (one.grad is None) == (other.grad is None)
            if other.grad is not None and one.grad is not None:
                np.testing.assert_array_equal(one.grad.numpy(), other.grad.numpy())
    return captured


def linear(learner: Learner, x: Tensor) -> Tensor:
    return (x @ learner.weight.T * learner.bias).square().mean()


def under_no_grad(learner: Learner, x: Tensor) -> Tensor:
    with torch.no_grad():
        target = (x @ learner.weight.T).exp()
    return (x @ learner.weight.T * learner.bias - target).square().mean()


LOSSES: dict[str, Callable[[Learner, Tensor], Tensor]] = {
    "linear": linear,
    "no_grad": under_no_grad,
    "many uses": lambda a, x: sum((a.weight * a.bias * i).sum() for i in range(4)) + x.sum(),
    "broadcast": lambda a, x: (a.bias + x).square().sum() + (a.weight[0] * x).sum(),
    "views": lambda a, x: (a.weight.T.reshape(-1)[1:] * x.sum()).sum() * a.bias,
    "one of several outputs": lambda a, x: (a.weight * x[:2]).unbind(1)[1].sum() * a.bias,
    "noise": lambda a, x: (
        (torch.randn(2, 3, generator=a.generator) * torch.rand(2, 3, generator=a.generator))
        * a.weight * a.bias + x.mean()
    ).square().sum(),
    "whole numbers": lambda a, x: (
        torch.randint(5, (2, 3), generator=a.generator, dtype=torch.float32)
        * a.weight * a.bias + torch.normal(x[:2], 1.0, generator=a.generator)
    ).square().sum(),
    "a random choice": lambda a, x: (
        x[torch.randperm(4, generator=a.generator)[:2]] * a.weight
        * a.weight[:, torch.randperm(3, generator=a.generator)] * a.bias
    ).sum(),
    "dropout": lambda a, x: (
        nn.functional.dropout(a.weight, 0.4, generator=a.generator) * a.bias * x[:2]
    ).sum(),
    "of a known tensor": lambda a, x: (x @ a.weight.T * a.rate).square().mean() * a.bias,
    "a parameter without gradient": lambda a, x: (x @ a.weight.T).square().mean(),
    "clipped": lambda a, x: linear(a, x) + x.clamp(-1, 1).mean() + torch.cat([x, x]).max(),
    "maximum": lambda a, x: torch.maximum(x @ a.weight.T, a.bias).mean(),
}  # fmt: skip


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_program_makes_the_same_bits(loss: Callable[[Learner, Tensor], Tensor]) -> None:
    captured = assert_equal_learning(loss).captured
    assert captured.reason == "" and len(captured.programs) == 1
    (program,) = captured.programs.values()
    assert program is not None
    assert (program.__doc__ or "").startswith("def program(x0):")


def test_nothing_is_recorded_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    learner = Learner(linear, is_captured=True)
    learner.step(inputs(0))
    monkeypatch.setattr(engine, "record", None)
    learner.step(inputs(1))


def reads(learner: Learner, x: Tensor) -> Tensor:
    return linear(learner, x) * (2 if x.sum() > 0 else 1)


def reads_an_item(learner: Learner, x: Tensor) -> Tensor:
    return linear(learner, x) * x.sum().item()


def reads_an_array(learner: Learner, x: Tensor) -> Tensor:
    return linear(learner, x) * float(x.numpy().sum())


def prints(learner: Learner, x: Tensor) -> Tensor:
    return linear(learner, x) * len(f"{x}")


def compares(learner: Learner, x: Tensor) -> Tensor:
    return linear(learner, x) * (2.0 if torch.equal(x, learner.weight[:1].expand(4, 3)) else 1.0)


def looks_for_a_number(learner: Learner, x: Tensor) -> Tensor:
    return linear(learner, x) * (2.0 if 1.0 in x else 1.0)


def indexes_by_a_value(learner: Learner, x: Tensor) -> Tensor:
    return linear(learner, x) * x[x.sum(1).argmax()].sum()


def narrows_by_a_value(learner: Learner, x: Tensor) -> Tensor:
    return linear(learner, x) * torch.narrow(x, 0, x.sum(1).argmax(), 1).sum()


def chooses_by_a_mask(learner: Learner, x: Tensor) -> Tensor:
    return linear(learner, x) * x[x > 0].numel()


def selects_by_a_mask(learner: Learner, x: Tensor) -> Tensor:
    return linear(learner, x) * torch.masked_select(x, x > 0).numel()


def counts(learner: Learner, x: Tensor) -> Tensor:
    return linear(learner, x) * len((x > 0).nonzero())


def makes_a_tensor(learner: Learner, x: Tensor) -> Tensor:
    return linear(learner, x) * torch.tensor(float(x._array.sum()))


def makes_a_constant(learner: Learner, x: Tensor) -> Tensor:
    return linear(learner, x) * torch.tensor(0.5)


def wraps_an_array_of_numpys(learner: Learner, x: Tensor) -> Tensor:
    learner.calls += 1
    noise = np.random.default_rng(learner.calls).standard_normal(3)
    return (torch.from_numpy(noise.astype("f4")) * learner.weight).sum() * learner.bias


def copies_an_array_of_numpys(learner: Learner, x: Tensor) -> Tensor:
    learner.calls += 1
    noise = np.random.default_rng(learner.calls).standard_normal(3)
    return (torch.as_tensor(noise, dtype=torch.float32) * learner.weight).sum() * learner.bias


def takes_a_number_of_numpys(learner: Learner, x: Tensor) -> Tensor:
    learner.calls += 1
    return linear(learner, x) * np.random.default_rng(learner.calls).standard_normal(1)[0]


def makes_a_generator(learner: Learner, x: Tensor) -> Tensor:
    return linear(learner, x) * torch.rand((), generator=torch.Generator())


def takes_over_a_generator(learner: Learner, x: Tensor) -> Tensor:
    generator = from_numpy_generator(np.random.default_rng(learner.calls))
    return linear(learner, x) * torch.rand((), generator=generator)


def exchanges_memory(learner: Learner, x: Tensor) -> Tensor:
    learner.rate.data = learner.rate * 2
    return linear(learner, x) * learner.rate


def assigns_a_gradient(learner: Learner, x: Tensor) -> Tensor:
    learner.rate.grad = learner.rate * 2
    return linear(learner, x)


def changes_in_place(learner: Learner, x: Tensor) -> Tensor:
    y = x * 2
    y[0] = 0
    y.mul_(3)
    return linear(learner, y)


def assigns_an_element(learner: Learner, x: Tensor) -> Tensor:
    y = x * 2
    y[0] = 0
    return linear(learner, y)


def assigns_elements_by_index(learner: Learner, x: Tensor) -> Tensor:
    y = x * learner.weight[0]
    y[(x[0, :1] * 0).long()] = 0.0
    return y.square().sum() * learner.bias


def has_a_hook(learner: Learner, x: Tensor) -> Tensor:
    y = x @ learner.weight.T
    y.register_hook(lambda g: g * 2)
    return y.square().mean() * learner.bias


def asks_for_gradients(learner: Learner, x: Tensor) -> Tensor:
    (slope,) = torch.autograd.grad(linear(learner, x), [learner.weight])
    return (learner.weight * slope * learner.bias).sum()


def goes_back_twice(learner: Learner, x: Tensor) -> Tensor:
    linear(learner, x).backward(retain_graph=True)
    learner.optimizer.zero_grad()
    return linear(learner, x)


def gathers_gradients(learner: Learner, x: Tensor) -> Tensor:
    learner.optimizer.zero_grad()
    linear(learner, x).backward()
    linear(learner, x).backward()
    return linear(learner, x)


def has_another_leaf(learner: Learner, x: Tensor) -> Tensor:
    other = x.detach().requires_grad_()
    return linear(learner, other)


class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g * 2


def uses_a_function(learner: Learner, x: Tensor) -> Tensor:
    return linear(learner, x) + Double.apply(learner.bias)


REFUSED = {
    reads: "a value is read",
    reads_an_item: "a value is read",
    reads_an_array: "a value is read",
    prints: "a value is read",
    compares: "a value is read",
    looks_for_a_number: "a value is read",
    indexes_by_a_value: "a value is read",
    narrows_by_a_value: "a value is read",
    chooses_by_a_mask: "a shape depends on values",
    selects_by_a_mask: "a shape depends on values",
    counts: "a shape depends on values",
    makes_a_tensor: "an array comes from where no captured function has made it",
    makes_a_constant: "an array comes from where no captured function has made it",
    wraps_an_array_of_numpys: "an array comes from where no captured function has made it",
    copies_an_array_of_numpys: "an array comes from where no captured function has made it",
    takes_a_number_of_numpys: "a number of NumPy's comes from",
    makes_a_generator: "a generator is made",
    takes_over_a_generator: "a generator is made",
    exchanges_memory: "the memory of a tensor is exchanged",
    assigns_a_gradient: "a gradient is assigned",
    changes_in_place: "changes an array in place",
    assigns_an_element: "changes an array in place",
    assigns_elements_by_index: "changes an array in place",
    has_a_hook: "has hooks",
    asks_for_gradients: "gradients are asked for",
    goes_back_twice: "a graph is kept",
    gathers_gradients: "a leaf has a gradient or hooks before",
    has_another_leaf: "a leaf is not among the tensors",
    uses_a_function: "a user's Function",
}


@pytest.mark.parametrize(
    ("loss", "reason"), REFUSED.items(), ids=lambda v: getattr(v, "__name__", "")
)
def test_what_cannot_be_repeated_runs_as_it_is(loss: Any, reason: str) -> None:
    captured = assert_equal_learning(loss).captured
    assert reason in captured.reason
    assert list(captured.programs.values()) == [None]


@pytest.mark.parametrize("draw", [random.random, np.random.random], ids=["Python", "NumPy"])
def test_draw_from_a_global_generator_is_noticed(draw: Callable[[], float]) -> None:
    """Such as a random pair of networks, chosen by `random.sample`: no tensor shows it."""
    weights = [torch.full((3,), float(i)) for i in range(10)]
    captured = Captured(lambda x: x * weights[int(draw() * 10)], weights)
    factors = {captured(torch.ones(1, 3)).numpy()[0, 0] for _ in range(100)}
    assert len(factors) > 5
    assert "global generator" in captured.reason


def test_seeding_inside_is_repeated() -> None:
    generator = torch.Generator()

    def function(x: Tensor) -> Tensor:
        generator.manual_seed(3)
        return x + torch.randn(4, 3, generator=generator)

    captured = Captured(function, [])
    draws = [captured(inputs(0)).numpy() for _ in range(3)]
    assert captured.reason == ""
    np.testing.assert_array_equal(draws[0], draws[2])


def test_result_with_history_is_refused() -> None:
    weight = nn.Parameter(torch.ones(3))
    captured = Captured(lambda x: x * weight, [weight])
    for _ in range(2):
        assert captured(inputs(0)).requires_grad
    assert captured.reason == "a tensor with history is returned"


def test_named_tuple_is_made_anew() -> None:
    captured = Captured(lambda x: x.max(1), [])
    largest = [captured(torch.tensor([[float(i), 0.0]])) for i in (1, 2, 3)]
    assert [each.values.tolist() for each in largest] == [[1], [2], [3]]
    assert captured.reason == "" and type(largest[2]) is type(torch.ones(1, 2).max(1))


@dataclasses.dataclass
class Result:
    value: Tensor


@pytest.mark.parametrize("kind", [Result, lambda x: OrderedDict(x=x)], ids=["data", "ordered"])
def test_result_of_another_kind_is_refused(kind: Callable[[Tensor], Any]) -> None:
    captured = Captured(lambda x: kind(x * 2), [])
    for i in range(3):
        result = captured(torch.tensor([float(i)]))
        (value,) = (result.value,) if isinstance(result, Result) else result.values()
        assert value.tolist() == [2 * i]
    assert "is returned, which may hold tensors" in captured.reason


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        (lambda x, weight: weight.detach(), ""),
        (lambda x, weight: weight.detach()[1:], "a view of what the function knows"),
    ],
)
def test_view_of_a_parameter_keeps_its_version(view: Any, reason: str) -> None:
    weight = nn.Parameter(torch.ones(3))
    captured = Captured(lambda x: view(x, weight), [weight])
    for _ in range(2):
        result = captured(inputs(0))
    assert reason in captured.reason
    loss = weight.square().sum()
    result.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_results_under_inference_mode_are_marked() -> None:
    captured = Captured(lambda x: x * 2, [])
    with torch.inference_mode():
        results = [captured(inputs(0)) for _ in range(3)]
    assert all(result.is_inference() for result in results) and captured.reason == ""


def test_input_that_needs_a_gradient_gets_it() -> None:
    weight = nn.Parameter(torch.ones(3))

    def function(x: Tensor) -> Tensor:
        (x * weight).sum().backward()
        return x.detach().sum()

    captured = Captured(function, [weight])
    captured(inputs(0))
    x = inputs(0).requires_grad_()
    captured(x)
    assert x.grad is not None and x.grad.tolist() == [[1, 1, 1]] * 4
    assert weight.grad is not None
    np.testing.assert_allclose(weight.grad.numpy(), 2 * inputs(0).sum(0).numpy(), rtol=1e-6)


def test_gradients_add_up() -> None:
    weight = nn.Parameter(torch.ones(3))

    def function(x: Tensor) -> Tensor:
        (x * weight).sum().backward()
        return x.sum()

    captured = Captured(function, [weight])
    for _ in range(3):
        captured(torch.ones(1, 3))
    assert captured.reason == "" and weight.grad is not None and weight.grad.tolist() == [3, 3, 3]


def test_each_kind_of_input_has_a_program_up_to_a_number() -> None:
    captured = Captured(lambda x: x * 2, [])
    for _ in range(2):
        for rows in range(1, MAX_PROGRAMS + 3):
            assert captured(inputs(0, rows)).shape == (rows, 3)
    assert len(captured.programs) == MAX_PROGRAMS


def test_grad_mode_and_requires_grad_are_kept_to() -> None:
    weight = nn.Parameter(torch.ones(3))
    captured = Captured(lambda x: (x * weight).detach(), [weight])
    captured(inputs(0))
    weight.requires_grad_(False)
    captured(inputs(0))
    with torch.no_grad():
        captured(inputs(0))
    assert len(captured.programs) == 3


def test_memory_of_a_tensor_may_be_exchanged() -> None:
    weight = torch.ones(3)
    captured = Captured(lambda x: x * weight, [weight])
    captured(inputs(0))
    weight.data = torch.full((3,), 2.0)
    np.testing.assert_array_equal(captured(inputs(0)).numpy(), 2 * inputs(0).numpy())


def test_an_array_that_comes_twice_is_not_taken_for_one_that_always_does() -> None:
    weight = torch.ones(4, 3)
    captured = Captured(lambda x, y: x - y + weight, [weight])
    same, other = inputs(0), inputs(1)
    calls = [(same, same), (weight, same), (same, other), (same, other), (same, same)]
    for x, y in calls:
        expected = x.numpy() - y.numpy() + 1
        np.testing.assert_array_equal(captured(x, y).numpy(), expected)
    assert len(captured.programs) == 1  # of the first call with arrays of their own


def test_generator_may_be_set_back() -> None:
    generator = torch.Generator()
    captured = Captured(lambda x: x + torch.randn(4, 3, generator=generator), [])
    state = generator.get_state()
    draws = []
    for _ in range(3):
        generator.set_state(state)
        draws.append(captured(inputs(0)).numpy())
    np.testing.assert_array_equal(draws[0], draws[2])


def test_what_is_marked_is_called_each_time_with_the_values_of_then() -> None:
    seen: list[float] = []

    @effect
    def note(x: Tensor, factor: float) -> None:
        seen.append(x.sum().item() * factor)

    def function(x: Tensor) -> Tensor:
        y = x * 2
        note(y, 3.0)
        return y

    captured = Captured(function, [])
    for seed in range(3):
        captured(inputs(seed))
    np.testing.assert_allclose(seen, [6 * inputs(s).sum().item() for s in range(3)], rtol=1e-5)
    note(inputs(0), 1.0)  # and outside as any function
    assert len(seen) == 4


def test_errors_come_through_and_leave_the_modes_alone() -> None:
    @effect
    def check(x: Tensor) -> None:
        if x.sum().item() > 0:
            raise ValueError("positive")

    def function(x: Tensor) -> Tensor:
        check(x)
        return x * 2

    captured = Captured(function, [])
    captured(-torch.ones(2, 3))
    with pytest.raises(ValueError, match="positive"):
        captured(torch.ones(2, 3))
    assert torch.is_grad_enabled()
    assert captured(-torch.ones(2, 3)).sum().item() == -12
    other = Captured(function, [])
    with pytest.raises(ValueError, match="positive"):  # while it is watched
        other(torch.ones(2, 3))
    assert not other.programs
    assert (nn.Parameter(torch.ones(1)) * 2).requires_grad


def test_inside_another_and_in_anomaly_mode_it_runs_as_it_is() -> None:
    inner = Captured(lambda x: x * 2, [])
    outer = Captured(lambda x: inner(x) + 1, [])
    for _ in range(2):
        np.testing.assert_array_equal(outer(torch.ones(1, 3)).numpy(), [[3, 3, 3]])
    assert not inner.programs and len(outer.programs) == 1
    with torch.autograd.set_detect_anomaly(True):
        inner(inputs(0))
    assert not inner.programs


@pytest.mark.parametrize("is_captured", [True, False])
def test_gradients_are_clipped_in_each_call(*, is_captured: bool) -> None:
    """What a module's `parameters()` yields can be walked through once."""
    net = nn.Linear(3, 1)
    optimizer = optim.SGD(net.parameters(), lr=1.0)

    def learn(x: Tensor) -> Tensor:
        optimizer.zero_grad()
        loss = 100 * net(x).sum()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 0.5)
        optimizer.step()
        return loss.detach()

    step = Captured(learn, list(net.parameters()), [net]) if is_captured else learn
    for seed in range(CALLS):
        before = [parameter.detach().clone() for parameter in net.parameters()]
        step(inputs(seed))
        moved = [after.detach() - was for after, was in zip(net.parameters(), before, strict=True)]
        assert torch.cat([each.reshape(-1) for each in moved]).norm().item() == pytest.approx(0.5)
