"""Norms of vectors along some or all dimensions, and the nuclear norm of matrices."""

from __future__ import annotations

from autograd.backend import Array, Backend
from autograd.ops.op import Op
from autograd.ops.reduction import Dims, count, kept, total


def _norm(xp: Backend, input: Array, *, p: float, dim: Dims, keepdim: bool) -> Array:
    if input.dtype.itemsize == 2:
        return _norm(xp, input.astype("f4"), p=p, dim=dim, keepdim=keepdim).astype(input.dtype)
    size = xp.abs(input)
    if p != 0 and count(input.shape, dim) == 1:  # without a power, which may leave the range
        return xp.max(size, axis=dim, keepdims=keepdim)
    if p == 2:
        return xp.sqrt(total(xp, size * size, dim, keepdim))
    if p == 1:
        return total(xp, size, dim, keepdim)
    if p == 0:
        return total(xp, (size != 0).astype(input.dtype), dim, keepdim)
    if p == xp.inf:
        return xp.max(size, axis=dim, keepdims=keepdim)
    if p == -xp.inf:
        return xp.min(size, axis=dim, keepdims=keepdim)
    return total(xp, size**p, dim, keepdim) ** (1 / p)


norm = Op("LinalgVectorNorm", _norm)


@norm.gradient("input")
def _(xp: Backend, g: Array, input: Array, out: Array, p: float, dim: Dims, keepdim: bool) -> Array:
    """The gradient is 0 where the norm is 0; the largest elements share it equally."""
    g, out = kept(xp, g, input.ndim, dim, keepdim), kept(xp, out, input.ndim, dim, keepdim)
    direction = xp.sign(input)
    if p == 0:
        return None
    if p == 1:
        return g * direction
    if p == 2:
        return xp.where(out == 0, 0, g * (input / out))
    if p in (xp.inf, -xp.inf):
        extreme = xp.abs(input) == out
        return direction * (g / xp.sum(extreme, axis=dim, keepdims=True)) * extreme
    if p < 1:
        slope = xp.where(input == 0, 0, direction * xp.abs(input) ** (p - 1))
        return slope * g * out ** (1 - p)
    slope = direction * xp.abs(input) ** (p - 1)
    return slope * xp.where(out == 0, 0, g / out ** (p - 1))


def _nuclear(xp: Backend, input: Array, *, dim: tuple[int, int], keepdim: bool) -> Array:
    matrices = xp.moveaxis(input, dim, (-2, -1))
    out = xp.add.reduce(xp.linalg.svd(matrices, compute_uv=False), axis=-1)
    return xp.expand_dims(out, dim) if keepdim else out


nuclear = Op("Nuclear", _nuclear)


@nuclear.gradient("input")
def _(xp: Backend, g: Array, input: Array, dim: tuple[int, int], keepdim: bool) -> Array:
    """The gradient of the sum of singular values is U V^T."""
    u, _, vh = xp.linalg.svd(xp.moveaxis(input, dim, (-2, -1)), full_matrices=False)
    return kept(xp, g, input.ndim, dim, keepdim) * xp.moveaxis(xp.matmul(u, vh), (-2, -1), dim)
