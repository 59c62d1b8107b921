"""`Conv2d`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from autograd.creation import empty
from autograd.dtypes import DeviceLike, DTypeLike
from autograd.errors import NotOfferedError
from autograd.generator import Generator
from autograd.nn import functional, init
from autograd.nn.module import Module
from autograd.nn.parameter import Parameter
from autograd.tensors.tensor import Tensor

Pair = tuple[int, int]


class Conv2d(Module):
    """Two-dimensional cross-correlation of images (batch, in_channels, height, width)."""

    weight: Tensor  # (out_channels, in_channels / groups, *kernel_size)
    bias: Any  # (out_channels,), or None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Pair,
        stride: int | Pair = 1,
        padding: str | int | Pair = 0,
        dilation: int | Pair = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: DeviceLike | None = None,
        dtype: DTypeLike | None = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        """`generator`, which torch's layer does not take, draws the initial values."""
        super().__init__()
        _check(in_channels, out_channels, stride, padding, groups, padding_mode)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = _pair(kernel_size)
        self.stride = _pair(stride)
        self.padding = padding if isinstance(padding, str) else _pair(padding)
        self.dilation = _pair(dilation)
        self.groups = groups
        self.padding_mode = padding_mode
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = Parameter(empty(shape, device=device, dtype=dtype))
        self.register_parameter(
            "bias", Parameter(empty(out_channels, device=device, dtype=dtype)) if bias else None
        )
        self.reset_parameters(generator=generator)

    def reset_parameters(self, *, generator: Generator | None = None) -> None:
        """Draw weight and bias from U(-1/sqrt(fan_in), 1/sqrt(fan_in)), as torch does."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5), generator=generator)
        fan_in = self.weight.numel() // max(self.out_channels, 1)
        if self.bias is not None and fan_in:
            bound = 1 / math.sqrt(fan_in)
            init.uniform_(self.bias, -bound, bound, generator=generator)

    def forward(self, input: Tensor) -> Tensor:
        return functional.conv2d(
            input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )

    def extra_repr(self) -> str:
        parts = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}",
            f"stride={self.stride}",
        ]
        if self.padding != (0, 0):
            parts.append(f"padding={self.padding}")
        if self.dilation != (1, 1):
            parts.append(f"dilation={self.dilation}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        return ", ".join(parts)


def _pair(value: int | Pair) -> Pair:
    return tuple(value) if isinstance(value, Iterable) else (value, value)  # type: ignore[return-value]


def _check(
    in_channels: int, out_channels: int, stride: Any, padding: Any, groups: int, padding_mode: str
) -> None:
    if groups <= 0:
        raise ValueError("groups must be a positive integer")
    if in_channels % groups:
        raise ValueError("in_channels must be divisible by groups")
    if out_channels % groups:
        raise ValueError("out_channels must be divisible by groups")
    if isinstance(padding, str):
        if padding not in ("valid", "same"):
            raise ValueError(
                f"Invalid padding string {padding!r}, should be one of {{'valid', 'same'}}"
            )
        if padding == "same" and _pair(stride) != (1, 1):
            raise ValueError("padding='same' is not supported for strided convolutions")
    if padding_mode in ("reflect", "replicate", "circular"):
        raise NotOfferedError(
            f"padding_mode='{padding_mode}': autograd offers padding with zeros only"
        )
    if padding_mode != "zeros":
        raise ValueError(
            "padding_mode must be one of {'zeros', 'reflect', 'replicate', 'circular'}, "
            f"but got padding_mode='{padding_mode}'"
        )
