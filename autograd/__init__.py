"""Automatic differentiation with PyTorch's names and semantics, on NumPy.

`import autograd as torch` runs PyTorch code that stays within what is offered.
"""

from __future__ import annotations

import importlib
from math import e, inf, nan, pi
from types import FunctionType
from typing import TYPE_CHECKING, Any

# isort: off
# fmt: off
from autograd import cuda, random
from autograd.autograd import (
    Function, backward, detect_anomaly, enable_grad, grad, gradcheck, inference_mode,
    is_anomaly_check_nan_enabled, is_anomaly_enabled, is_grad_enabled, is_inference_mode_enabled,
    no_grad, set_detect_anomaly, set_grad_enabled,
)
from autograd.creation import (
    as_tensor, asarray, empty, empty_like, eye, from_numpy, full, full_like, ones, ones_like,
    tensor, zeros, zeros_like,
)
from autograd.dtypes import (
    Size, bool, device, double, dtype, finfo, float, float16, float32, float64, half, iinfo, int,
    int8, int16, int32, int64, long, short, uint8,
)
from autograd.functional.activation import log_softmax, logsigmoid, relu, softmax, softplus
from autograd.functional.arithmetic import (
    add, div, divide, float_power, floor_divide, fmod, lerp, maximum, minimum, mul, multiply, neg,
    negative, positive, pow, reciprocal, remainder, rsub, square, sub, subtract, true_divide,
)
from autograd.functional.checks import is_tensor
from autograd.functional.comparison import (
    allclose, bitwise_and, bitwise_not, bitwise_or, bitwise_xor, eq, equal, ge, greater,
    greater_equal, gt, isclose, isfinite, isinf, isnan, le, less, less_equal, logical_and,
    logical_not, logical_or, logical_xor, lt, ne, not_equal,
)
from autograd.functional.einsum import einsum
from autograd.functional.elementwise import (
    abs, absolute, acos, asin, atan, atanh, ceil, clamp, clamp_max, clamp_min, clip, cos, cosh, erf,
    exp, expm1, floor, log, log1p, log2, log10, masked_fill, nan_to_num, round, rsqrt, sigmoid,
    sign, sin, sinh, sqrt, tan, tanh, trunc, where,
)
from autograd.functional.indexing import (
    argwhere, gather, index_select, masked_select, nonzero, one_hot, scatter, scatter_add,
    take_along_dim,
)
from autograd.functional.joining import (
    cat, chunk, concat, concatenate, narrow, select, split, stack, unbind,
)
from autograd.functional.linear_algebra import (
    addmm, bmm, dot, ger, matmul, mm, mv, outer, tril, triu,
)
from autograd.functional.norms import norm
from autograd.functional.reduction import (
    all, amax, amin, any, argmax, argmin, cumsum, logsumexp, max, mean, min, prod, std, sum, var,
)
from autograd.functional.shape import (
    broadcast_to, clone, flatten, moveaxis, movedim, permute, reshape, squeeze, swapaxes, swapdims,
    t, transpose, unflatten, unsqueeze,
)
from autograd.functional.sorting import argsort, median, sort, topk
from autograd.generator import Generator
from autograd.random import (
    get_rng_state, initial_seed, manual_seed, normal, rand, rand_like, randint, randint_like, randn,
    randn_like, randperm, seed, set_rng_state,
)
from autograd.ranges import arange, linspace
from autograd.serialization import load, save
from autograd.tensors.conversions import is_complex, is_floating_point, is_signed, numel
from autograd.tensors.tensor import Tensor
# fmt: on
# isort: on
from autograd.errors import attribute_error as _attribute_error
from autograd.tensors.out_argument import with_out as _with_out

if TYPE_CHECKING:  # imported on first use, so that `import autograd` is quick
    from autograd import distributions, nn, optim, utils

__version__ = "0.1.0"

_LATE = ("distributions", "nn", "optim", "utils")

newaxis = None

# The functions of these rooms take `out=` in torch. The methods of a tensor do not.
_ROOMS_WITH_OUT = [
    f"autograd.functional.{room}"
    for room in (
        "arithmetic", "comparison", "elementwise", "indexing", "joining", "linear_algebra",
        "norms", "reduction",
    )
]  # fmt: skip
globals().update(
    {
        name: _with_out(value)
        for name, value in globals().items()
        if isinstance(value, FunctionType) and value.__module__ in _ROOMS_WITH_OUT
    }
)


def __getattr__(name: str) -> Any:
    """Import a late module; AttributeError with the nearest name for any other."""
    if name in _LATE:
        return importlib.import_module(f"autograd.{name}")
    raise _attribute_error("module 'autograd'", name, __dir__())


def __dir__() -> list[str]:
    """All public names, including those that are imported late."""
    return sorted(name for name in {*globals(), *_LATE} if not name.startswith("_"))
