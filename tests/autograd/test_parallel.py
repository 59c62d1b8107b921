"""Parts at the same time: who runs them, what goes wrong in them, and what comes out of them."""

import os
import threading
import time
import warnings
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest

import autograd as torch
from autograd.backend import NUMPY, numpy_chains
from autograd.parallel import Crew
from sac.agent import SACAgent
from tests.autograd.op_rows_fused import ROWS
from tests.autograd.op_table import Arguments, Row
from tests.sac.agents_for_tests import make_agent, make_batch


@pytest.fixture
def crew() -> Crew:
    result = Crew()
    result.threads = 2
    return result


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Cut every product, however small, for one thread and for two."""
    monkeypatch.setattr(numpy_chains, "LARGE", 0)
    monkeypatch.setattr(numpy_chains, "BLOCK", 32)
    before, NUMPY._crew.threads = NUMPY._crew.threads, request.param
    yield request.param
    NUMPY._crew.threads = before


def test_results_come_in_the_order_of_the_parts(crew: Crew) -> None:
    for count in (0, 1, 2, 7):
        assert crew.run([partial(int, i) for i in range(count)]) == list(range(count))


def test_two_parts_run_at_the_same_time(crew: Crew) -> None:
    both = threading.Barrier(2)
    assert len(set(crew.run([lambda: (both.wait(10), threading.get_ident())[1]] * 2))) == 2


def test_no_thread_starts_before_it_is_needed() -> None:
    before = threading.active_count()
    crew = Crew()
    crew.threads = 1
    crew.run([lambda: None] * 2)
    assert threading.active_count() == before


def test_a_busy_thread_is_not_waited_for(crew: Crew) -> None:
    """The caller runs what the other has not begun."""
    go_on = threading.Event()
    caller = threading.get_ident()

    def slow() -> None:
        if threading.get_ident() != caller:
            go_on.wait(10)

    other = threading.Thread(target=lambda: crew.run([slow, slow]))
    other.start()
    time.sleep(0.05)
    assert crew.run([threading.get_ident] * 3) == [caller] * 3
    go_on.set()
    other.join()


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_what_a_part_raises_comes_to_the_caller_when_all_have_run(crew: Crew, bad: int) -> None:
    done = []

    def part(i: int) -> None:
        if i == bad:
            raise KeyError(i)
        done.append(i)

    with pytest.raises(KeyError, match=str(bad)):
        crew.run([partial(part, i) for i in range(3)])
    assert sorted(done) == [i for i in range(3) if i != bad]
    assert crew.run([lambda: 1, lambda: 2]) == [1, 2]


def test_blas_has_its_threads_back_afterwards(crew: Crew) -> None:
    before = crew.blas.threads
    seen = crew.run([lambda: crew.blas.threads] * 2)
    assert (seen, crew.blas.threads) == ([1, 1], before)


def test_no_warning_comes_from_the_other_thread(crew: Crew) -> None:
    both = threading.Barrier(2)

    def overflow() -> None:
        both.wait(10)
        np.full(3, 1e38, np.float32) * np.float32(1e38)

    with warnings.catch_warnings(), np.errstate(all="ignore"):  # errstate is of this thread
        warnings.simplefilter("error")
        crew.run([overflow, overflow])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_starts_a_thread_of_its_own(crew: Crew) -> None:
    crew.run([lambda: None] * 2)
    child = os.fork()
    if child == 0:
        both = threading.Barrier(2)
        try:
            crew.run([lambda: both.wait(5)] * 2)
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def updated(actions: str) -> SACAgent:
    agent = make_agent(actions)
    for seed in range(3):
        agent.update(make_batch(agent, seed))
    return agent


@pytest.mark.parametrize("actions", ["continuous", "discrete"])
def test_an_update_in_parts_is_the_update(actions: str, threads: int) -> None:
    state = updated(actions).state_dict()
    NUMPY._crew.threads = 1
    for name, array in updated(actions).state_dict().items():
        np.testing.assert_array_equal(state[name], array)  # whoever ran the parts
    numpy_chains.LARGE = 2**62
    for name, array in updated(actions).state_dict().items():
        np.testing.assert_allclose(state[name], array, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("row", [row for row in ROWS if row.name in ("Mlp", "MinMlp")])
def test_gradients_in_parts_are_the_gradients(
    row: Row, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gradients(arguments: Arguments) -> list[np.ndarray]:
        tensors = [torch.tensor(a, requires_grad=True) for a in arguments]
        (row.function(torch, *tensors) ** 2).sum().backward()
        return [t.grad.numpy() for t in tensors if t.grad is not None]

    for arguments in row.samples:
        monkeypatch.setattr(numpy_chains, "LARGE", 0)
        in_parts = gradients(arguments)
        monkeypatch.setattr(numpy_chains, "LARGE", 2**62)
        for found, expected in zip(in_parts, gradients(arguments), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
