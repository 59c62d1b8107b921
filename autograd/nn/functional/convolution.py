"""`conv2d`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd.engine.apply import apply
from autograd.functional.checks import require_both
from autograd.functional.linear_algebra import C_NAMES
from autograd.ops import convolution as ops
from autograd.tensors.tensor import Tensor


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] | str = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlate images (batch, in, height, width) with weight (out, in / groups, *kernel).

    `padding`: zeros on each side, or "valid" (none) or "same" (as many as keep the size).

    Raises:
        RuntimeError: the sizes or dtypes do not fit.
    """
    require_both("conv2d", input, weight, "weight")
    steps, spread = _pair("stride", stride), _pair("dilation", dilation)
    if input.ndim not in (3, 4):
        raise RuntimeError(
            "Expected 3D (unbatched) or 4D (batched) input to conv2d, "
            f"but got input of size: {list(input.shape)}"
        )
    images = input if input.ndim == 4 else input.unsqueeze(0)
    _check_weight(images, weight, steps, padding)
    margins = _margins(padding, tuple(weight.shape[2:]), steps, spread)
    _check_dtypes(images, weight, bias)
    _check_sizes(images, weight, bias, steps, margins, spread, groups)
    out = apply(
        ops.convolution, images, weight, bias,
        stride=steps, padding=margins, dilation=spread, groups=groups,
    )  # fmt: skip
    return out if input.ndim == 4 else out.squeeze(0)


def _pair(name: str, value: Any) -> tuple[int, int]:
    pair = tuple(value) if isinstance(value, Iterable) else (value, value)
    if len(pair) == 1:
        pair *= 2
    if len(pair) != 2:
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of 2 values to match the "
            f"convolution dimensions, but got {name}={list(pair)}"
        )
    return pair


def _margins(
    padding: Any, kernel: tuple[int, ...], stride: tuple[int, int], dilation: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """((top, bottom), (left, right))."""
    if isinstance(padding, str):
        if padding == "valid":
            return (0, 0), (0, 0)
        if padding != "same":
            raise RuntimeError(f"Invalid padding string: '{padding}'")
        if stride != (1, 1):
            raise RuntimeError("padding='same' is not supported for strided convolutions")
        totals = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        top, left = (total // 2 for total in totals)
        return (top, totals[0] - top), (left, totals[1] - left)
    vertical, horizontal = _pair("padding", padding)
    return (vertical, vertical), (horizontal, horizontal)


def _check_dtypes(input: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    for name, other in (("bias", bias), ("weight", weight)):
        if other is not None and other._array.dtype != input._array.dtype:
            first, second = (C_NAMES[v._array.dtype.name] for v in (input, other))
            raise RuntimeError(
                f"Input type ({first}) and {name} type ({second}) should be the same"
            )


def _check_weight(images: Any, weight: Tensor, stride: Any, padding: Any) -> None:
    if weight.ndim == 4:
        return
    if padding == "same":
        raise RuntimeError(
            f"Expected {weight.ndim}-dimensional input for {weight.ndim}-dimensional weight"
            f"{list(weight.shape)}, but got 4-dimensional input of size {list(images.shape)} "
            "instead"
        )
    raise RuntimeError(
        f"expected stride to be a single integer value or a list of {weight.ndim - 2} values to "
        f"match the convolution dimensions, but got stride={list(stride)}"
    )


def _check_sizes(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> None:
    if min(stride) <= 0:
        raise RuntimeError("non-positive stride is not supported")
    if min(padding[0] + padding[1]) < 0:
        raise RuntimeError("negative padding is not supported")
    if min(dilation) <= 0:
        raise RuntimeError("dilation should be greater than zero")
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    shown = f"Given groups={groups}, weight of size {list(weight.shape)}"
    for fits, wanted in (
        (weight.shape[0] >= groups, "at least"),
        (weight.shape[0] % groups == 0, "divisible by"),
    ):
        if not fits:
            raise RuntimeError(
                f"Given groups={groups}, expected weight to be {wanted} {groups} at dimension 0, "
                f"but got weight of size {list(weight.shape)} instead"
            )
    if input.shape[1] != weight.shape[1] * groups:
        raise RuntimeError(
            f"{shown}, expected input{list(input.shape)} to have {weight.shape[1] * groups} "
            f"channels, but got {input.shape[1]} channels instead"
        )
    if bias is not None and tuple(bias.shape) != (weight.shape[0],):
        raise RuntimeError(
            f"{shown}, expected bias to be 1-dimensional with {weight.shape[0]} elements, "
            f"but got bias of size {list(bias.shape)} instead"
        )
    padded = [n + sum(p) for n, p in zip(input.shape[2:], padding, strict=True)]
    kernel = [d * (k - 1) + 1 for d, k in zip(dilation, weight.shape[2:], strict=True)]
    if any(n < k for n, k in zip(padded, kernel, strict=True)):
        raise RuntimeError(
            f"Calculated padded input size per channel: ({padded[0]} x {padded[1]}). Kernel size: "
            f"({kernel[0]} x {kernel[1]}). Kernel size can't be greater than actual input size"
        )
