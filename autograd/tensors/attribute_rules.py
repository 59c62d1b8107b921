"""torch's rules for setting `requires_grad`, `grad` and `data`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd.backend import loaded
from autograd.dtypes import type_name
from autograd.engine.grad_mode import state

if TYPE_CHECKING:
    from autograd.types import Tensor


def check_requires_grad(tensor: Tensor, value: Any) -> None:
    """Raise if torch would not set `requires_grad` to this value."""
    if not isinstance(value, bool):
        raise RuntimeError("requires_grad must be a bool")
    if not value and tensor.grad_fn is not None:
        raise RuntimeError(
            "you can only change requires_grad flags of leaf variables. If you want to use a "
            "computed variable in a subgraph that doesn't require differentiation use "
            "var_no_grad = var.detach()."
        )
    if value and tensor._array.dtype.kind != "f":
        raise RuntimeError("only Tensors of floating point and complex dtype can require gradients")
    if value and tensor._inference and not state.inference:
        raise RuntimeError(
            "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed."
        )


def check_new_grad(tensor: Tensor, value: Any) -> None:
    """Raise if torch would not assign this `.grad`."""
    if value is None:
        return
    if not hasattr(value, "_array"):
        raise TypeError(
            "assigned grad expected to be a Tensor or None but got grad of type "
            f"{type(value).__name__}"
        )
    if value is tensor:
        raise RuntimeError("can't assign Variable as its own grad")
    if value._array.dtype != tensor._array.dtype:
        raise RuntimeError(
            f"attempting to assign a gradient with dtype '{type_name(value._array)}' to a tensor "
            f"with grad_dtype '{type_name(tensor._array)}'. The gradient must match the tensor's "
            "dtype."
        )
    if loaded and value.device != tensor.device:
        raise RuntimeError(
            "attempting to assign a gradient located on device with index "
            f"'{value.device}' to a tensor located on '{tensor.device}'. Please ensure that the "
            "gradient and the tensor are on the same device"
        )
    if value._array.shape != tensor._array.shape:
        raise RuntimeError(
            f"attempting to assign a gradient of size '{list(value._array.shape)}' to a tensor of "
            f"size '{list(tensor._array.shape)}'. Please ensure that the gradient and the tensor "
            "are the same size"
        )


def check_new_data(tensor: Tensor, value: Any) -> None:
    """Raise if torch would not assign this `.data`."""
    if not hasattr(value, "_array"):
        raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
    if tensor._requires_grad and value._array.dtype.kind != "f":
        raise RuntimeError(
            "data set to a tensor that requires gradients must be floating point or complex dtype"
        )
