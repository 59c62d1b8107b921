"""Reductions; `dim` is None for all dimensions, or a tuple of non-negative ones."""

from __future__ import annotations

from collections.abc import Sequence

from autograd.backend import Array, Backend, DType, Shape
from autograd.ops.op import Op

Dims = tuple[int, ...] | None


def spread(xp: Backend, g: Array, shape: tuple[int, ...], dim: Dims, keepdim: bool) -> Array:
    """Reshape the gradient of a reduction's result to broadcast against its input."""
    return xp.broadcast_to(kept(xp, g, len(shape), dim, keepdim), shape)


def kept(xp: Backend, reduced: Array, ndim: int, dim: Dims, keepdim: bool) -> Array:
    """A reduction's result with the reduced dimensions restored at size 1."""
    if keepdim or reduced.ndim == ndim or dim is None:
        return reduced
    return xp.expand_dims(reduced, dim)


def count(shape: tuple[int, ...], dim: Dims) -> int:
    """The number of elements in each result."""
    result = 1
    for n in shape if dim is None else (shape[d] for d in dim):
        result *= n
    return result


def total(xp: Backend, input: Array, dim: Dims, keepdim: bool, dtype: DType | None = None) -> Array:
    """The sum in the dtype of the result; float16 is summed in float32."""
    if input.dtype.itemsize == 2 and input.dtype.kind == "f" and dtype is None:
        return xp.sum(input, axis=dim, keepdims=keepdim, dtype="f4").astype(input.dtype)
    return xp.sum(input, axis=dim, keepdims=keepdim, dtype=dtype)


def _sum(xp: Backend, input: Array, *, dim: Dims, keepdim: bool, dtype: DType | None) -> Array:
    return total(xp, input, dim, keepdim, dtype)


def _sum_gradient(
    xp: Backend, g: Array, shapes: Sequence[Shape], dim: Dims, keepdim: bool
) -> Array:
    return spread(xp, g, shapes[0], dim, keepdim)


# Two operations each, because torch has two names for their nodes.
sum_all = Op("Sum", _sum, input=_sum_gradient)
sum_dim = Op("Sum1", _sum, input=_sum_gradient)


def _mean(xp: Backend, input: Array, *, dim: Dims, keepdim: bool) -> Array:
    n = count(input.shape, dim)
    if input.dtype.itemsize == 2:
        return (xp.sum(input, axis=dim, keepdims=keepdim, dtype="f4") / n).astype("f2")
    return xp.sum(input, axis=dim, keepdims=keepdim) / n


def _mean_gradient(
    xp: Backend, g: Array, shapes: Sequence[Shape], dim: Dims, keepdim: bool
) -> Array:
    return spread(xp, g / count(shapes[0], dim), shapes[0], dim, keepdim)


mean_all = Op("Mean", _mean, input=_mean_gradient)
mean_dim = Op("Mean1", _mean, input=_mean_gradient)


def _deviation(xp: Backend, input: Array, dim: Dims) -> Array:
    return input - _mean(xp, input, dim=dim, keepdim=True)


def _degrees(shape: tuple[int, ...], dim: Dims, correction: float) -> float:
    degrees = count(shape, dim) - correction
    return degrees if degrees > 0 else 0


def _wide_var(xp: Backend, input: Array, dim: Dims, keepdim: bool, correction: float) -> Array:
    """The variance in a dtype that holds the squares of the input's."""
    input = input.astype("f4" if input.dtype.itemsize == 2 else "f8", copy=False)
    deviation = _deviation(xp, input, dim)
    return total(xp, deviation * deviation, dim, keepdim) / _degrees(input.shape, dim, correction)


def _var(xp: Backend, input: Array, *, dim: Dims, keepdim: bool, correction: float) -> Array:
    return _wide_var(xp, input, dim, keepdim, correction).astype(input.dtype)


def _var_gradient(
    xp: Backend, g: Array, input: Array, dim: Dims, keepdim: bool, correction: float
) -> Array:
    degrees = _degrees(input.shape, dim, correction)
    scale = 2 / degrees if degrees else xp.inf
    return kept(xp, g, input.ndim, dim, keepdim) * scale * _deviation(xp, input, dim)


var = Op("Var", _var, input=_var_gradient)


def _std(xp: Backend, input: Array, *, dim: Dims, keepdim: bool, correction: float) -> Array:
    return xp.sqrt(_wide_var(xp, input, dim, keepdim, correction)).astype(input.dtype)


std = Op("Std", _std)


@std.gradient("input")
def _(
    xp: Backend, g: Array, input: Array, out: Array, dim: Dims, keepdim: bool, correction: float
) -> Array:
    of_var = xp.where(out == 0, 0, g / (2 * out))
    return _var_gradient(xp, of_var, input, dim, keepdim, correction)


def _prod(xp: Backend, input: Array, *, dim: Dims, keepdim: bool, dtype: DType | None) -> Array:
    return xp.prod(input, axis=None if dim is None else dim[0], keepdims=keepdim, dtype=dtype)


prod = Op("Prod", _prod)


@prod.gradient("input")
def _(xp: Backend, g: Array, input: Array, dim: Dims, keepdim: bool) -> Array:
    """G times the product of the others, without a division: exact where factors are 0."""
    factors = input.reshape(-1) if dim is None else xp.moveaxis(input, dim[0], 0)
    if factors.shape[0] == 0:
        return xp.zeros_like(input)
    one = xp.ones_like(factors[:1])
    before = xp.cumprod(xp.concatenate((one, factors[:-1])), axis=0)
    after = xp.flip(xp.cumprod(xp.concatenate((one, xp.flip(factors[1:], 0))), axis=0), 0)
    others = before * after
    others = others.reshape(input.shape) if dim is None else xp.moveaxis(others, 0, dim[0])
    return kept(xp, g, input.ndim, dim, keepdim) * others


def split_evenly(xp: Backend, g: Array, input: Array, out: Array) -> Array:
    """The gradient of an extreme: the elements that attain it share it equally."""
    ties = (input == out) | ((input != input) & (out != out))
    return xp.where(ties, g / xp.sum(ties), 0).astype(g.dtype)


max_all = Op("Max1", lambda xp, input: xp.max(input), input=split_evenly)
min_all = Op("Min1", lambda xp, input: xp.min(input), input=split_evenly)


def at_index(
    xp: Backend, g: Array, out1: Array, shapes: Sequence[Shape], dim: int, keepdim: bool
) -> Array:
    """The gradient of a value chosen along `dim`: the element at its index takes it all."""
    result = xp.zeros(shapes[0], g.dtype)
    if not shapes[0]:
        return g
    if not keepdim:
        g, out1 = xp.expand_dims(g, dim), xp.expand_dims(out1, dim)
    xp.put_along_axis(result, out1, g, dim)
    return result


def _max(xp: Backend, input: Array, *, dim: int, keepdim: bool) -> tuple[Array, Array]:
    if input.ndim == 0:
        return input.copy(), xp.zeros((), "i8")
    values = xp.max(input, axis=dim, keepdims=keepdim)
    return values, xp.argmax(input, axis=dim, keepdims=keepdim)


def _min(xp: Backend, input: Array, *, dim: int, keepdim: bool) -> tuple[Array, Array]:
    if input.ndim == 0:
        return input.copy(), xp.zeros((), "i8")
    values = xp.min(input, axis=dim, keepdims=keepdim)
    return values, xp.argmin(input, axis=dim, keepdims=keepdim)


max_dim = Op("Max", _max, outs=2, input=at_index)
min_dim = Op("Min", _min, outs=2, input=at_index)


def _among_ties(xp: Backend, g: Array, input: Array, out: Array, dim: Dims, keepdim: bool) -> Array:
    ties = input == kept(xp, out, input.ndim, dim, keepdim)
    number = xp.sum(ties, axis=dim, keepdims=True)
    return (kept(xp, g, input.ndim, dim, keepdim) * ties / number).astype(g.dtype)


amax = Op("Amax", lambda xp, input, *, dim, keepdim: xp.max(input, axis=dim, keepdims=keepdim),
          input=_among_ties)  # fmt: skip
amin = Op("Amin", lambda xp, input, *, dim, keepdim: xp.min(input, axis=dim, keepdims=keepdim),
          input=_among_ties)  # fmt: skip
argmax = Op(
    "Argmax", lambda xp, input, *, dim, keepdim: xp.argmax(input, axis=dim, keepdims=keepdim)
)
argmin = Op(
    "Argmin", lambda xp, input, *, dim, keepdim: xp.argmin(input, axis=dim, keepdims=keepdim)
)


def _truth(xp: Backend, truth: Array, input: Array) -> Array:
    # torch's `any` and `all` of uint8, once its dtype for masks, give uint8.
    return truth.astype("u1") if input.dtype.name == "uint8" else truth


any = Op("Any", lambda xp, input, *, dim, keepdim:
         _truth(xp, xp.any(input, axis=dim, keepdims=keepdim), input))  # fmt: skip
all = Op("All", lambda xp, input, *, dim, keepdim:
         _truth(xp, xp.all(input, axis=dim, keepdims=keepdim), input))  # fmt: skip


def _logsumexp(xp: Backend, input: Array, *, dim: Dims, keepdim: bool) -> Array:
    if input.size == 0:
        return xp.log(xp.sum(input, axis=dim, keepdims=keepdim))
    largest = xp.max(input, axis=dim, keepdims=True)
    largest = xp.where(xp.isfinite(largest), largest, 0).astype(input.dtype)
    out = xp.log(xp.sum(xp.exp(input - largest), axis=dim, keepdims=True)) + largest
    return out if keepdim else xp.squeeze(out, dim)


logsumexp = Op("Logsumexp", _logsumexp, promote="float")


@logsumexp.gradient("input")
def _(xp: Backend, g: Array, input: Array, out: Array, dim: Dims, keepdim: bool) -> Array:
    powers = xp.exp(input - kept(xp, out, input.ndim, dim, keepdim))
    return kept(xp, g, input.ndim, dim, keepdim) * powers


def _cumsum(xp: Backend, input: Array, *, dim: int, dtype: DType | None) -> Array:
    for narrow, wide in (("f2", "f4"), ("f4", "f8")):  # one after another, they lose too much
        if (dtype or input.dtype) == narrow:
            return xp.cumsum(input, axis=dim, dtype=wide).astype(narrow)
    return xp.cumsum(input, axis=dim, dtype=dtype)


cumsum = Op("Cumsum", _cumsum, input=lambda xp, g, dim:
            xp.flip(_cumsum(xp, xp.flip(g, dim), dim=dim, dtype=g.dtype), dim))  # fmt: skip
