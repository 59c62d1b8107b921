"""Initial values, drawn in place: `init.xavier_uniform_(weight, generator=...)`."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from autograd.backend import Array, backend_of
from autograd.errors import missing_names
from autograd.functional.checks import require_float
from autograd.generator import Generator
from autograd.random import source
from autograd.tensors.tensor import Tensor


def _fill(tensor: Tensor, values: Array | float) -> Tensor:
    """Write values into a tensor outside the graph; its version counter goes up."""
    tensor._array[...] = values
    tensor._bump_version()
    return tensor


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Draw from U(a, b)."""
    require_float("check_uniform_bounds", tensor)
    if a > b:
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={a} > to={b}"
        )
    values = source(generator, tensor.device).random(tensor.shape, _drawn_dtype(tensor))
    values *= b - a
    values += a
    return _fill(tensor, values)


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Draw from N(mean, std^2)."""
    require_float("normal_kernel_cpu", tensor)
    if std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
    values = source(generator, tensor.device).standard_normal(tensor.shape, _drawn_dtype(tensor))
    values *= std
    values += mean
    return _fill(tensor, values)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number."""
    return _fill(tensor, val)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros."""
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    return constant_(tensor, 1.0)


def eye_(tensor: Tensor) -> Tensor:
    """Fill with the identity matrix, or its upper left part if the matrix is not square."""
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    return _fill(tensor, backend_of(tensor._array).eye(*tensor.shape, dtype=tensor._array.dtype))


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The gain that compensates for a nonlinearity; `param`: the negative slope of leaky_relu."""
    linear = ("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
              "conv_transpose3d", "sigmoid")  # fmt: skip
    if nonlinearity in linear:
        return 1
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, int | float):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    gains = {"tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 3.0 / 4}
    if nonlinearity not in gains:
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}")
    return gains[nonlinearity]


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Draw uniformly, with variance 2 gain^2 / (fan_in + fan_out): Glorot & Bengio 2010."""
    bound = gain * math.sqrt(6.0 / sum(_fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Draw normally, with variance 2 gain^2 / (fan_in + fan_out): Glorot & Bengio 2010."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(_fans(tensor))), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Draw uniformly, with variance gain^2 / fan, for leaky rectifiers: He et al. 2015."""
    if _is_empty(tensor):
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Draw normally, with variance gain^2 / fan, for leaky rectifiers: He et al. 2015."""
    if _is_empty(tensor):
        return tensor
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Draw orthogonal rows or columns of norm `gain`, as a matrix: Saxe et al. 2014."""
    if tensor.ndim < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    tall = (max(rows, columns), min(rows, columns))
    noise = source(generator, tensor.device).standard_normal(tall, _drawn_dtype(tensor))
    xp = backend_of(noise)
    q, r = xp.linalg.qr(noise)
    q *= xp.sign(xp.diagonal(r))  # makes the draw uniform: Mezzadri 2007, section 5
    q = q if rows >= columns else q.T
    return _fill(tensor, gain * q.reshape(tensor.shape))


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    modes = ["fan_in", "fan_out"]
    mode = mode.lower()
    if mode not in modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {modes}")
    fan = _fans(tensor)[modes.index(mode)]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def _fans(tensor: Tensor) -> tuple[int, int]:
    """Return fan-in and fan-out of a weight (out, in, *kernel)."""
    if tensor.ndim < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"
        )
    kernel = math.prod(tensor.shape[2:])
    return tensor.shape[1] * kernel, tensor.shape[0] * kernel


def _is_empty(tensor: Tensor) -> bool:
    if 0 not in tensor.shape:
        return False
    warnings.warn("Initializing zero-element tensors is a no-op", UserWarning, stacklevel=3)
    return True


def _drawn_dtype(tensor: Tensor) -> Any:
    """The dtype to draw in: NumPy draws no float16."""
    return np.float64 if tensor._array.dtype == np.float64 else np.float32


__getattr__ = missing_names(__name__)
