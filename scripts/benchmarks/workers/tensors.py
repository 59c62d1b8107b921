"""Works on tensors, the same lines for torch and for autograd: both go by torch's names."""

from contextlib import nullcontext
from functools import partial
from typing import Any

from .serve import Work

SMALL = 8  # elements: of so few, the time is that of the call

SMALL_OPS = {"add": 2, "mul": 2, "exp": 1, "tanh": 1, "sum": 1}  # name: number of tensors


def small_op(torch: Any, op: str, mode: str) -> Work:
    """One operation on 8 elements: under no_grad, recorded, or recorded with its backward."""
    inputs = [
        torch.linspace(0.1, 0.9, SMALL, requires_grad=mode != "no_grad")
        for _ in range(SMALL_OPS[op])
    ]
    forward = partial(getattr(torch, op), *inputs)
    if mode != "backward":
        return Work(forward, mode=torch.no_grad if mode == "no_grad" else nullcontext)
    gradient = torch.ones_like(forward())

    def call() -> None:
        for tensor in inputs:
            tensor.grad = None
        forward().backward(gradient)

    return Work(call)


def mlp(torch: Any, batch: int, width: int) -> Work:
    """Forward and backward of three linear layers with two relus and a mean of squares."""
    nn = torch.nn
    net = nn.Sequential(
        nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
        nn.Linear(width, width),
    )  # fmt: skip
    x = torch.randn(batch, width)

    def call() -> None:
        net.zero_grad()
        output = net(x)
        (output * output).mean().backward()

    return Work(call)
