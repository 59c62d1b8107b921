"""Fused operations for actor-critic code: one node does what a chain of operations would do.

A test compares each with that chain.
"""

from __future__ import annotations

from collections.abc import Sequence

from autograd.backend import Array, Backend
from autograd.backend.kernels.contract import Bounds
from autograd.ops.op import Op


def _affine(xp: Backend, input: Array, weight: Array, bias: Array) -> Array:
    out = xp.matmul(input, weight.T)
    if bias is not None:
        out += bias
    return out


linear = Op("Addmm", _affine)  # torch's name of the node


@linear.joint_gradient(input=("weight",), weight=("input",))
def _(
    xp: Backend, g: Array, needs: tuple[bool, ...], input: Array, weight: Array
) -> tuple[Array, Array, Array]:
    rows = g if g.ndim == 2 else g.reshape(-1, g.shape[-1])
    weight_gradient = None
    if needs[1]:
        weight_gradient = xp.matmul(rows.T, input.reshape(-1, input.shape[-1]))
    return (
        xp.matmul(g, weight) if needs[0] else None,
        weight_gradient,
        xp.sum_of_rows(rows) if needs[2] else None,
    )


def _squashed_gaussian(
    xp: Backend, parameters: Array, noise: Array, *, bounds: Bounds
) -> tuple[tuple[Array, Array], tuple[Array]]:
    """Return action tanh(u), u = mean + std * noise, and its log-probability; keep std * noise.

    `log(1 - tanh(u)^2)` is computed in a form that is exact for every u. The usual form, with an
    epsilon in the logarithm, is biased and loses its gradient where the action saturates.
    """
    action, log_prob, spread = xp.squashed_gaussian(parameters, noise, bounds)
    return (action, log_prob), (spread,)


squashed_gaussian = Op(
    "SquashedGaussian", _squashed_gaussian, outs=2, differentiable_outs=2, keeps=True
)  # (B, 2A), (B, A) -> (B, A), (B, 1)


@squashed_gaussian.gradient("parameters")
def _(
    xp: Backend, g: Sequence[Array], parameters: Array, out0: Array, kept: tuple[Array],
    bounds: Bounds,
) -> Array:  # fmt: skip
    log_std = parameters[..., out0.shape[-1] :]
    return xp.squashed_gaussian_gradient(g, out0, *kept, log_std, bounds)


@squashed_gaussian.gradient("noise")
def _(
    xp: Backend, g: Sequence[Array], parameters: Array, noise: Array, out0: Array, bounds: Bounds
) -> Array:
    log_std = parameters[..., noise.shape[-1] :]
    return xp.squashed_gaussian_noise_gradient(g, out0, noise, log_std, bounds)


def _half_mse(xp: Backend, input: Array, target: Array) -> tuple[Array, tuple[Array]]:
    """Half the mean squared error over all dimensions but the first, (n, ...) -> (n,)."""
    losses, difference = xp.half_mse(input, target)
    return losses, (difference,)


half_mse = Op("HalfMse", _half_mse, keeps=True)


@half_mse.gradient("input")
def _(xp: Backend, g: Array, kept: tuple[Array]) -> Array:
    return xp.half_mse_gradient(g, *kept)


@half_mse.gradient("target")
def _(xp: Backend, g: Array, kept: tuple[Array]) -> Array:
    return -xp.half_mse_gradient(g, *kept)


discounted = Op(
    "Discounted",
    lambda xp, reward, discount, value: xp.discounted(reward, discount, value),
    reward=lambda xp, g: g,
    discount=lambda xp, g, value: g * value,
    value=lambda xp, g, discount: g * discount,
)


def _soft_value(xp: Backend, input: Array, log_prob: Array, alpha: Array) -> tuple[Array, Array]:
    """`input - alpha * log_prob`, and `-log_prob`, which carries no gradient."""
    return xp.soft_value(input, log_prob, alpha)


soft_value = Op("SoftValue", _soft_value, outs=2)


@soft_value.gradient("input")
def _(xp: Backend, g: Array) -> Array:
    return g


@soft_value.gradient("log_prob")
def _(xp: Backend, g: Array, alpha: Array) -> Array:
    return xp.scaled_product(g, alpha, -1.0)


@soft_value.gradient("alpha")
def _(xp: Backend, g: Array, log_prob: Array) -> Array:
    return xp.scaled_product(g, log_prob, -1.0)
