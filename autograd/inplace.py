"""Operations that change a tensor in place, and torch's rules for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.backend import backend_of
from autograd.engine import new_node, record_node
from autograd.grad_mode import no_grad, state
from autograd.ops import indexing
from autograd.ops.op import Op
from autograd.view_tracking import replay


def check(tensor: Any) -> None:
    """Raise RuntimeError where torch refuses to change this tensor in place."""
    view = tensor._view
    if tensor._inference and not state.inference:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a "
            "clone to get a normal tensor before doing inplace update."
        )
    if not state.grad_enabled:
        return
    if view is not None and tensor.requires_grad:
        _check_view(view)
    if tensor._requires_grad and tensor.grad_fn is None and view is None:
        raise RuntimeError(
            "a leaf Variable that requires grad is being used in an in-place operation."
        )


def _check_view(view: Any) -> None:
    if view.creation == "multi":
        raise RuntimeError(
            "Output 0 of a view is being modified inplace. This view is the output of a function "
            "that returns multiple views. Such functions do not allow the output views to be "
            "modified inplace. You should replace the inplace operation by an out-of-place one."
        )
    if view.creation in ("no_grad", "inference"):
        where = "inference mode" if view.creation == "inference" else "no_grad mode"
        raise RuntimeError(
            f"A view was created in {where} and is being modified inplace with grad mode enabled. "
            "Given that this use case is ambiguous and error-prone, it is forbidden. Move both the "
            "view and the change inside or outside the mode."
        )
    if view.base.requires_grad and view.base.grad_fn is None:
        raise RuntimeError(
            "a view of a leaf Variable that requires grad is being used in an in-place operation."
        )


def method(function: Callable[..., Any]) -> Callable[..., Any]:
    """The in-place method of an operation: `x.mul_(y)` of `mul`."""

    def in_place(self: Any, *args: Any, **kwargs: Any) -> Any:
        check(self)
        needs_history = state.grad_enabled and (
            self.requires_grad or any(getattr(a, "requires_grad", False) for a in args)
        )
        # Recorded from a copy: what the operation saves of `self` is its value from before.
        source = _as_before(self) if needs_history else self._wrap(self._array)
        result = function(source, *args, **kwargs)
        write(self, result._array)
        if needs_history:
            rebase(self, result)
        return self

    in_place.__name__ = f"{function.__name__}_"
    in_place.__doc__ = f"`{function.__name__}` in place."
    return in_place


def _as_before(tensor: Any) -> Any:
    before = tensor._wrap(tensor._array.copy())
    before._grad_fn, before._output_nr = tensor.grad_fn, tensor._output_nr
    before._requires_grad = tensor.requires_grad
    return before


def write(tensor: Any, array: Any) -> None:
    """Put a result into a tensor's memory; raise where it does not fit."""
    target = tensor._array
    if array.shape != target.shape:
        raise RuntimeError(
            f"output with shape {list(target.shape)} doesn't match the broadcast shape "
            f"{list(array.shape)}"
        )
    if 0 in target.strides and any(n > 1 and s == 0 for n, s in zip(target.shape, target.strides, strict=True)):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a "
            "single memory location. Please clone() the tensor before performing the operation."
        )
    if "fiub".index(array.dtype.kind) < "fiub".index(target.dtype.kind):
        raise RuntimeError(
            f"result type {array.dtype} can't be cast to the desired output type {target.dtype}"
        )
    target[...] = array
    tensor._bump_version()


def rebase(tensor: Any, result: Any) -> None:
    """Give a changed tensor the history of `result`; a view hands it on to its base."""
    if tensor._view is None:
        if result.requires_grad:
            tensor._set_history(*result._grad_edge())
        return
    base, view = tensor._view.base, tensor._view
    xp = backend_of(base._array)
    node = new_node("CopySlices")
    node.op = _copy_slices(view)
    node.xp = xp
    node.edges = [
        base._grad_edge() if base.requires_grad else None,
        result._grad_edge() if result.requires_grad else None,
    ]
    node.metas = [
        (base._array.shape, base._array.dtype) if base.requires_grad else None,
        (result._array.shape, result._array.dtype) if result.requires_grad else None,
    ]
    node.out_metas = [(base._array.shape, base._array.dtype)]
    node.saved, node.versions = (), []
    base._set_history(node)


def _copy_slices(view: Any) -> Op:
    """The change of one part of a base, for the gradients alone."""
    op = Op("CopySlices", lambda xp, base, part: base)

    @op.joint_gradient()
    def _(xp: Any, g: Any) -> tuple[Any, Any]:
        rest = g.copy()
        replay(view, rest, xp)[...] = 0
        return rest, replay(view, g, xp)

    return op


def setitem(tensor: Any, index: Any, value: Any) -> None:
    """`tensor[index] = value`."""
    from autograd.functional.indexing import array_index

    check(tensor)
    array = getattr(value, "_array", value)
    index = array_index(tensor, index)
    needs_history = state.grad_enabled and (
        tensor.requires_grad or getattr(value, "requires_grad", False)
    )
    before = _as_before(tensor) if needs_history else None
    tensor._array[index] = array
    tensor._bump_version()
    if before is None:
        return
    with no_grad():
        result = tensor._wrap(tensor._array)
    node = record_node(
        indexing.setitem, (before, value), (before._array, array), (tensor._array,),
        {"index": index}, (result,),
    )  # fmt: skip
    result._set_history(node)
    rebase(tensor, result)


def check_new_grad(tensor: Any, value: Any) -> None:
    """Raise where torch refuses to assign `.grad`."""
    if value is None:
        return
    if not hasattr(value, "_array"):
        raise TypeError(f"assigned grad expected to be a Tensor or None but got {type(value).__name__}")
    if value is tensor:
        raise RuntimeError("can't assign Variable as its own grad")
    if value._array.shape != tensor._array.shape:
        raise RuntimeError(
            f"attempting to assign a gradient of size '{list(value.shape)}' to a tensor of size "
            f"'{list(tensor.shape)}'. Please ensure that the gradient and the tensor are the same size"
        )
    if value._array.dtype != tensor._array.dtype:
        raise RuntimeError(
            f"attempting to assign a gradient with dtype '{value.dtype}' to a tensor with dtype "
            f"'{tensor.dtype}'. Please ensure that the gradient and the tensor have the same dtype"
        )


def refuse_requires_grad_of_inference(tensor: Any, value: bool) -> None:
    """An inference tensor can not begin to require a gradient outside inference mode."""
    if value and tensor._inference and not state.inference:
        raise RuntimeError(
            "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed."
        )
