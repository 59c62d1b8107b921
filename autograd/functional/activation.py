"""Activations and the softmax family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd.dtypes import DTypeLike, numpy_dtype
from autograd.engine.apply import apply, unary
from autograd.functional.checks import require_float, require_tensor, wrap_dim
from autograd.functional.keywords import numpy_names
from autograd.ops import activation as ops

if TYPE_CHECKING:
    from autograd.types import Tensor


def relu(input: Tensor) -> Tensor:
    """The positive part."""
    return unary(ops.relu, input)


def softplus(input: Tensor, beta: float = 1, threshold: float = 20) -> Tensor:
    """`log(1 + exp(beta * input)) / beta`; `input` itself where `beta * input > threshold`."""
    require_tensor("softplus", input)
    require_float("softplus_cpu", input)
    return apply(ops.softplus, input, beta=beta, threshold=threshold)


def logsigmoid(input: Tensor) -> Tensor:
    """`log(sigmoid(input))`, stable for large negative inputs."""
    require_tensor("log_sigmoid", input)
    require_float("log_sigmoid_cpu", input)
    return apply(ops.logsigmoid, input)


@numpy_names
def softmax(input: Tensor, dim: int, dtype: DTypeLike | None = None) -> Tensor:
    """`exp(input)` scaled to sum to 1 along `dim`."""
    input, dim = _prepared("softmax", input, dim, dtype)
    return apply(ops.softmax, input, dim=dim)


@numpy_names
def log_softmax(input: Tensor, dim: int, dtype: DTypeLike | None = None) -> Tensor:
    """The logarithm of `softmax`, finite where that rounds to 0."""
    input, dim = _prepared("log_softmax", input, dim, dtype)
    return apply(ops.log_softmax, input, dim=dim)


def _prepared(name: str, input: Tensor, dim: int, dtype: DTypeLike | None) -> tuple[Any, int]:
    require_tensor(name, input)
    dim = wrap_dim(dim, input._array.ndim)
    if dtype is not None and numpy_dtype(dtype) != input._array.dtype:
        input = input.to(dtype)
    if input._array.size:  # without elements torch runs no kernel, so it accepts any dtype
        require_float(f"{name}_lastdim_kernel_impl", input)
    return input, dim
