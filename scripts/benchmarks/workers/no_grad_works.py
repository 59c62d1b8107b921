"""Computations that need no graph, with one recorded and under no_grad: what no_grad is for."""

import tracemalloc
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
from gymnasium import spaces

import autograd as torch
from autograd.backend import NUMPY
from sac.agent.agent import SACAgent

from .serve import Work

OBSERVATION_SIZE, ACTION_SIZE = 17, 6


def evaluation(batches: int, batch_size: int, *, recorded: bool) -> Work:
    """The policy's actions for many observations, batch by batch."""
    agent = _agent()
    observations = [_observations(batch_size) for _ in range(batches)]
    return _work(
        lambda: [agent.policy_net.mode(batch) for batch in observations], recorded=recorded
    )


def target(batch_size: int, *, recorded: bool) -> Work:
    """What the soft Q networks learn towards: r + gamma V(s')."""
    agent, observations = _agent(), _observations(batch_size)
    reward = torch.ones(batch_size, 1)

    def call() -> Any:
        alpha = agent.temperature.alpha
        value, _ = agent.policy_net.soft_value(observations, agent.critic.value, alpha)
        return reward + 0.99 * value

    return _work(call, recorded=recorded)


def step(width: int, *, recorded: bool) -> Work:
    """A step of gradient descent: in place under no_grad, new tensors where it is recorded."""
    sizes = [(width, width), (width,)] * 3
    parameters: list[torch.Tensor] = [torch.nn.Parameter(torch.randn(*size)) for size in sizes]
    gradients = [torch.randn(*size) for size in sizes]
    lr = 1e-3

    def new() -> Any:
        return [p - lr * g for p, g in zip(parameters, gradients, strict=True)]

    def in_place() -> Any:
        for p, g in zip(parameters, gradients, strict=True):
            p -= lr * g
        return parameters

    return _work(new if recorded else in_place, recorded=recorded)


def _work(call: Callable[[], Any], *, recorded: bool) -> Work:
    mode: Any = nullcontext if recorded else torch.no_grad

    def examine() -> dict[str, Any]:
        with mode():
            return _memory(call)

    return Work(call, mode=mode, examine=examine)


def _memory(call: Callable[[], Any]) -> dict[str, Any]:
    """Return the peak of what a call allocates, what its result keeps of that, and its nodes."""
    call()  # what is made at first use only is none of its cost
    NUMPY.empty_cache()  # arrays that are used again would hide what is needed
    tracemalloc.start()
    try:
        result = call()
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return {"peak_bytes": peak, "kept_bytes": kept, "nodes": _nodes(result)}


def _nodes(result: Any) -> int:
    tensors = result if isinstance(result, list) else [result]
    waiting = [tensor.grad_fn for tensor in tensors if tensor.grad_fn is not None]
    seen = set()
    while waiting:
        node = waiting.pop()
        if node not in seen and hasattr(node, "next_functions"):
            seen.add(node)
            waiting += [following for following, _ in node.next_functions if following is not None]
    return sum(not type(node).__name__.startswith("AccumulateGrad") for node in seen)


def _agent() -> SACAgent:
    return SACAgent(
        spaces.Box(-np.inf, np.inf, (OBSERVATION_SIZE,), np.float32),
        spaces.Box(-1, 1, (ACTION_SIZE,), np.float32),
    )


def _observations(batch_size: int) -> Any:
    return torch.randn(batch_size, OBSERVATION_SIZE)
