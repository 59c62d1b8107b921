"""Activations as modules."""

from __future__ import annotations

from typing import Any

from autograd.nn import functional
from autograd.nn.module import Module


class ReLU(Module):
    """The positive part."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Apply it."""
        return functional.relu(input, self.inplace)

    def extra_repr(self) -> str:
        """torch's."""
        return "inplace=True" if self.inplace else ""


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, input: Any) -> Any:
        """Apply it."""
        return functional.tanh(input)
