"""Multilayer perceptrons with weights from a generator of their own, and freezing."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

import autograd as torch
from autograd import Tensor, nn
from autograd.functional.fused import linear_activation
from autograd.nn import functional as F  # noqa: N812 (torch's customary name)

FUSED = ("relu", "tanh")  # these cost no pass of their own


class MLP(nn.Module):
    """Hidden layers with an activation, and a linear output layer."""

    def __init__(
        self, sizes: Sequence[int], activation: str, weights: np.random.Generator
    ) -> None:
        """Build from `sizes`: inputs, hidden units of each layer, outputs."""
        super().__init__()
        generator = torch.Generator.from_numpy(weights)
        self.activation = activation
        self.layers = nn.ModuleList()
        for fan_in, fan_out in zip(sizes[:-1], sizes[1:], strict=True):
            self.layers.append(nn.Linear(fan_in, fan_out, generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, inputs) to (batch, outputs)."""
        *hidden, last = self.layers
        for layer in hidden:
            if self.activation in FUSED:
                x = linear_activation(x, layer.weight, layer.bias, self.activation)
            else:
                x = getattr(F, self.activation)(layer(x))
        return last(x)


@contextmanager
def frozen(parameters: Sequence[nn.Parameter]) -> Iterator[None]:
    """Record no gradients of `parameters` (a list: an iterator would be used up): their products cost nothing."""
    for parameter in parameters:
        parameter.requires_grad = False
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad = True
