"""Two-dimensional convolution as products of matrices: every patch of the images is a row.

Inside, channels come last, as cameras and environments store images: a patch is then a few runs of
memory. The rows of a few images at a time stay in the cache between the copy that makes them and
the product that reads them; the gradient makes them again, which is faster than to keep them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from autograd.backend import Array, Backend, Shape
from autograd.ops.op import Op

Pair = tuple[int, int]
Padding = tuple[Pair, Pair]  # ((top, bottom), (left, right))

ROWS_BYTES = {"cpu": 2**21, "cuda": 2**28}  # of rows that are made at a time


def _in_order(xp: Backend, array: Array) -> Array:
    """The array itself, or a copy, contiguous."""
    if array.flags.c_contiguous:
        return array
    result = xp.empty(array.shape, array.dtype)
    result[...] = array
    return result


def _padded(xp: Backend, input: Array, padding: Padding) -> Array:
    """The images (batch, channels, height, width) as (batch, height, width, channels)."""
    images = input.transpose(0, 2, 3, 1)
    (top, bottom), (left, right) = padding
    if not (top or bottom or left or right):
        return _in_order(xp, images)
    batch, height, width, channels = images.shape
    result = xp.zeros((batch, height + top + bottom, width + left + right, channels), input.dtype)
    result[:, top : top + height, left : left + width] = images
    return result


def _windows(xp: Backend, images: Array, kernel: Shape, stride: Pair, dilation: Pair) -> Array:
    """A view (batch, height, width, *kernel, channels) of images with the channels last."""
    height, width = (
        (images.shape[1 + i] - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1 for i in (0, 1)
    )
    by_image, by_row, by_column, by_channel = images.strides
    return xp.lib.stride_tricks.as_strided(
        images,
        (images.shape[0], height, width, *kernel, images.shape[3]),
        (by_image, by_row * stride[0], by_column * stride[1],
         by_row * dilation[0], by_column * dilation[1], by_channel),
    )  # fmt: skip


def _by_group(array: Array, groups: int) -> list[Array]:
    """Equal parts of the last dimension, as views."""
    size = array.shape[-1] // groups
    return [array[..., i * size : (i + 1) * size] for i in range(groups)]


def _chunks(xp: Backend, windows: Array) -> Iterator[tuple[slice, Array]]:
    """Yield slices of the batch, and memory for the patches of each."""
    batch, *shape = windows.shape
    a_time = max(1, ROWS_BYTES[xp.device_type] // max(1, math.prod(shape) * windows.itemsize))
    memory = xp.reused_empty((min(batch, a_time), *shape), windows.dtype)
    for start in range(0, batch, a_time):
        chunk = slice(start, min(start + a_time, batch))
        yield chunk, memory[: chunk.stop - start]


def _matrices(xp: Backend, weight: Array, groups: int) -> Array:
    """The weight as (groups, out_channels / groups, kernel * channels)."""
    channels_last = _in_order(xp, weight.transpose(0, 2, 3, 1))
    return channels_last.reshape(groups, weight.shape[0] // groups, math.prod(weight.shape[1:]))


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
    images = _padded(xp, input, padding)
    windows = _windows(xp, images, weight.shape[2:], stride, dilation)
    out = xp.reused_empty((*windows.shape[:3], weight.shape[0]), input.dtype)
    parts = zip(_by_group(windows, groups), _by_group(out, groups), strict=True)
    for matrix, (seen, result) in zip(_matrices(xp, weight, groups), parts, strict=True):
        for chunk, patches in _chunks(xp, seen):
            patches[...] = seen[chunk]
            rows = patches.reshape(-1, matrix.shape[1])
            result[chunk] = xp.matmul(rows, matrix.T).reshape(result[chunk].shape)
    if bias is not None:
        out += bias
    # As in torch, the result has the layout of the input.
    out = out.transpose(0, 3, 1, 2)
    return _in_order(xp, out) if input.flags.c_contiguous else out


convolution = Op("Convolution", _convolution)


@convolution.joint_gradient(input=("weight",), weight=("input",))
def _(
    xp: Backend,
    g: Array,
    shapes: Sequence[Shape],
    needs: tuple[bool, ...],
    input: Array,
    weight: Array,
    stride: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
) -> tuple[Array, Array, Array]:
    g = _in_order(xp, g.transpose(0, 2, 3, 1))
    kernel = shapes[1][2:]
    return (
        _input_gradient(xp, g, shapes[0], weight, stride, padding, dilation, groups)
        if needs[0]
        else None,
        _weight_gradient(
            xp, g, shapes[1], _windows(xp, _padded(xp, input, padding), kernel, stride, dilation)
        )
        if needs[1]
        else None,
        xp.sum_of_rows(g.reshape(-1, g.shape[-1])) if needs[2] else None,
    )


def _weight_gradient(xp: Backend, g: Array, shape: Shape, windows: Array) -> Array:
    out_channels, channels, *kernel = shape
    groups = windows.shape[-1] // channels
    result = xp.zeros((groups, out_channels // groups, math.prod(shape[1:])), g.dtype)
    parts = zip(_by_group(windows, groups), _by_group(g, groups), strict=True)
    for total, (seen, gradient) in zip(result, parts, strict=True):
        for chunk, patches in _chunks(xp, seen):
            patches[...] = seen[chunk]
            rows = gradient[chunk].reshape(-1, gradient.shape[-1])
            total += xp.matmul(rows.T, patches.reshape(-1, total.shape[1]))
    return result.reshape(out_channels, *kernel, channels).transpose(0, 3, 1, 2)


def _input_gradient(
    xp: Backend,
    g: Array,
    shape: Shape,
    weight: Array,
    stride: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
) -> Array:
    margins = _margins_of_gradient(weight.shape[2:], padding, dilation)
    if stride == (1, 1) and min(margins[0] + margins[1]) >= 0:
        # A convolution again, which is faster than to add up patches.
        return _convolution(
            xp, g.transpose(0, 3, 1, 2), _turned(weight, groups), None,
            stride=stride, padding=margins, dilation=dilation, groups=groups,
        )  # fmt: skip
    (top, bottom), (left, right) = padding
    batch, channels, height, width = shape
    result = xp.zeros((batch, height + top + bottom, width + left + right, channels), g.dtype)
    windows = _windows(xp, result, weight.shape[2:], stride, dilation)
    parts = zip(_by_group(windows, groups), _by_group(g, groups), strict=True)
    for matrix, (target, gradient) in zip(_matrices(xp, weight, groups), parts, strict=True):
        for chunk, patches in _chunks(xp, target):
            rows = gradient[chunk].reshape(-1, gradient.shape[-1])
            xp.matmul(rows, matrix, out=patches.reshape(-1, matrix.shape[1]))
            seen = target[chunk]
            for i in range(weight.shape[2]):
                for j in range(weight.shape[3]):
                    seen[:, :, :, i, j] += patches[:, :, :, i, j]
    return result[:, top : top + height, left : left + width].transpose(0, 3, 1, 2)


def _margins_of_gradient(kernel: Shape, padding: Padding, dilation: Pair) -> Padding:
    """The padding of the gradient of a result, with which it covers the input."""
    (top, bottom), (left, right) = padding
    height, width = (d * (k - 1) for d, k in zip(dilation, kernel, strict=True))
    return (height - top, height - bottom), (width - left, width - right)


def _turned(weight: Array, groups: int) -> Array:
    """The weight from results to inputs, turned by half a circle."""
    out_channels, channels, *kernel = weight.shape
    parts = weight.reshape(groups, out_channels // groups, channels, *kernel)
    turned = parts[..., ::-1, ::-1].transpose(0, 2, 1, 3, 4)
    return turned.reshape(groups * channels, out_channels // groups, *kernel)


def _random_shift(xp: Backend, input: Array, offsets: Array, *, padding: int) -> Array:
    xp.check_bounds(offsets, 2 * padding + 1, 2, IndexError, 0)
    return xp.shifted(input, offsets, padding)


# Without a gradient: images are augmented where they enter a network.
random_shift = Op("RandomShift", _random_shift)
