"""no_grad, enable_grad, set_grad_enabled and inference_mode."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import autograd as torch

MODES = [torch.no_grad, torch.inference_mode]


def leaf() -> Any:
    return torch.ones(3, requires_grad=True)


@pytest.mark.parametrize("mode", MODES)
def test_results_need_no_gradient(mode: Any) -> None:
    x = leaf()
    with mode() as bound:
        assert bound is None
        assert not torch.is_grad_enabled()
        for y in (x * 2, x.exp(), (x * x).sum(), torch.cat([x, x]), x @ x):
            assert not y.requires_grad and y.grad_fn is None and y.is_leaf
    assert torch.is_grad_enabled()


def test_nesting_and_exceptions_restore_the_outer_mode() -> None:
    seen = []
    with torch.no_grad():
        with torch.enable_grad():
            seen.append(torch.is_grad_enabled())
            with pytest.raises(KeyError), torch.no_grad():
                raise KeyError
            seen.append(torch.is_grad_enabled())
        seen.append(torch.is_grad_enabled())
    seen.append(torch.is_grad_enabled())
    assert seen == [True, True, False, True]


@pytest.mark.parametrize(
    "decorate",
    [torch.no_grad, torch.no_grad(), torch.inference_mode, torch.inference_mode(),
     lambda function: torch.set_grad_enabled(False)(function)],
)  # fmt: skip
def test_decorators(decorate: Any) -> None:
    @decorate
    def enabled(depth: int) -> list[bool]:
        """What it says."""
        with torch.enable_grad():
            pass
        return [torch.is_grad_enabled(), *(enabled(depth - 1) if depth else [])]

    assert torch.is_grad_enabled()
    assert enabled(2) == [False] * 3
    assert (enabled.__name__, enabled.__doc__) == ("enabled", "What it says.")
    assert torch.is_grad_enabled()


def test_a_class_without_parentheses_is_no_context_manager() -> None:
    with pytest.raises(TypeError), torch.no_grad:  # type: ignore[attr-defined]
        pass


def test_a_decorated_generator_keeps_its_mode_to_itself() -> None:
    closed: list[bool] = []

    @torch.no_grad()
    def generator() -> Iterator[Any]:
        try:
            received = yield torch.is_grad_enabled()
            try:
                yield received, torch.is_grad_enabled()
            except KeyError:
                yield "caught", torch.is_grad_enabled()
        finally:
            closed.append(torch.is_grad_enabled())

    running: Any = generator()
    assert next(running) is False and torch.is_grad_enabled()
    assert running.send(5) == (5, False) and torch.is_grad_enabled()
    assert running.throw(KeyError) == ("caught", False) and torch.is_grad_enabled()
    running.close()
    assert closed == [False] and torch.is_grad_enabled()


def test_a_decorated_generator_returns_its_value() -> None:
    @torch.no_grad()
    def generator() -> Any:
        yield 1
        return "end"

    def outer() -> Any:
        return (yield from generator())

    running = outer()
    next(running)
    with pytest.raises(StopIteration) as stop:
        next(running)
    assert stop.value.value == "end"


def test_set_grad_enabled_acts_at_once() -> None:
    torch.set_grad_enabled(False)
    assert not torch.is_grad_enabled()
    torch.set_grad_enabled(True)
    with torch.set_grad_enabled(False):
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()


def test_a_new_thread_starts_with_grad_on() -> None:
    def modes() -> tuple[bool, bool]:
        return torch.is_grad_enabled(), torch.is_inference_mode_enabled()

    with torch.inference_mode(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(modes).result() == (True, False)
        assert modes() == (False, True)


def test_threads_do_not_disturb_each_other() -> None:
    barrier = threading.Barrier(2)
    found: dict[str, set[bool]] = {}

    def work(name: str, mode: Any) -> None:
        with mode():
            for _ in range(50):
                barrier.wait()
                found.setdefault(name, set()).add((leaf() * 2).requires_grad)

    threads = [
        threading.Thread(target=work, args=("off", torch.no_grad)),
        threading.Thread(target=work, args=("on", torch.enable_grad)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"off": {False}, "on": {True}}


def test_the_same_instance_twice_stays_off_as_in_torch() -> None:
    mode = torch.no_grad()
    with mode, mode:
        pass
    assert not torch.is_grad_enabled()
    torch.set_grad_enabled(True)


def test_what_no_grad_does_not_change() -> None:
    x, y = leaf(), leaf() * 2
    node = y.grad_fn
    with torch.no_grad():
        assert torch.ones(2, requires_grad=True).requires_grad
        assert torch.ones(2).requires_grad_().requires_grad
        view = x[:2]
        assert view.requires_grad and view.grad_fn is None
        y.add_(1)
        assert y.grad_fn is node
        y.sum().requires_grad_()
        (inside := leaf()).backward(torch.ones(3))
    assert inside.grad.tolist() == [1, 1, 1]


def test_backward_runs_under_no_grad() -> None:
    x = leaf()
    y = (x * x).sum()
    with torch.no_grad():
        y.backward()
    assert x.grad.tolist() == [2, 2, 2]


def test_arithmetic_is_silent_in_every_mode() -> None:
    zero = torch.zeros(1, requires_grad=True)
    (zero.log() * 2 + (zero + 1000).exp() - 1 / zero).sum().backward()
    with torch.no_grad():
        assert (1 / zero).item() == float("inf")


def inference_tensor() -> Any:
    with torch.inference_mode():
        return torch.ones(3) * 2


def test_inference_tensors() -> None:
    normal = torch.ones(3)
    with torch.inference_mode():
        assert torch.is_inference_mode_enabled()
        assert (normal * 2).is_inference() and torch.ones(1).is_inference()
        assert not normal[:2].is_inference()
        with torch.enable_grad():
            assert torch.is_grad_enabled()
            assert (leaf() * 2).grad_fn is None
        with torch.inference_mode(False):
            assert (leaf() * 2).requires_grad
    x = inference_tensor()
    assert x[:1].is_inference() and x.detach().is_inference()
    assert not x.clone().is_inference() and not (x + 1).is_inference()


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda x: x * leaf(), "Inference tensors cannot be saved for backward"),
        (lambda x: x.add_(1), "Inplace update to inference tensor outside InferenceMode"),
        (lambda x: x.__setitem__(0, 1), "Inplace update to inference tensor outside InferenceMode"),
        (lambda x: x._version, "Inference tensors do not track version counter"),
        (lambda x: x.requires_grad_(), "Setting requires_grad=True on inference tensor outside"),
    ],
)
def test_inference_tensors_outside(attempt: Callable[[Any], Any], message: str) -> None:
    x = inference_tensor()
    with pytest.raises(RuntimeError, match=message):
        attempt(x)
    assert x.tolist() == [2, 2, 2]


def test_an_inference_tensor_that_is_not_saved_may_take_part() -> None:
    x, weight = inference_tensor(), leaf()
    (weight + x).sum().backward()
    assert weight.grad.tolist() == [1, 1, 1]
