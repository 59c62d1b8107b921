"""The fused functions in NumPy: chains of elementwise steps that learning runs most.

Other backends have the same functions, each a kernel or two. The passes here are chosen by
measurement: NumPy is fast on two arrays of one shape, and slow on an array and a number or a bool.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from autograd.backend.kernels import column_norm, distributional, row_norm
from autograd.backend.kernels.contract import AdamSettings, Array, Bounds
from autograd.backend.kernels.images import shift_by_copies
from autograd.backend.workspace import Workspace

# Elements that Adam works on at a time: six arrays of this size fit in the last-level cache.
# Smaller blocks, for faster caches, would gain less than their additional calls cost.
BLOCK = 2**18
LARGE = 2**22  # multiplications; a larger product is worth some passes over its operands
MAX_CONSTANTS = 16  # arrays of zeros, and of ones, that are kept: one of each size
LOG_4 = math.log(4)
HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)


class NumpyChains:
    """The fused functions of the NumPy backend."""

    def __init__(self) -> None:
        # These never change, so threads may share them.
        self._zeros: dict[tuple[int, ...], np.ndarray] = {}
        self._ones: dict[tuple[int, np.dtype], np.ndarray] = {}
        self._workspace = Workspace()
        self.reused_empty = self._workspace.empty  # uninitialised, perhaps in memory used before

    # -- layers ---------------------------------------------------------------------------

    def relu_(self, array: Array) -> None:
        # NumPy vectorises its loop over two arrays, but not with a scalar.
        zeros = self._zeros.get(array.shape)
        if zeros is None or zeros.dtype is not array.dtype:
            if len(self._zeros) >= MAX_CONSTANTS:
                self._zeros.clear()
            zeros = self._zeros[array.shape] = np.zeros(array.shape, array.dtype)
        np.maximum(array, zeros, out=array)

    def add_bias_(self, y: Array, bias: Array, activation: str) -> None:
        y += bias
        if activation == "relu":
            self.relu_(y)
        elif activation:
            np.tanh(y, out=y)

    def activation_gradient_(self, g: Array, out: Array, activation: str) -> None:
        if activation == "relu":
            g *= out != 0  # NaN passes, as in torch
        else:
            change = np.multiply(g, out, out=self.reused_empty(g.shape, g.dtype))
            change *= out
            g -= change

    def sum_of_rows(self, rows: Array, out: Array | None = None) -> Array:
        # A product with ones takes a third of the time of a reduction over that axis.
        key = rows.shape[-2], rows.dtype
        ones = self._ones.get(key)
        if ones is None:
            if len(self._ones) >= MAX_CONSTANTS:
                self._ones.clear()
            ones = self._ones[key] = np.ones(*key)
        return np.matmul(ones, rows, out=out)

    # -- the squashed Gaussian ------------------------------------------------------------

    def squashed_gaussian(
        self, parameters: Array, noise: Array, bounds: Bounds
    ) -> tuple[Array, Array, Array]:
        n = noise.shape[-1]
        log_std = self.clamped(parameters[..., n:], *bounds)
        spread = np.exp(log_std)
        spread *= noise
        u = parameters[..., :n] + spread
        action = np.tanh(u)
        np.abs(u, out=u)
        log_prob = u * -2
        np.exp(log_prob, out=log_prob)
        np.log1p(log_prob, out=log_prob)
        log_prob += u
        log_prob *= 2
        log_prob -= log_std
        np.multiply(noise, noise, out=u)
        u *= 0.5
        log_prob -= u
        total = np.add.reduce(log_prob, axis=-1, keepdims=True)
        total -= n * (HALF_LOG_2_PI + LOG_4)
        return action, total, spread

    def squashed_gaussian_gradient(
        self, g: Sequence[Array], action: Array, spread: Array, log_std: Array, bounds: Bounds
    ) -> Array:
        n = action.shape[-1]
        result = self.reused_empty((*action.shape[:-1], 2 * n), action.dtype)
        u_gradient, log_std_gradient = result[..., :n], result[..., n:]
        self._u_gradient(g, action, u_gradient)
        np.multiply(u_gradient, spread, out=log_std_gradient)
        log_std_gradient -= g[1]
        log_std_gradient *= self.clamped(log_std, *bounds) == log_std
        return result

    def squashed_gaussian_noise_gradient(
        self, g: Sequence[Array], action: Array, noise: Array, log_std: Array, bounds: Bounds
    ) -> Array:
        result = np.exp(self.clamped(log_std, *bounds))
        result *= self._u_gradient(g, action)
        result -= g[1] * noise
        return result

    def _u_gradient(self, g: Sequence[Array], action: Array, out: Array | None = None) -> Array:
        """The gradient of u. The slope of log_prob in u is 2 tanh(u), from -log(1 - tanh(u)^2)."""
        result = np.multiply(action, action, out=out)
        np.subtract(1, result, out=result)
        result *= g[0]
        result += (2 * g[1]) * action
        return result

    def clamped(self, array: Array, low: float, high: float) -> Array:
        result = np.maximum(array, low)
        return np.minimum(result, high, out=result)

    # -- values ---------------------------------------------------------------------------

    def side_by_side(self, arrays: Sequence[Array]) -> Array:
        return arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis=1)

    def soft_value(self, q_value: Array, log_prob: Array, alpha: Array) -> tuple[Array, Array]:
        value = np.multiply(alpha, log_prob)
        return np.subtract(q_value, value), np.negative(log_prob)

    def scaled_product(self, x: Array, y: Array, scale: float) -> Array:
        return x * y * scale

    def discounted(self, reward: Array, discount: Array, value: Array) -> Array:
        return np.multiply(discount, value) + reward

    def half_mse(self, values: Array, target: Array) -> tuple[Array, Array]:
        difference = np.subtract(values, target)
        rows = difference.reshape(difference.shape[0], -1)
        losses = np.vecdot(rows, rows)
        losses *= 0.5 / max(rows.shape[1], 1)
        return losses, difference

    def half_mse_gradient(self, g: Array, difference: Array) -> Array:
        n = difference.shape[0]
        scale = g * (n / max(difference.size, 1))
        return difference * scale.reshape((n,) + (1,) * (difference.ndim - 1))

    def minimum_gradient(self, g: Array, values: Array) -> Array:
        if len(values) == 2:
            result = np.empty_like(values)
            np.multiply(g, values[0] <= values[1], out=result[0])
            np.subtract(g, result[0], out=result[1])
            return result
        numbers = np.arange(len(values)).reshape((-1,) + (1,) * (values.ndim - 1))
        return g * (np.argmin(values, axis=0) == numbers)

    def row_norm(
        self, x: Array, weight: Array, bias: Array | None, eps: float, is_centred: bool
    ) -> tuple[Array, Array, Array]:
        return row_norm.row_norm(self, x, weight, bias, eps, is_centred)

    def row_norm_gradient(
        self, g: Array, weight: Array, normalized: Array, inverse: Array, is_centred: bool
    ) -> Array:
        return row_norm.row_norm_gradient(self, g, weight, normalized, inverse, is_centred)

    def column_norm(
        self, x: Array, weight: Array, bias: Array, eps: float
    ) -> tuple[Array, Array, Array, Array, Array]:
        return column_norm.column_norm(self, x, weight, bias, eps)

    def column_norm_gradient(
        self, g: Array, weight: Array, normalized: Array, inverse: Array
    ) -> tuple[Array, Array, Array]:
        return column_norm.column_norm_gradient(self, g, weight, normalized, inverse)

    def quantile_huber(self, quantiles: Array, target: Array) -> tuple[Array, Array]:
        return distributional.quantile_huber(self, quantiles, target)

    def spread_atoms(self, shares: Array, places: Array, low: float, high: float) -> Array:
        return distributional.spread_atoms(self, shares, places, low, high)

    def shifted(self, images: Array, offsets: Array, padding: int) -> Array:
        return shift_by_copies(images, offsets, padding)

    def is_worth_choosing_rows(self, work: int) -> bool:
        return work >= LARGE

    def standardise(self, x: Array, shift: Array, factor: Array, limit: float) -> Array:
        result = np.subtract(x, shift)
        result *= factor
        return np.clip(result, -limit, limit, out=result)

    # -- steps of optimizers --------------------------------------------------------------

    def adam_(
        self, arrays: Sequence[Array], step: Array, skip: Array | None, settings: AdamSettings
    ) -> None:
        if skip is not None and skip.item():
            return
        lr, beta1, beta2, eps = settings
        count = step.item(0)
        root = math.sqrt(1 - beta2**count)
        coefficients = 1 - beta1, beta2, eps * root, lr * root / (1 - beta1**count)
        param = arrays[0]
        if param.size <= BLOCK or not all(a.flags.c_contiguous for a in arrays):
            scratch = self.reused_empty(param.shape, param.dtype)
            _adam_block(arrays, scratch, *coefficients)
            return
        scratch = self.reused_empty((BLOCK,), param.dtype)
        arrays = [a.reshape(-1) for a in arrays]
        for i in range(0, param.size, BLOCK):
            block = [a[i : i + BLOCK] for a in arrays]
            _adam_block(block, scratch[: block[0].size], *coefficients)

    def count_step_(self, steps: Array, skip: Array | None) -> None:
        if skip is None or not skip.item():
            steps += 1

    def is_known_set(self, flag: Array) -> bool:
        return bool(flag.item())

    def watch(self, value: Array, number: int, first: Array, found: Array) -> None:
        if not math.isfinite(value.item()):
            first[...] = min(number, first.item())
            found[...] = 1

    def lerp_(self, array: Array, end: Array, weight: float) -> None:
        step = np.subtract(end, array)
        step *= weight
        array += step

    # -- memory ---------------------------------------------------------------------------

    def empty_cache(self) -> None:
        self._workspace.clear()


def _adam_block(
    arrays: Sequence[Array], scratch: Array, weight1: float, beta2: float, eps: float, rate: float
) -> None:
    """`weight1` is 1 - beta1; `eps` and `rate` include the bias corrections of both moments."""
    param, grad, exp_avg, exp_avg_sq, *largest = arrays
    np.subtract(grad, exp_avg, out=scratch)
    if weight1 > 0.5:  # from the nearer end: a moment far from the gradient would cancel it
        scratch *= 1 - weight1
        np.subtract(grad, scratch, out=exp_avg)
    else:
        scratch *= weight1
        exp_avg += scratch
    exp_avg_sq *= beta2
    np.multiply(grad, grad, out=scratch)
    scratch *= 1 - beta2
    exp_avg_sq += scratch
    for array in largest:
        exp_avg_sq = np.maximum(array, exp_avg_sq, out=array)
    np.sqrt(exp_avg_sq, out=scratch)
    scratch += eps
    np.divide(exp_avg, scratch, out=scratch)
    scratch *= rate
    param -= scratch
