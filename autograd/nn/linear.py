"""`Linear`, and the module that does nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.dtypes import device as Device
from autograd.dtypes import float32, numpy_dtype
from autograd.nn import functional, init
from autograd.nn.module import Module
from autograd.nn.parameter import Parameter
from autograd.tensor import Tensor


def empty(shape: tuple[int, ...], device: Any, dtype: Any) -> Tensor:
    """A tensor that waits for its values."""
    result = Tensor._wrap(np.empty(shape, numpy_dtype(float32 if dtype is None else dtype)))
    return result if device is None else result.to(Device(device))


class Linear(Module):
    """`y = x @ weight.T + bias`: (..., in_features) to (..., out_features)."""

    in_features: int
    out_features: int
    weight: Tensor  # (out_features, in_features)
    bias: Tensor | None  # (out_features,)

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Any = None,
    ) -> None:
        """`generator` draws the initial values (not an argument of torch's)."""
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(empty((out_features, in_features), device, dtype))
        self.register_parameter(
            "bias", Parameter(empty((out_features,), device, dtype)) if bias else None
        )
        self.reset_parameters(generator=generator)

    def reset_parameters(self, *, generator: Any = None) -> None:
        """Draw weight and bias from U(-1/sqrt(in_features), 1/sqrt(in_features)), as torch does."""
        bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0.0
        init.uniform_(self.weight, -bound, bound, generator=generator)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound, generator=generator)

    def forward(self, input: Any) -> Any:
        """The affine map."""
        return functional.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """torch's."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Identity(Module):
    """Its input, whatever arguments it was made with."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """The input itself."""
        return input
