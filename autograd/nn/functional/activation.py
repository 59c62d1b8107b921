"""Activations as functions."""

from __future__ import annotations

from typing import Any

from autograd.functional import elementwise


def relu(input: Any, inplace: bool = False) -> Any:
    """The positive part."""
    return input.relu_() if inplace else elementwise.relu(input)


def tanh(input: Any) -> Any:
    """The hyperbolic tangent."""
    return elementwise.tanh(input)
