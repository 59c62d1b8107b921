"""Operations that change a tensor in place: the methods whose names end in an underscore."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.engine import needs_grad
from autograd.functional.subscript import prepare_setitem
from autograd.grad_mode import state
from autograd.graph import record
from autograd.ops import assignment, indexing
from autograd.ops.op import Op
from autograd.writing import check, check_expands, check_overlap, check_single_memory, write


def method(function: Callable[..., Any]) -> Callable[..., Any]:
    """The in-place method of an operation: `x.mul_(y)` of `mul`."""

    def in_place(self: Any, *args: Any, **kwargs: Any) -> Any:
        others = [x for x in (*args, *kwargs.values()) if hasattr(x, "_array")]
        recorded = check(self, others)
        # Recorded from a copy: what the operation saves of `self` is its value from before.
        source = _with_history_of(self, self._array.copy() if recorded else self._array)
        result = function(source, *args, **kwargs)
        check_overlap(self._array, others)
        write(self, result._array)
        if recorded and result is not source:
            rebase(self, result)
        return self

    in_place.__name__ = in_place.__qualname__ = f"{function.__name__}_"
    in_place.__doc__ = f"`{function.__name__}` in place."
    return in_place


def _with_history_of(tensor: Any, array: Any) -> Any:
    """A tensor of that array at the place that `tensor` has in the graph now."""
    result = tensor._wrap(array)
    result._requires_grad, result._grad_fn = tensor.requires_grad, tensor._grad_fn
    result._output_nr = tensor._output_nr
    return result


def rebase(tensor: Any, result: Any) -> None:
    """Give a changed tensor the history of `result`; a view hands it on to its base."""
    node, view = result._grad_fn, tensor._view
    if node is None:
        return
    if result._cell is not None:  # saved: a later change of the tensor must count
        cell = tensor._version_cell()
        node.versions = [
            (cell, cell[0], array) if known is result._cell else (known, version, array)
            for known, version, array in node.versions
        ]
    if view is None:
        tensor._set_history(node, result._output_nr)
    else:
        base = view.base
        _record_change(assignment.copy_slices, base, base, result, {"steps": view.steps})


def _record_change(op: Op, tensor: Any, before: Any, value: Any, settings: dict[str, Any]) -> None:
    """Record that `tensor`, changed already, is `op(before, value)`."""
    needs = before._requires_grad, needs_grad(value)
    result = tensor._wrap(tensor._array)
    arrays = before._array, getattr(value, "_array", value)
    node = record(op, needs, (before, value), arrays, (result._array,), (result,), settings)
    if tensor is before:
        tensor._set_history(node)
    else:
        result._set_history(node)
        rebase(tensor, result)


def copy_(self: Any, src: Any, non_blocking: bool = False) -> Any:
    """Copy the elements of `src`, broadcast and cast; without a GPU `non_blocking` has no effect."""
    if not hasattr(src, "_array"):
        raise TypeError(
            f"copy_(): argument 'other' (position 1) must be Tensor, not {type(src).__name__}"
        )
    return _assign(self, src)


def fill_(self: Any, value: Any) -> Any:
    """`value`, a number or a tensor without dimensions, everywhere."""
    if hasattr(value, "_array") and value._array.ndim:
        raise RuntimeError(
            "fill_ only supports 0-dimension value tensor but got tensor with "
            f"{value._array.ndim} dimensions."
        )
    return _assign(self, value)


def zero_(self: Any) -> Any:
    """Zero everywhere."""
    return _assign(self, 0)


def _assign(self: Any, value: Any) -> Any:
    """Replace all elements, whatever they were."""
    target, array = self._array, getattr(value, "_array", value)
    others = () if array is value else (value,)
    recorded = check(self, others)
    check_single_memory(target)
    check_overlap(target, others)
    if others:
        check_expands(array.shape, target.shape)
    before = _with_history_of(self, target) if recorded else None
    state.run_silently(target.__setitem__, ..., array)
    self._bump_version()
    if before is not None:
        _record_change(assignment.copy, self, before, value, {})
    return self


def setitem(tensor: Any, index: Any, value: Any) -> None:
    """`tensor[index] = value`."""
    index, value = prepare_setitem(tensor, index, value)
    array = getattr(value, "_array", value)
    others = () if array is value else (value,)
    recorded = check(tensor, others, through_view=index.advanced is None)
    if tensor._array.size > 1:
        part = tensor._array[index.basic]
        check_single_memory(part)
        check_overlap(part, others)
    before = _with_history_of(tensor, tensor._array) if recorded else None
    state.run_silently(index.write, tensor._array, array)
    tensor._bump_version()
    if before is not None:
        _record_change(indexing.setitem, tensor, before, value, {"index": index})
