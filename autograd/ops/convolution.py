"""Two-dimensional convolution as a product of matrices: every patch of the image is a row."""

from __future__ import annotations

from collections.abc import Sequence

from autograd.backend import Array, Backend, Shape
from autograd.ops.op import Op

Pair = tuple[int, int]
Padding = tuple[Pair, Pair]  # ((top, bottom), (left, right))


def _rows(
    xp: Backend,
    input: Array,
    kernel: Shape,
    stride: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
) -> tuple[Array, Pair]:
    """Return the patches (groups, batch * height * width, channels * kernel), height and width."""
    padded = xp.pad(input, ((0, 0), (0, 0), *padding))
    batch, channels = padded.shape[:2]
    height, width = (
        (padded.shape[2 + i] - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1 for i in (0, 1)
    )
    by_batch, by_channel, by_row, by_column = padded.strides
    patches = xp.lib.stride_tricks.as_strided(
        padded,
        (groups, batch, height, width, channels // groups, *kernel),
        (channels // groups * by_channel, by_batch, by_row * stride[0], by_column * stride[1],
         by_channel, by_row * dilation[0], by_column * dilation[1]),
    )  # fmt: skip
    columns = channels // groups * kernel[0] * kernel[1]
    return patches.reshape(groups, batch * height * width, columns), (height, width)


def _matrices(xp: Backend, weight: Array, groups: int) -> Array:
    """The weight as (groups, out_channels / groups, channels * kernel)."""
    out_channels, channels, *kernel = weight.shape
    return weight.reshape(groups, out_channels // groups, channels * kernel[0] * kernel[1])


def _by_group(xp: Backend, g: Array, groups: int) -> Array:
    """A gradient (batch, out, height, width) as (groups, batch * height * width, out / groups)."""
    batch, channels, height, width = g.shape
    parts = g.reshape(batch, groups, channels // groups, height, width)
    by_group = parts.transpose(1, 0, 3, 4, 2)
    return by_group.reshape(groups, batch * height * width, channels // groups)


def _convolution(
    xp: Backend,
    input: Array,
    weight: Array,
    bias: Array,
    *,
    stride: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
) -> Array:
    rows, (height, width) = _rows(xp, input, weight.shape[2:], stride, padding, dilation, groups)
    out = xp.matmul(rows, _matrices(xp, weight, groups).transpose(0, 2, 1))
    batch, channels = input.shape[0], weight.shape[0]
    out = out.reshape(groups, batch, height, width, channels // groups).transpose(1, 0, 4, 2, 3)
    out = out.reshape(batch, channels, height, width)
    return out if bias is None else out + bias.reshape(-1, 1, 1)


convolution = Op("Convolution", _convolution, bias=lambda xp, g: xp.sum(g, axis=(0, 2, 3)))


@convolution.gradient("input")
def _(
    xp: Backend,
    g: Array,
    shapes: Sequence[Shape],
    weight: Array,
    stride: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
) -> Array:
    (top, bottom), (left, right) = padding
    batch, channels, rows, columns = shapes[0]
    height, width = g.shape[2:]
    kernel = weight.shape[2:]
    patches = xp.matmul(_by_group(xp, g, groups), _matrices(xp, weight, groups))
    patches = patches.reshape(groups, batch, height, width, channels // groups, *kernel)
    patches = patches.transpose(5, 6, 1, 0, 4, 2, 3)
    patches = patches.reshape(*kernel, batch, channels, height, width)
    result = xp.zeros((batch, channels, rows + top + bottom, columns + left + right), g.dtype)
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            first, start = i * dilation[0], j * dilation[1]
            result[
                :, :,
                first : first + height * stride[0] : stride[0],
                start : start + width * stride[1] : stride[1],
            ] += patches[i, j]  # fmt: skip
    return result[:, :, top : top + rows, left : left + columns]


@convolution.gradient("weight")
def _(
    xp: Backend,
    g: Array,
    shapes: Sequence[Shape],
    input: Array,
    stride: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
) -> Array:
    rows, _ = _rows(xp, input, shapes[1][2:], stride, padding, dilation, groups)
    return xp.matmul(_by_group(xp, g, groups).transpose(0, 2, 1), rows).reshape(shapes[1])


def _random_shift(xp: Backend, input: Array, offsets: Array, *, padding: int) -> Array:
    xp.check_bounds(offsets, 2 * padding + 1, 2, IndexError, 0)
    return xp.shifted(input, offsets, padding)


# Without a gradient: images are augmented where they enter a network.
random_shift = Op("RandomShift", _random_shift)
