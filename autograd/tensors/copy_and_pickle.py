"""How tensors are copied and pickled."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from autograd.backend import Array

if TYPE_CHECKING:
    from autograd.types import Tensor


def deepcopy(self: Tensor, memo: dict[int, Any]) -> Tensor:
    """`copy.deepcopy(tensor)`: a leaf with its gradient."""
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
            "protocol at the moment. Use tensor.detach().clone() for a copy outside the graph."
        )
    result = rebuild(type(self), self._array.copy(), self.requires_grad)
    memo[id(self)] = result
    result._grad = copy.deepcopy(self._grad, memo)
    return result


def reduce(self: Tensor, protocol: Any) -> tuple[Any, ...]:
    """Pickle a tensor as a leaf, without its gradient."""
    return rebuild, (type(self), self._array, self.requires_grad)


def rebuild(kind: type, array: Array, requires_grad: bool) -> Tensor:
    """Make a leaf of class `kind` around an array."""
    result: Any = object.__new__(kind)
    result._array = array
    result._requires_grad = requires_grad
    return result
