"""Activations as functions."""

from __future__ import annotations

import warnings

from autograd.dtypes import DTypeLike
from autograd.engine.apply import apply, unary
from autograd.functional import activation
from autograd.functional.checks import require_float, require_tensor
from autograd.ops import rectifiers as ops
from autograd.tensors.inplace import method
from autograd.tensors.tensor import Tensor


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """The positive part."""
    return _relu_(input) if inplace else activation.relu(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """`input` where it is positive, elsewhere `negative_slope * input`."""
    return (_leaky_relu_ if inplace else _leaky_relu)(input, negative_slope)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """`input` where it is positive, elsewhere `alpha * (exp(input) - 1)`."""
    return (_elu_ if inplace else _elu)(input, alpha)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """`input * sigmoid(input)`."""
    return (_silu_ if inplace else _silu)(input)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """`input` times the standard normal distribution function there; "tanh" approximates it."""
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    _require_float("gelu", "GeluKernelImpl", input)
    return unary(ops.gelu_tanh if approximate == "tanh" else ops.gelu, input)


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DTypeLike | None = None
) -> Tensor:
    """`exp(input)` scaled to sum to 1 along `dim`."""
    dim = _implicit_dim("softmax", input, _stacklevel) if dim is None else dim
    return activation.softmax(input, dim, dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DTypeLike | None = None
) -> Tensor:
    """The logarithm of `softmax`, finite where that rounds to 0."""
    dim = _implicit_dim("log_softmax", input, _stacklevel) if dim is None else dim
    return activation.log_softmax(input, dim, dtype)


def _implicit_dim(name: str, input: Tensor, stacklevel: int) -> int:
    """Return the dimension that torch chooses if none is given."""
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. "
        "Change the call to include dim=X as an argument.",
        UserWarning,
        stacklevel=stacklevel,
    )
    return 0 if input.ndim in (0, 1, 3) else 1


def _leaky_relu(input: Tensor, negative_slope: float) -> Tensor:
    _require_float("leaky_relu", "leaky_relu_cpu", input)
    return apply(ops.leaky_relu, input, negative_slope=negative_slope)


def _elu(input: Tensor, alpha: float) -> Tensor:
    _require_float("elu", "elu_cpu", input)
    return apply(ops.elu, input, alpha=alpha)


def _silu(input: Tensor) -> Tensor:
    _require_float("silu", "silu_cpu", input)
    return unary(ops.silu, input)


_relu_, _leaky_relu_ = method(activation.relu), method(_leaky_relu)
_elu_, _silu_ = method(_elu), method(_silu)


def _require_float(function: str, kernel: str, input: Tensor) -> None:
    require_tensor(function, input)
    require_float(kernel, input)
