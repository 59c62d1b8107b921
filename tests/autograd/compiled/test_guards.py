"""Compiled programs beside the same function as written, where the two could part."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as torch
from autograd import Tensor, nn, optim
from autograd.engine.capture import Captured
from autograd.functional.fused import polyak_update_
from tests.autograd.compiled.drivers import captured


class Learner:
    """Two parameters and their optimizer, of which each test uses what it needs."""

    def __init__(self) -> None:
        self.first, self.second = (nn.Parameter(torch.ones(3)) for _ in range(2))
        self.optimizer = optim.Adam([self.first, self.second], lr=0.1)

    def backward(self, x: Tensor) -> None:
        (x * self.first).square().sum().backward()

    def numbers(self) -> list[Any]:
        """All that an update changes."""
        params = [self.first, self.second]
        state = [value for p in params for value in self.optimizer.state.get(p, {}).values()]
        gradients = [None if p.grad is None else p.grad.tolist() for p in params]
        return [t.detach().numpy().tolist() for t in (*params, *state)] + gradients


def steps_twice(learner: Learner, x: Tensor) -> None:
    for _ in range(2):
        learner.optimizer.zero_grad()
        learner.backward(x)
        learner.optimizer.step()


def clears_last(learner: Learner, x: Tensor) -> None:
    learner.backward(x)
    learner.optimizer.step()
    learner.optimizer.zero_grad()


def clears_first(learner: Learner, x: Tensor) -> None:
    learner.optimizer.zero_grad()
    learner.backward(x)
    learner.optimizer.step()


def never_clears(learner: Learner, x: Tensor) -> None:
    learner.backward(x)


def nothing(learner: Learner) -> None:
    pass


def gives_the_other_a_gradient(learner: Learner) -> None:
    learner.second.grad = torch.full((3,), 2.0)


def gives_a_gradient(learner: Learner) -> None:
    learner.first.grad = torch.full((3,), 2.0)


def leaves_out_the_first(learner: Learner) -> None:
    learner.optimizer.param_groups[0]["params"] = [learner.second]


CASES = [
    (steps_twice, nothing),
    (clears_last, nothing),
    (clears_last, gives_a_gradient),
    (clears_first, nothing),
    (clears_first, gives_a_gradient),
    (clears_first, leaves_out_the_first),
    (never_clears, nothing),
    (never_clears, gives_a_gradient),
]


@pytest.mark.parametrize(("learn", "between"), CASES, ids=lambda f: f.__name__)
def test_update_does_what_it_does_as_it_is_written(
    learn: Callable[[Learner, Tensor], None], between: Callable[[Learner], None]
) -> None:
    found: list[list[Any]] = []
    for capture in (None, Captured, captured):
        learner = Learner()

        def function(x: Tensor, learner: Learner = learner) -> Tensor:
            learn(learner, x)
            return x.sum()

        tensors = [learner.first, learner.second]
        program = function if capture is None else capture(function, tensors)
        found.append([])
        for rows in (8, 8, 3, 8):  # another batch size is captured anew
            program(torch.ones(rows, 3))
            found[-1] += learner.numbers()
            between(learner)
    assert found[1] == found[0]
    for ours, theirs in zip(found[2], found[0], strict=True):
        assert (ours is None) == (theirs is None)
        if theirs is not None:
            np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_gradient_that_another_function_made_is_used() -> None:
    """Of a parameter of the same optimizer."""

    def learned(capture: Any) -> list[float]:
        learner = Learner()
        other = optim.Adam([learner.first])

        def function(x: Tensor) -> Tensor:
            other.zero_grad()
            learner.backward(x)
            learner.optimizer.step()
            return x.sum()

        program = capture(function, [learner.first, learner.second]) if capture else function
        program(torch.ones(3))
        gives_the_other_a_gradient(learner)
        program(torch.ones(3))
        return learner.second.tolist()

    assert learned(captured) == learned(None) != [1, 1, 1]


def test_parameters_in_one_memory() -> None:
    def learned(capture: Any) -> list[list[float]]:
        linear, vector = nn.Linear(2, 2, bias=False), torch.zeros(4)
        nn.utils.vector_to_parameters(vector, [linear.weight])
        optimizer = optim.Adam([linear.weight], lr=0.1)

        def function(x: Tensor) -> Tensor:
            optimizer.zero_grad()
            linear(x).sum().backward()
            optimizer.step()
            return vector * 1

        program = capture(function, [linear.weight, vector]) if capture else function
        return [program(torch.ones(8, 2)).tolist() for _ in range(2)]

    assert learned(captured) == learned(None)


def test_target_that_follows_a_transposed_source() -> None:
    target, source = torch.zeros(2, 2), torch.tensor([[1.0, 2.0], [3.0, 4.0]])

    def function(x: Tensor) -> Tensor:
        polyak_update_(target, source.t(), 1.0)
        return x * 1

    captured(function, [target, source])(torch.ones(1))
    assert target.tolist() == source.t().tolist()


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_row_of_zeros_times_what_is_not_finite(number: float) -> None:
    """A loss that is not finite must be seen."""
    weight = torch.full((16, 64), number)
    x = torch.zeros(16, 16)
    x[1] = 1
    result = captured(lambda x: x @ weight, [weight])(x)
    assert result[0].isnan().all() and not result[1].isfinite().any()


def test_threads_that_run_one_program_wait_for_each_other() -> None:
    weight = torch.from_numpy(np.random.default_rng(0).standard_normal((64, 64)).astype("f4"))
    program = captured(lambda x: torch.relu(x @ weight) @ weight, [weight])
    inputs = [torch.full((64, 64), float(i)) for i in range(3)]
    expected = [program(x).numpy() for x in inputs]
    wrong: list[int] = []

    def run(i: int) -> None:
        for _ in range(200):
            if not np.array_equal(program(inputs[i]).numpy(), expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(inputs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
