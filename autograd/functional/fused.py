"""Fused chains of operations for actor-critic code, under the names of what they fuse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from autograd.backend import Array, backend_of
from autograd.backend.layout import StackLayout
from autograd.engine.apply import apply
from autograd.engine.capture import effect
from autograd.ops import convolution, normalization
from autograd.ops import fused as ops
from autograd.ops import mlp as ops_mlp
from autograd.ops import stack as ops_stack

if TYPE_CHECKING:
    from autograd.types import Tensor


def linear(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`input @ weight.T + bias`."""
    return apply(ops.linear, input, weight, bias)


def mlp(
    inputs: Sequence[Tensor], parameters: Tensor, layout: StackLayout, activation: str
) -> Tensor:
    """Multilayer perceptrons on the concatenation of `inputs`, as one node.

    `inputs`: (batch, n) each; `parameters` (networks, size): the weights and biases of all, which
    lie as `layout` says; `activation`: "relu" or "tanh", of all layers but the last. Returns
    (networks, batch, outputs), or (batch, outputs) for a single network.
    """
    _require_floating_point("mlp", inputs[0])
    return apply(ops_mlp.mlp, *inputs, parameters, layout=layout, activation=activation)


def min_mlp(
    inputs: Sequence[Tensor], parameters: Tensor, layout: StackLayout, activation: str
) -> Tensor:
    """The smallest of the networks' outputs, element by element; (batch, outputs)."""
    _require_floating_point("min_mlp", inputs[0])
    op = ops_mlp.min_mlp if layout.networks > 1 else ops_mlp.mlp
    return apply(op, *inputs, parameters, layout=layout, activation=activation)


def affine(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`input @ weight.T + bias` of several networks, (networks, batch, out).

    `input` (batch, in) or (networks, batch, in), `weight` (networks, out, in), `bias` (networks, 1,
    out).
    """
    _require_floating_point("affine", input)
    return apply(ops_stack.affine, input, weight, bias)


def row_norm(
    input: Tensor, weight: Tensor, bias: Tensor | None, eps: float, *, is_centred: bool
) -> Tensor:
    """LayerNorm over the last dimension or, without `is_centred`, RMSNorm."""
    _require_floating_point("row_norm", input)
    out: Tensor = apply(normalization.row_norm, input, weight, bias, eps=eps, is_centred=is_centred)
    return out


def column_norm(
    input: Tensor, weight: Tensor, bias: Tensor, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """BatchNorm over the last dimension but one; then mean and variance, without a gradient.

    `input` (networks, batch, n), the others (networks, 1, n). The variance is the biased one.
    """
    _require_floating_point("column_norm", input)
    out: tuple[Tensor, Tensor, Tensor]
    out = apply(normalization.column_norm, input, weight, bias, eps=eps)
    return out


def lowest(input: Tensor) -> Tensor:
    """The smallest over the first dimension; of several equal ones the first has the gradient."""
    _require_floating_point("lowest", input)
    return apply(ops_stack.lowest, input)


def of_lowest(input: Tensor, values: Tensor) -> Tensor:
    """Each row of `input` (networks, batch, n) of the network with the lowest `values`.

    `values`: (networks, batch, 1).
    """
    _require_floating_point("of_lowest", input)
    return apply(ops_stack.of_lowest, input, values)


def smallest(input: Tensor, count: int) -> Tensor:
    """The smallest numbers (..., count) of the last dimension, in order, without a gradient."""
    _require_floating_point("smallest", input)
    return apply(ops_stack.smallest, input, count=count)


def quantile_huber(input: Tensor, target: Tensor) -> Tensor:
    """The quantile Huber loss of each row, (networks, batch, 1): Dabney et al. 2018, eq. 10.

    `input` (networks, batch, m): quantiles; `target` (batch, k): samples, without a gradient.
    """
    _require_floating_point("quantile_huber", input)
    return apply(ops_stack.quantile_huber, input, target)


def spread_atoms(input: Tensor, places: Tensor, low: float, high: float) -> Tensor:
    """Shares (batch, n) at `places`, spread over n atoms from `low` to `high`, without a gradient.

    Bellemare et al. 2017, arXiv:1707.06887, eq. 7.
    """
    _require_floating_point("spread_atoms", input)
    return apply(ops_stack.spread_atoms, input, places, low=low, high=high)


def random_shift(input: Tensor, offsets: Tensor, padding: int) -> Tensor:
    """Shift images by up to `padding` pixels, repeating their edges; without a gradient.

    `input` (batch, channels, height, width), of any dtype; `offsets` (batch, 2), integers from 0 to
    2 * padding: where the crop of each padded image starts. Kostrikov et al. 2020,
    arXiv:2004.13649, section 3.1.

    Raises:
        RuntimeError: the shapes or the dtype of the offsets do not fit.
        IndexError: an offset is out of range.
    """
    images, starts = input._array, offsets._array
    if images.ndim != 4 or starts.shape != (len(images), 2) or starts.dtype.kind not in "iu":
        raise RuntimeError(
            "random_shift: expected images (batch, channels, height, width) and integer offsets "
            f"(batch, 2), got {list(input.shape)} and {offsets.dtype} {list(offsets.shape)}"
        )
    if not 0 <= padding < min(images.shape[2:]):
        raise RuntimeError(
            f"random_shift: expected a padding from 0 to less than the images' size "
            f"{list(input.shape[2:])}, got {padding}"
        )
    return apply(convolution.random_shift, input, offsets, padding=padding)


@effect
def normalize_rows_(parameters: Tensor, places: Sequence[tuple[int, int, int]]) -> None:
    """Scale the rows of matrices in parameters (networks, size) to norm 1, outside the graph.

    `places`: where each matrix starts, its rows and its columns.
    """
    array = parameters._array
    for matrices in ops_stack.matrices(array, places):
        ops_stack.normalize_rows_(backend_of(array), matrices)
    parameters._bump_version()


def mlp_row(x: Array, parameters: Tensor, layout: StackLayout, activation: str) -> Array:
    """Run one network on one row, an array (inputs,), outside the graph; an array (outputs,).

    For a single row, calls cost more than the arithmetic, and calls of tensors cost most.
    """
    array = parameters._array
    parts, xp = layout.parts(array), backend_of(array)
    for i in range(0, len(parts) - 2, 2):
        x = parts[i].dot(x)
        xp.add_bias_(x, parts[i + 1], activation)
    return parts[-2].dot(x) + parts[-1]


def squashed_gaussian(
    parameters: Tensor, noise: Tensor, *, log_std_min: float, log_std_max: float
) -> tuple[Tensor, Tensor]:
    """A reparameterised action in [-1, 1] and its log-probability.

    `parameters` (batch, 2 * dimensions): means, then log standard deviations, which are clamped;
    `noise` (batch, dimensions): standard normal. Returns (batch, dimensions) and (batch, 1).
    Source: Haarnoja et al. 2018, "Soft Actor-Critic Algorithms and Applications", appendix C.
    """
    _require_floating_point("squashed_gaussian", parameters)
    return apply(ops.squashed_gaussian, parameters, noise, bounds=(log_std_min, log_std_max))


def soft_value(input: Tensor, log_prob: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """The soft value `input - alpha * log_prob`, and `-log_prob`, which carries no gradient."""
    _require_floating_point("soft_value", input)
    return apply(ops.soft_value, input, log_prob, alpha)


def discounted(reward: Tensor, discount: Tensor, value: Tensor) -> Tensor:
    """`reward + discount * value`."""
    _require_floating_point("discounted", value)
    return apply(ops.discounted, reward, discount, value)


def half_mse(input: Tensor, target: Tensor) -> Tensor:
    """Half the mean squared error of each of `input` (n, ...) against `target` (...); (n,)."""
    _require_floating_point("half_mse", input)
    return apply(ops.half_mse, input, target)


@effect
def polyak_update_(target: Tensor, source: Tensor, tau: float) -> None:
    """`target += tau * (source - target)` in place, outside the graph."""
    backend_of(target._array).lerp_(target._array, source._array, tau)
    target._bump_version()


@effect
def clip_row_norms_(parameter: Tensor, max_norm: float) -> None:
    """Scale each row of the gradient of a parameter (rows, n) to a norm of at most `max_norm`.

    A row is the gradient of one network, which `nn.utils.clip_grad_norm_` would clip by itself.
    """
    gradient = parameter.grad
    assert gradient is not None, "backward comes first"
    norm = gradient.norm(dim=1, keepdim=True)
    gradient.mul_((max_norm / (norm + 1e-6)).clamp(max=1.0))


def standardise(input: Tensor, shift: Tensor, factor: Tensor, limit: float) -> Tensor:
    """`(input - shift) * factor`, at least -limit and at most limit, outside the graph."""
    xp = backend_of(input._array)
    return input._wrap(xp.standardise(input._array, shift._array, factor._array, limit))


def watch(value: Tensor, number: int, first: Tensor, found: Tensor) -> None:
    """Note whether a value of one element is finite, without making the host wait for a GPU.

    If it is not, `first` (0-d int64) becomes the smaller of itself and `number`, and `found` (0-d
    float32) becomes 1.
    """
    backend_of(value._array).watch(value._array, number, first._array, found._array)


def _require_floating_point(name: str, tensor: Tensor) -> None:
    if tensor._array.dtype.kind != "f":
        raise RuntimeError(f"{name}: expected floating point tensors, got {tensor.dtype}")
