"""What learning has of its own: minima of networks, indices, steps of Adam, targets, checks."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import autograd as torch
from autograd import Tensor, nn, optim
from autograd.backend import NUMPY
from autograd.engine.capture import Captured, check
from autograd.functional.fused import clip_row_norms_, polyak_update_
from tests.autograd.compiled.drivers import (
    assert_as_numpy,
    assert_close,
    captured,
    compiled,
)


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


# -- minima over networks ---------------------------------------------------------------------


@pytest.mark.parametrize("networks", [1, 2, 3, 10])
@pytest.mark.parametrize("columns", [1, 4, 33])
def test_gradient_of_a_minimum(networks: int, columns: int) -> None:
    """It goes to the smallest, and to the first of equal ones."""
    values = numbers(networks, 40, columns).round(1)
    values[:, 3] = 1.5
    g = numbers(40, columns)
    assert_as_numpy(
        lambda xp, g, v: xp.minimum_gradient(g, v), g, values, is_exact=True,
        ops=["MINIMUM_GRADIENT"],
    )  # fmt: skip


def test_gradient_of_a_minimum_goes_to_what_is_not_a_number() -> None:
    values, g = numbers(3, 20, 2), np.ones((20, 2), np.float32)
    values[1, 5], values[2, 5], values[0, 6] = np.nan, np.nan, np.nan
    ours = compiled(lambda xp, g, v: xp.minimum_gradient(g, v), g, values)
    np.testing.assert_array_equal(ours, NUMPY.minimum_gradient(g, values))
    assert ours[:, 5, 0].tolist() == [0, 1, 0] and ours[:, 6, 0].tolist() == [1, 0, 0]


# -- indices ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 3), (40, 1), (40, 5)])
def test_gather_and_its_gradient(shape: tuple[int, ...]) -> None:
    weight = nn.Parameter(torch.from_numpy(numbers(*shape)))
    optimizer = optim.Adam([weight])

    def function(index: Tensor) -> Tensor:
        value = weight.gather(-1, index)
        optimizer.zero_grad()
        value.square().sum().backward()
        return value.detach()

    program = captured(function, [weight])
    for seed in range(3):
        index = np.random.default_rng(seed).integers(shape[-1], size=(*shape[:-1], 1))
        value = program(torch.from_numpy(index)).numpy()
        expected = np.zeros(shape, np.float32)
        np.put_along_axis(expected, index, 2 * value, -1)
        np.testing.assert_array_equal(value, np.take_along_axis(weight.detach().numpy(), index, -1))
        assert weight.grad is not None
        np.testing.assert_array_equal(weight.grad.numpy(), expected)
    assert program.compiler.left == []


@pytest.mark.parametrize("shape", [(1, 3), (40, 1), (40, 5), (3, 40, 5)])
def test_elements_are_taken_and_put(shape: tuple[int, ...]) -> None:
    index = np.random.default_rng(0).integers(shape[-1], size=(*shape[:-1], 1))
    rows = [np.arange(n).reshape(n, *(1,) * (len(shape) - i - 1)) for i, n in enumerate(shape[:-1])]

    def taken(xp: Any, x: Any, i: Any) -> Any:
        return x[(*rows, i)]

    def put(xp: Any, x: Any, i: Any) -> Any:
        target = xp.zeros(x.shape, np.float32)
        target[(*rows, i)] = x[..., :1]
        return target

    assert_as_numpy(taken, numbers(*shape), index, is_exact=True, ops=["INDEXED"])
    assert_as_numpy(put, numbers(*shape), index, is_exact=True)


@pytest.mark.parametrize("bad", [5, -1, 2**40, -(2**62)])
@pytest.mark.parametrize("is_last", [True, False])
def test_index_out_of_bounds_is_told(bad: int, is_last: bool) -> None:
    program = captured(lambda i, x: x.gather(1, i) if is_last else x.gather(1, i).exp().sum(0))
    index, x = np.ones((30, 1), np.int64), torch.from_numpy(numbers(30, 5))
    good = program(torch.from_numpy(index), x)
    index[17] = bad
    for _ in range(2):
        with pytest.raises(IndexError, match="out of bounds for a dimension of size 5"):
            program(torch.from_numpy(index), x)
    index[17] = 1
    np.testing.assert_array_equal(program(torch.from_numpy(index), x).numpy(), good.numpy())


# -- steps ------------------------------------------------------------------------------------

Maker = Callable[[Sequence[nn.Parameter]], optim.Optimizer]
OPTIMIZERS: dict[str, Maker] = {
    "adam": lambda p: optim.Adam(p, lr=0.01),
    "betas": lambda p: optim.Adam(p, lr=0.1, betas=(0.5, 0.6), eps=1e-3),
    "no first moment": lambda p: optim.Adam(p, lr=0.01, betas=(0.0, 0.99)),
    "adamw": lambda p: optim.AdamW(p, lr=0.01, weight_decay=0.3),
    "two groups": lambda p: optim.AdamW([{"params": p[:1]}, {"params": p[1:], "lr": 0.5}]),
}


class Learner:
    """Two parameters that are learned, one of which follows the other, slowly."""

    def __init__(self, make: Maker, size: int = 70, *, is_compiled: bool) -> None:
        self.weight = nn.Parameter(torch.from_numpy(numbers(size, 3)))
        self.bias = nn.Parameter(torch.ones(()))
        self.target = torch.zeros(size, 3)
        self.optimizer = make([self.weight, self.bias])
        self.losses: list[float] = []
        tensors = [self.weight, self.bias, self.target]
        self.captured = captured(self.learn, tensors)
        self.step = self.captured if is_compiled else self.learn

    @check
    def look(self, name: str, loss: Tensor) -> None:
        value = loss.item()
        if not np.isfinite(value):
            self.losses.append(value)
            raise ArithmeticError(f"{name} is {value}")

    def learn(self, x: Tensor) -> Tensor:
        loss = (x @ self.weight.T + self.bias).square().mean()
        self.look("loss", loss)
        self.optimizer.zero_grad()
        loss.backward()
        clip_row_norms_(self.weight, 0.05)
        self.optimizer.step()
        polyak_update_(self.target, self.weight, 0.25)
        return loss.detach()

    def state(self) -> list[np.ndarray]:
        moments = [
            value for p in (self.weight, self.bias) for value in self.optimizer.state[p].values()
        ]
        return [t.detach().numpy().copy() for t in (self.weight, self.bias, self.target, *moments)]


def pair(make: Maker, size: int = 70) -> tuple[Learner, Learner]:
    return Learner(make, size, is_compiled=True), Learner(make, size, is_compiled=False)


def assert_equal_learning(one: Learner, other: Learner, calls: int = 2, first: int = 0) -> None:
    for seed in range(first, first + calls):
        x = torch.from_numpy(numbers(16, 3, seed=seed))
        assert_close(one.step(x).numpy(), other.step(x).numpy())
        for ours, theirs in zip(one.state(), other.state(), strict=True):
            assert_close(ours, theirs)


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("size", [1, 5, 70, 3000])
def test_steps_of_optimizers(make: Maker, size: int) -> None:
    learners = pair(make, size)
    assert_equal_learning(*learners, calls=5)
    compiler = learners[0].captured.compiler
    assert compiler.left == [] and learners[0].captured.reason == ""


@pytest.mark.parametrize(
    "keys", [{"amsgrad": True}, {"maximize": True}, {"weight_decay": 0.1}, {"found_inf": 0.0}]
)
def test_optimizer_without_a_kernel_keeps_the_update_in_numpy(keys: dict[str, Any]) -> None:
    """A step between compiled stretches would see the gradients of an earlier update."""
    found_inf = keys.pop("found_inf", None)
    learners = pair(lambda p: optim.Adam(p, lr=0.01, **keys))
    for learner in learners:
        learner.optimizer.found_inf = None if found_inf is None else torch.tensor(found_inf)
    assert_equal_learning(*learners, calls=4)
    assert learners[0].captured.compiler.left == ["settings of Adam without a kernel"]


def test_settings_may_change_between_steps() -> None:
    learners = pair(OPTIMIZERS["adamw"])
    assert_equal_learning(*learners)
    for learner in learners:
        schedule = optim.lr_scheduler.LambdaLR(learner.optimizer, lambda n: 0.1**n)
        learner.optimizer.step()
        schedule.step()
    assert_equal_learning(*learners, first=5)
    for learner in learners:
        learner.optimizer.param_groups[0].update(betas=(0.1, 0.2), eps=0.1, weight_decay=0.0)
    assert_equal_learning(*learners, first=10)
    for learner in learners:
        learner.optimizer.param_groups[0]["lr"] = torch.tensor(0.3)
    assert_equal_learning(*learners, first=15)
    for learner in learners:
        learner.optimizer.param_groups[0]["lr"].fill_(0.01)
    assert_equal_learning(*learners, first=20)


def test_settings_without_a_kernel_are_numpys() -> None:
    learners = pair(OPTIMIZERS["adam"])
    assert_equal_learning(*learners)
    for key, value in (("amsgrad", True), ("maximize", True), ("weight_decay", 0.1)):
        for learner in learners:
            learner.optimizer.param_groups[0][key] = value
            if key == "amsgrad":
                learner.optimizer.state.clear()
        assert_equal_learning(*learners, first=5)
        for learner in learners:
            learner.optimizer.param_groups[0][key] = type(value)(0)
        assert_equal_learning(*learners, first=10)
    for learner in learners:
        learner.optimizer.found_inf = torch.tensor(1.0)
    before = learners[0].state()
    assert_equal_learning(*learners, first=15)
    assert_close(learners[0].state()[0], before[0], is_exact=True)


def test_state_may_be_replaced_between_steps() -> None:
    learners = pair(OPTIMIZERS["adam"])
    assert_equal_learning(*learners)
    for learner in learners:
        state = learner.optimizer.state[learner.weight]
        state["exp_avg"] = torch.ones(70, 3)
        state["step"] = torch.tensor(50.0)
        learner.weight.data = torch.zeros(70, 3)
    assert_equal_learning(*learners, first=5)
    saved = learners[0].optimizer.state_dict()
    assert_equal_learning(*learners, first=10)
    for learner in learners:
        learner.optimizer.load_state_dict(copy.deepcopy(saved))
    assert_equal_learning(*learners, first=15)
    for learner in learners:  # the groups are other objects now
        learner.optimizer.param_groups[0]["lr"] = 0.3
    assert_equal_learning(*learners, first=17)
    for learner in learners:
        learner.optimizer.state.clear()
    assert_equal_learning(*learners, first=20)


def test_state_that_is_no_plain_array_is_numpys() -> None:
    learners = pair(OPTIMIZERS["adam"])
    assert_equal_learning(*learners)
    for learner in learners:
        learner.optimizer.state[learner.weight]["exp_avg"] = torch.ones(3, 70).T
        learner.weight.data = torch.ones(3, 70).T
    assert_equal_learning(*learners, first=5)


def test_target_follows_at_any_size() -> None:
    for size in (1, 15, 4096, 4097, 10_000):
        target, source = torch.zeros(size), torch.from_numpy(numbers(size))

        def follow(x: Tensor, target: Tensor = target, source: Tensor = source) -> Tensor:
            polyak_update_(target, source, 0.25)
            return x * 2.0

        program = captured(follow, [target, source])
        program(torch.ones(1)), program(torch.ones(1))
        assert_close(target.numpy(), 0.4375 * source.numpy())
        assert program.compiler.left == []


# -- checks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 3e38])
def test_loss_that_is_not_finite_stops_the_program_before_a_step(bad: float) -> None:
    learner = Learner(OPTIMIZERS["adam"], is_compiled=True)
    x = torch.from_numpy(numbers(16, 3))
    for _ in range(3):
        learner.step(x)
    before = learner.state()
    x[3, 1] = bad
    for calls in (1, 2):
        with pytest.raises(ArithmeticError, match=r"loss is (nan|inf)"):
            learner.step(x)
        assert len(learner.losses) == calls
        for ours, theirs in zip(learner.state(), before, strict=True):
            assert_close(ours, theirs, is_exact=True)
    x[3, 1] = 1
    assert np.isfinite(learner.step(x).item())


def stopping(order: Sequence[str]) -> tuple[Captured, nn.Parameter]:
    """A program whose gradients are known before its losses are, which they do not need."""
    weight = nn.Parameter(torch.zeros(3))
    optimizer = optim.Adam([weight], lr=0.1)

    @check
    def look(name: str, loss: Tensor) -> None:
        if not np.isfinite(loss.item()):
            raise ArithmeticError(name)

    def function(x: Tensor) -> Tensor:
        losses = {"early": x[:1, :1].sum(), "late": ((x @ x.T).tanh() @ x).sum()}
        for name in order:
            look(name, losses[name])
        optimizer.zero_grad()
        (weight * 2.0).sum().backward()
        optimizer.step()
        return x * 2.0

    return captured(function, [weight]), weight


@pytest.mark.parametrize("order", [["early", "late"], ["late", "early"], ["late"], ["early"]])
def test_first_bad_loss_is_told_though_no_gradient_needs_it(order: list[str]) -> None:
    program, weight = stopping(order)
    program(torch.ones(40, 20)), program(torch.ones(40, 20))
    assert program.compiler.left == []
    before = weight.detach().numpy().copy()
    with pytest.raises(ArithmeticError, match=order[0]):
        program(torch.full((40, 20), np.nan))
    np.testing.assert_array_equal(weight.detach().numpy(), before)


def test_check_at_the_end_of_a_program_is_seen() -> None:
    @check
    def look(loss: Tensor) -> None:
        if not np.isfinite(loss.item()):
            raise ArithmeticError("the end")

    def function(x: Tensor) -> Tensor:
        y = x * 2.0
        look(y.sum())
        return y

    program = captured(function)
    program(torch.ones(3))
    assert program.compiler.left == []
    with pytest.raises(ArithmeticError, match="the end"):
        program(torch.tensor([np.nan]).expand(3).clone())
