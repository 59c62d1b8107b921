"""Rules for writing into a tensor's memory: what torch allows, and its errors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from autograd.backend import Array, backend_of
from autograd.dtypes import type_name
from autograd.engine.apply import needs_grad
from autograd.engine.grad_mode import state
from autograd.engine.promotion import category
from autograd.engine.views import forbidden

if TYPE_CHECKING:
    from autograd.types import Tensor


def check(tensor: Tensor, others: Iterable[Any], *, through_view: bool = False) -> bool:
    """Whether a change of `tensor` by `others` is recorded; RuntimeError if torch refuses it.

    `through_view`: only a part of `tensor` will change.
    """
    if not state.inference and tensor._inference:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed. You can make "
            "a clone to get a normal tensor before doing inplace update."
        )
    if not state.recording:
        return False
    # These checks come before `requires_grad` of a view, which may renew its history.
    view = tensor._view
    if view is None:
        recorded = tensor._requires_grad
    else:
        recorded = tensor._requires_grad or view.base.requires_grad
    # Elements of an integer or bool tensor have no gradient, whatever is written there.
    is_floating = tensor._array.dtype.kind == "f"
    if not recorded and not (is_floating and any(needs_grad(x) for x in others)):
        return False
    if view is not None:
        if view.creation != "default":
            raise forbidden(tensor, "is being")
        if recorded and view.base._grad_fn is None:
            raise RuntimeError(
                "a view of a leaf Variable that requires grad is being used in an in-place "
                "operation."
            )
    if recorded and tensor.grad_fn is None:
        part = "a view of " if through_view else ""
        raise RuntimeError(
            f"{part}a leaf Variable that requires grad is being used in an in-place operation."
        )
    return True


def check_overlap(target: Array, others: Iterable[Any]) -> None:
    """Refuse an operand that shares part of the target's memory: order would matter."""
    for other in others:
        array = other._array
        if array is not target and array.size and target.size:
            _refuse_partial_overlap(target, array)


def _refuse_partial_overlap(target: Array, array: Array) -> None:
    xp = backend_of(target)
    if not xp.may_share_memory(target, array) or not (_is_dense(target) and _is_dense(array)):
        return
    same = xp.address(target) == xp.address(array) and target.nbytes == array.nbytes
    if not same or target.strides != array.strides:
        raise RuntimeError(
            "unsupported operation: some elements of the input tensor and the written-to tensor "
            "refer to a single memory location. Please clone() the tensor before performing the "
            "operation."
        )


def _is_dense(array: Array) -> bool:
    """Whether the elements fill their memory, in any order of dimensions."""
    expected = array.itemsize
    for stride, n in sorted(zip(array.strides, array.shape, strict=True)):
        if n != 1:
            if stride != expected:
                return False
            expected *= n
    return True


def write(tensor: Tensor, array: Array) -> None:
    """Write a result into a tensor's memory; raise if it does not fit."""
    target = tensor._array
    if array.shape != target.shape:
        raise RuntimeError(
            f"output with shape {list(target.shape)} doesn't match the broadcast shape "
            f"{list(array.shape)}"
        )
    check_single_memory(target)
    have, want = category(array.dtype), category(target.dtype)
    if have > want and (have == 2 or want == 0):
        raise RuntimeError(
            f"result type {type_name(array)} can't be cast to the desired output type "
            f"{type_name(target)}"
        )
    state.run_silently(target.__setitem__, ..., array)
    tensor._bump_version()


def check_single_memory(target: Array) -> None:
    """Refuse a target whose elements share memory, as after `expand`."""
    if 0 in target.strides and target.size > 1:
        repeated = any(n > 1 and s == 0 for n, s in zip(target.shape, target.strides, strict=True))
        if repeated:
            raise RuntimeError(
                "unsupported operation: more than one element of the written-to tensor refers to a "
                "single memory location. Please clone() the tensor before performing the operation."
            )


def check_expands(shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Refuse a value that does not broadcast to the target."""
    extra = len(wanted) - len(shape)
    if extra < 0:
        raise RuntimeError(
            f"output with shape {list(wanted)} doesn't match the broadcast shape {list(shape)}"
        )
    for i, (n, m) in enumerate(zip(shape, wanted[extra:], strict=True)):
        if n not in (1, m):
            raise RuntimeError(
                f"The size of tensor a ({m}) must match the size of tensor b ({n}) at "
                f"non-singleton dimension {i + extra}"
            )
