"""Freezing: parts whose parameters get no gradients for a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from autograd import nn


class HasParameters(Protocol):
    """A module, or what lists parameters as one does."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """Yield all parameters."""
        ...


@contextmanager
def frozen(module: HasParameters) -> Iterator[None]:
    """Compute no gradients of a module's parameters, then restore what was computed before."""
    parameters = list(module.parameters())  # an iterator would be used up by the first walk
    before = [parameter.requires_grad for parameter in parameters]
    for parameter in parameters:
        parameter.requires_grad = False
    try:
        yield
    finally:
        for parameter, requires_grad in zip(parameters, before, strict=True):
            parameter.requires_grad = requires_grad
