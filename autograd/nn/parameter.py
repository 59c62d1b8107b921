"""`Parameter`: a tensor that a module owns and an optimizer changes."""

from __future__ import annotations

import copy
from typing import Any

from autograd.creation import tensor
from autograd.tensors.tensor import Tensor


class Parameter(Tensor):
    """A leaf that a `Module` registers as a parameter when it is assigned to an attribute."""

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        """Share the elements and version counter of `data`; raise RuntimeError for integers."""
        data = tensor([]) if data is None else data.detach()
        self._array = data._array
        self._cell = data._cell
        self._inference = data._inference
        if requires_grad and self._array.dtype.kind != "f":
            raise RuntimeError(
                "Only Tensors of floating point and complex dtype can require gradients"
            )
        self.requires_grad = requires_grad

    def __repr__(self) -> str:
        """As in torch: the tensor under a headline."""
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        """A parameter with a copy of the elements, and of the gradient if there is one."""
        if id(self) in memo:
            return memo[id(self)]
        result = type(self)(Tensor._wrap(self._array.copy("K")), self.requires_grad)
        memo[id(self)] = result
        if self._grad is not None:
            result._grad = copy.deepcopy(self._grad, memo)
        return result

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled without the gradient."""
        return type(self), (Tensor._wrap(self._array), self.requires_grad)


def type_name(value: Any) -> str:
    """What torch's messages call the type of a value: `torch.FloatTensor`, `int`."""
    if isinstance(value, Tensor):
        return value.type()
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
