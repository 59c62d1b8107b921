"""Operations in place: the methods whose names end in an underscore, and assignment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autograd.backend import Array, loaded
from autograd.engine.apply import needs_grad
from autograd.engine.grad_mode import state
from autograd.engine.record import record
from autograd.functional.checks import is_tensor
from autograd.functional.subscript import prepare_setitem
from autograd.ops import assignment, indexing
from autograd.ops.op import Op
from autograd.tensors.inplace_rules import (
    check,
    check_expands,
    check_overlap,
    check_single_memory,
    write,
)

if TYPE_CHECKING:
    from autograd.types import Operand, Tensor


def method(function: Callable[..., Any]) -> Callable[..., Tensor]:
    """Make the in-place method of an operation: `x.mul_(y)` from `mul`."""

    def in_place(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        others = [x for x in (*args, *kwargs.values()) if hasattr(x, "_array")]
        recorded = check(self, others)
        # Recorded from a copy, so that the operation saves the old value of `self`.
        if recorded:
            source = _with_history_of(self, self._array.copy())
        else:
            source = self._wrap(self._array)
        result = function(source, *args, **kwargs)
        check_overlap(self._array, others)
        write(self, result._array)
        if recorded and result is not source:
            rebase(self, result)
        return self

    in_place.__name__ = in_place.__qualname__ = f"{function.__name__}_"
    in_place.__doc__ = f"`{function.__name__}` in place."
    return in_place


def _with_history_of(tensor: Tensor, array: Array) -> Tensor:
    """A tensor of this array, with the history that `tensor` has now."""
    result = tensor._wrap(array)
    result._grad_fn, result._requires_grad = tensor.grad_fn, tensor.requires_grad
    result._output_nr = tensor._output_nr
    return result


class _Before:
    """A tensor, and the value it will take, with their histories before the change.

    The change reaches the value, too, if it is a view of the same memory.
    """

    def __init__(self, tensor: Tensor, value: Operand) -> None:
        self.tensor = _with_history_of(tensor, tensor._array)
        self.value = value
        self.needs = self.tensor._requires_grad, needs_grad(value)
        if is_tensor(value) and self.needs[1] and value._grad_fn is not None:
            self.value = _with_history_of(value, value._array)

    def record(self, op: Op, tensor: Tensor, settings: dict[str, Any]) -> Any:
        """Make a tensor of the changed elements with the history `op(tensor, value)`."""
        result = tensor._wrap(tensor._array)
        arrays = self.tensor._array, getattr(self.value, "_array", self.value)
        inputs, outs = (self.tensor, self.value), (result._array,)
        node = record(op, self.needs, inputs, arrays, outs, (result,), settings)
        result._set_history(node)
        return result


def rebase(tensor: Tensor, result: Tensor) -> None:
    """Give a changed tensor the history of `result`; if it is a view, change its base's."""
    node, view = result._grad_fn, tensor._view
    if node is None:
        return
    if result._cell is not None:  # it is saved, so a later change of the tensor must count
        cell = tensor._version_cell()
        node.versions = [
            (cell, cell[0], array) if known is result._cell else (known, version, array)
            for known, version, array in node.versions
        ]
    if view is None:
        tensor._set_history(node, result._output_nr)
    else:
        base = view.base
        changed = _Before(base, result).record(assignment.copy_slices, base, {"steps": view.steps})
        base._set_history(changed._grad_fn)


def copy_(self: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """Copy the elements of `src`, from any device, broadcast and cast.

    `non_blocking` has no effect.
    """
    if not hasattr(src, "_array"):
        raise TypeError(
            f"copy_(): argument 'other' (position 1) must be Tensor, not {type(src).__name__}"
        )
    return _assign(self, src.to(self.device) if loaded else src)


def fill_(self: Tensor, value: Operand) -> Tensor:
    """Fill with `value`, a number or a 0-d tensor."""
    if is_tensor(value) and value._array.ndim:
        raise RuntimeError(
            "fill_ only supports 0-dimension value tensor but got tensor with "
            f"{value._array.ndim} dimensions."
        )
    return _assign(self, value.to(self.device) if loaded and is_tensor(value) else value)


def zero_(self: Tensor) -> Tensor:
    """Fill with zeros."""
    return _assign(self, 0)


def _assign(self: Tensor, value: Operand) -> Tensor:
    """Replace all elements by `value`, broadcast."""
    target: Array = self._array
    array: Array = getattr(value, "_array", value)
    others = () if array is value else (value,)
    recorded = check(self, others)
    if others:
        check_single_memory(target)
        check_overlap(target, others)
        check_expands(array.shape, target.shape)
    before = _Before(self, value) if recorded else None
    state.run_silently(target.__setitem__, ..., array)
    self._bump_version()
    if before is not None:
        rebase(self, before.record(assignment.copy, self, {}))
    return self


def setitem(tensor: Tensor, index: Any, value: Any) -> None:
    """`tensor[index] = value`."""
    if index is False:  # selects nothing, and torch checks nothing
        return
    index, value = prepare_setitem(tensor, index, value)
    if loaded and hasattr(value, "_array") and (index.advanced is None or not value.ndim):
        value = value.to(tensor.device)  # as in torch, which copies from any device
    array = getattr(value, "_array", value)
    others = () if array is value else (value,)
    recorded = check(tensor, others, through_view=index.advanced is None)
    if tensor._array.size > 1:
        part = tensor._array[index.basic]
        check_single_memory(part)
        check_overlap(part, others)
    before = _Before(tensor, value) if recorded else None
    # By the array's own method, so that a recorder notices the change.
    if index.advanced is None:
        state.run_silently(tensor._array.__setitem__, index.basic, array)
    else:
        state.run_silently(tensor._array[index.basic].__setitem__, index.advanced, array)
    tensor._bump_version()
    if before is not None:
        rebase(tensor, before.record(indexing.setitem, tensor, {"index": index}))
