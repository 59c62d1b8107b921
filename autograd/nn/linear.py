"""`Linear`."""

from __future__ import annotations

import math
from typing import Any

from autograd.creation import empty
from autograd.dtypes import DeviceLike, DTypeLike
from autograd.generator import Generator
from autograd.nn import functional, init
from autograd.nn.module import Module
from autograd.nn.parameter import Parameter
from autograd.tensors.tensor import Tensor


class Linear(Module):
    """`y = x @ weight.T + bias`: (..., in_features) to (..., out_features)."""

    in_features: int
    out_features: int
    weight: Tensor  # (out_features, in_features)
    bias: Any  # (out_features,), or None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: DeviceLike | None = None,
        dtype: DTypeLike | None = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        """`generator`, which torch's layer does not take, draws the initial values."""
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(empty(out_features, in_features, device=device, dtype=dtype))
        self.register_parameter(
            "bias", Parameter(empty(out_features, device=device, dtype=dtype)) if bias else None
        )
        self.reset_parameters(generator=generator)

    def reset_parameters(self, *, generator: Generator | None = None) -> None:
        """Draw weight and bias from U(-1/sqrt(in_features), 1/sqrt(in_features)), as torch does."""
        draw_linear_(self.weight, self.bias, generator=generator)

    def forward(self, input: Tensor) -> Tensor:
        return functional.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


def draw_linear_(weight: Tensor, bias: Tensor | None, *, generator: Any = None) -> None:
    """Draw weight (out, in), then bias, from U(-1/sqrt(in), 1/sqrt(in)), as torch's Linear does."""
    init.kaiming_uniform_(weight, a=math.sqrt(5), generator=generator)
    if bias is not None:
        fan_in = weight.shape[1]
        bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0.0
        init.uniform_(bias, -bound, bound, generator=generator)
