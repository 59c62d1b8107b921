"""Multilayer perceptrons with weights from a generator of their own, and freezing."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import numpy as np

import autograd as torch
from autograd import Tensor, nn
from autograd.backend.layout import FlatParameters
from autograd.functional.fused import mlp
from autograd.generator import from_numpy_generator
from autograd.nn import functional as F

FUSED = ("relu", "tanh")  # the whole network is one node, which a small one is half the time


class MLP(nn.Module):
    """Hidden layers with an activation, and a linear output layer."""

    def __init__(self, sizes: Sequence[int], activation: str, weights: np.random.Generator) -> None:
        """Build from `sizes`: inputs, hidden units of each layer, outputs."""
        super().__init__()
        generator = from_numpy_generator(weights)
        self.activation = activation
        self.layers = nn.ModuleList()
        for fan_in, fan_out in pairwise(sizes):
            self.layers.append(nn.Linear(fan_in, fan_out, generator=generator))
        self.parameter_list = list(self.parameters())
        self.flat: FlatParameters | None = None

    def flatten(self) -> None:
        """Move the parameters into one array, so that a step of theirs is one call; after `to`."""
        self.flat = FlatParameters([self.parameter_list])

    def forward(self, *inputs: Tensor) -> Tensor:
        """Map inputs (batch, n), side by side, to (batch, outputs)."""
        if self.activation in FUSED:
            return mlp(inputs, self.parameter_list, self.activation, self.flat)
        x = inputs[0] if len(inputs) == 1 else torch.cat(inputs, dim=1)
        *hidden, last = self.layers
        for layer in hidden:
            x = getattr(F, self.activation)(layer(x))
        return last(x)


@contextmanager
def frozen(parameters: Iterable[nn.Parameter]) -> Iterator[None]:
    """Compute no gradients of `parameters`, then restore what was computed before."""
    parameters = list(parameters)  # an iterator would be used up by the first walk
    before = [parameter.requires_grad for parameter in parameters]
    for parameter in parameters:
        parameter.requires_grad = False
    try:
        yield
    finally:
        for parameter, requires_grad in zip(parameters, before, strict=True):
            parameter.requires_grad = requires_grad
