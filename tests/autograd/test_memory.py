"""What `no_grad` is for: nothing is recorded, nothing is kept; and what backward lets go of."""

import gc
import tracemalloc
import weakref
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from tests.autograd.graphs import nodes, saved_bytes
from tests.autograd.untyped import torch

BATCH, WIDTH = 256, 64


class Network:
    """Layers enough to be worth keeping."""

    def __init__(self, inputs: int, outputs: int) -> None:
        sizes = [inputs, *[WIDTH] * 5, outputs]
        self.weights = [torch.full(shape, 0.1).requires_grad_() for shape in pairwise(sizes)]

    def __call__(self, x: Any) -> Any:
        for weight in self.weights[:-1]:
            x = (x @ weight).relu()
        return x @ self.weights[-1]


POLICY, SOFT_Q = Network(8, 4), Network(12, 1)
OBSERVATION = torch.ones(BATCH, 8)


def evaluation() -> Any:
    return POLICY(OBSERVATION).tanh()


def soft_target() -> Any:
    mean, log_std = POLICY(OBSERVATION).chunk(2, dim=1)
    action = torch.cat([mean, mean + log_std.clamp(-5, 2).exp()], dim=1).tanh()
    value = SOFT_Q(torch.cat([OBSERVATION, action], dim=1))
    return 1.0 + 0.99 * (value - 0.2 * log_std.sum(dim=1, keepdim=True))


PARAMETERS = (*POLICY.weights, *SOFT_Q.weights, OBSERVATION)


def peak(function: Callable[[], Any]) -> int:
    """The most memory that was in use at once while the function ran."""
    function()
    gc.collect()
    tracemalloc.start()
    try:
        result = function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        del result


@pytest.mark.parametrize("function", [evaluation, soft_target])
def test_no_grad_records_and_keeps_nothing(function: Callable[[], Any]) -> None:
    recorded = function()
    assert len(nodes(recorded)) >= 6
    assert saved_bytes(recorded, besides=PARAMETERS) >= 5 * BATCH * WIDTH * 4
    with torch.no_grad():
        result = function()
    assert result.grad_fn is None and not result.requires_grad
    assert len(nodes(result)) == 0
    assert saved_bytes(result, besides=PARAMETERS) == 0


@pytest.mark.parametrize("function", [evaluation, soft_target])
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_peak_is_clearly_smaller(function: Callable[[], Any], mode: Any) -> None:
    with_grad = peak(function)
    without = peak(mode()(function))
    assert without < 0.8 * with_grad
    assert with_grad - without >= BATCH * WIDTH * 4


def test_detaching_the_result_saves_neither() -> None:
    target = soft_target()
    detached = target.detach()
    assert len(nodes(detached)) == 0
    assert len(nodes(target)) >= 12  # alive as long as the target is
    assert saved_bytes(target, besides=PARAMETERS) >= 10 * BATCH * WIDTH * 4
    assert peak(lambda: soft_target().detach()) > 0.95 * peak(soft_target)


def test_saved_arrays_go_as_soon_as_their_node_has_run() -> None:
    x = torch.ones(1000, requires_grad=True)
    hidden = x.exp()
    result = hidden.exp()
    kept_when_the_first_gradient_came = []
    hidden.register_hook(lambda g: kept_when_the_first_gradient_came.append(saved_bytes(result)))
    assert saved_bytes(result) == 2 * 4000
    result.sum().backward()
    assert kept_when_the_first_gradient_came == [4000]
    assert saved_bytes(result) == 0


def test_a_frozen_network_keeps_no_inputs_for_its_weights() -> None:
    frozen = [weight.detach() for weight in SOFT_Q.weights]
    x = torch.ones(BATCH, 12, requires_grad=True)
    linear_only = x @ frozen[0] @ frozen[1]
    assert saved_bytes(linear_only, besides=tuple(frozen)) == 0


@pytest.mark.parametrize(
    "function",
    [
        lambda x: (x * x).tanh().sum(),
        lambda x: x[1:].reshape(1, 2).expand(3, 2).sum(),
        lambda x: x.clone().mul_(2).exp_().sum(),
    ],
)
def test_a_graph_has_no_reference_cycle(function: Callable[[Any], Any]) -> None:
    gc.disable()
    try:
        x = torch.ones(3, requires_grad=True)
        result = function(x)
        node = weakref.ref(result.grad_fn)
        del result
        assert node() is None
    finally:
        gc.enable()


def test_a_base_changed_through_a_view_is_in_no_cycle() -> None:
    gc.disable()
    try:
        base = torch.ones(3, requires_grad=True) * 1
        base[1:].mul_(2)
        node = weakref.ref(base.grad_fn)
        del base
        assert node() is None
    finally:
        gc.enable()


def test_the_first_gradient_becomes_grad_without_a_copy() -> None:
    x = torch.ones(50_000, requires_grad=True)
    result = (x * torch.ones(50_000)).sum()
    tracemalloc.start()
    try:
        result.backward()
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 1.5 * 200_000  # the gradient, once


def test_a_gradient_that_comes_in_many_parts_is_summed_in_place() -> None:
    x = torch.ones(50_000, requires_grad=True)
    weight = torch.ones(50_000)
    result = sum(((x * weight).sum() for _ in range(20)), torch.zeros(()))
    tracemalloc.start()
    try:
        result.backward()
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 4 * 200_000
    assert x.grad.tolist() == [20.0] * 50_000
