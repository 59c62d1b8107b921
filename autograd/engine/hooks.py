"""Hooks on gradients, and the node that stands for a leaf."""

from __future__ import annotations

import itertools
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograd.types import Tensor

_keys = itertools.count()


class RemovableHandle:
    """The result of registering a hook; `remove()` takes the hook away."""

    def __init__(self, hooks: dict[int, Any], key: int) -> None:
        """The dictionary that holds the hook, and its key there."""
        self.hooks = hooks
        self.id = key

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        self.hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        """Remove the hook at the end of a `with` block."""
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def add_hook(hooks: dict[int, Any], hook: Any) -> RemovableHandle:
    """Add `hook` behind those that are there."""
    key = next(_keys)
    hooks[key] = hook
    return RemovableHandle(hooks, key)


class AccumulateGrad:
    """The end of the graph at a leaf, where gradients are added to `variable.grad`."""

    def __init__(self, variable: Tensor) -> None:
        """`variable`: the leaf."""
        self.variable = variable
        self.next_functions: tuple[Any, ...] = ()

    def name(self) -> str:
        """The name of the node in torch."""
        return "torch::autograd::AccumulateGrad"

    def __eq__(self, other: object) -> bool:
        """Compare by leaf, since every access makes a new object for the same leaf."""
        return isinstance(other, AccumulateGrad) and other.variable is self.variable

    def __hash__(self) -> int:
        """Hash by leaf."""
        return id(self.variable)


def warn_of_non_leaf_grad() -> None:
    """The warning at `.grad` of a tensor that an operation made."""
    warnings.warn(
        "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad "
        "attribute won't be populated during autograd.backward(). If you indeed want the .grad "
        "field to be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor.",
        UserWarning,
        stacklevel=3,
    )
