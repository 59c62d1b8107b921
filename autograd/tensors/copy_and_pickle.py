"""How tensors are copied and pickled."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from autograd.backend import Array, backend_of

if TYPE_CHECKING:
    from autograd.types import Tensor


def deepcopy(self: Tensor, memo: dict[int, Any]) -> Tensor:
    """`copy.deepcopy(tensor)`: a leaf with its gradient.

    Tensors that share memory and are copied together share the copy's memory, as in torch.
    """
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
            "protocol at the moment. Use tensor.detach().clone() for a copy outside the graph."
        )
    result = rebuild(type(self), _copied(self._array, memo), self.requires_grad)
    memo[id(self)] = result
    result._grad = copy.deepcopy(self._grad, memo)
    return result


def _copied(array: Array, memo: dict[int, Any]) -> Array:
    """Copy an array with the memory that it views: once in a `deepcopy`, for all of its views."""
    memory = array
    while type(memory.base) is type(array):
        memory = memory.base
    flags = memory.flags
    if not (flags.c_contiguous or flags.f_contiguous) or memory.dtype != array.dtype:
        return array.copy("K")
    if id(memory) not in memo:
        memo[id(memory)] = memory.copy("K")
    copied = memo[id(memory)]
    if memory is array:
        return copied
    xp = backend_of(array)
    first = (xp.address(array) - xp.address(memory)) // array.itemsize
    flat = (copied if flags.c_contiguous else copied.T).reshape(-1)
    return xp.strided(flat, first, array.shape, array.strides)


def reduce(self: Tensor, protocol: Any) -> tuple[Any, ...]:
    """Pickle a tensor as a leaf, without its gradient."""
    return rebuild, (type(self), self._array, self.requires_grad)


def rebuild(kind: type, array: Array, requires_grad: bool) -> Tensor:
    """Make a leaf of class `kind` around an array."""
    result: Any = object.__new__(kind)
    result._array = array
    result._requires_grad = requires_grad
    return result
