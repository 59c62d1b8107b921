"""The fused functions on a GPU: what takes NumPy many passes is one kernel here.

The C++ is in `cuda_source`. Shapes, meanings and results are those of `numpy_kernels`, the
reference.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.backend.kernels import column_norm, distributional, row_norm
from autograd.backend.kernels.contract import AdamSettings, Array, Bounds
from autograd.backend.kernels.cuda_source import KERNELS
from autograd.backend.kernels.images import shift_by_gather
from autograd.backend.kernels.numpy_kernels import HALF_LOG_2_PI, LOG_4

FEW_MATRICES = 8
ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "": "identity"}


class CupyChains:
    """The fused functions, each a kernel or two."""

    def __init__(self, cupy: Any) -> None:
        self.cupy = cupy
        self._ones: dict[Any, Array] = {}
        self._unset: dict[int, Array] = {}  # by device

    def kernel(self, name: str) -> Any:
        """Return the kernel of this name in `cuda_source.KERNELS`."""
        return _kernel(self.cupy, name)

    def matmul(self, first: Array, second: Array, out: Array | None = None) -> Array:
        """The matrix product; a short stack of matrices is multiplied one by one.

        CuPy's own product of stacks copies matrices that are transposed or not contiguous.
        """
        counts = [len(array) for array in (first, second) if array.ndim == 3]
        few = counts and max(counts) <= FEW_MATRICES and 2 <= min(first.ndim, second.ndim)
        if not few or max(first.ndim, second.ndim) > 3:
            return self.cupy.matmul(first, second, out=out)
        count = max(counts)
        if out is None:
            shape = count, first.shape[-2], second.shape[-1]
            out = self.cupy.empty(shape, np.promote_types(first.dtype, second.dtype))
        for k in range(count):
            self.cupy.matmul(_matrix(first, k), _matrix(second, k), out=out[k])
        return out

    # -- layers ---------------------------------------------------------------------------

    def relu_(self, array: Array) -> None:
        self.cupy.maximum(array, 0, out=array)

    def add_bias_(self, y: Array, bias: Array, activation: str) -> None:
        self.kernel(f"add_bias_{ACTIVATIONS[activation]}")(bias, y)

    def activation_gradient_(self, g: Array, out: Array, activation: str) -> None:
        self.kernel(f"{activation}_gradient")(out, g)

    def sum_of_rows(self, rows: Array, out: Array | None = None) -> Array:
        if rows.ndim > 2:
            return rows.sum(axis=-2, out=out)
        # CuPy reduces slowly over any axis but the last; a product with ones is fast.
        key = rows.shape[0], rows.dtype, rows.device.id
        if key not in self._ones:
            self._ones[key] = self.cupy.ones(key[0], key[1])
        return self.cupy.matmul(self._ones[key], rows, out=out)

    # -- the squashed Gaussian ------------------------------------------------------------

    def squashed_gaussian(
        self, parameters: Array, noise: Array, bounds: Bounds
    ) -> tuple[Array, Array, Array]:
        n = noise.shape[-1]
        action, spread = self.cupy.empty_like(noise), self.cupy.empty_like(noise)
        log_prob = self.cupy.empty((*noise.shape[:-1], 1), noise.dtype)
        constant = n * (HALF_LOG_2_PI + LOG_4)
        self.kernel("squashed_gaussian")(
            parameters, noise, n, *bounds, constant, action, spread, log_prob
        )
        return action, log_prob, spread

    def squashed_gaussian_gradient(
        self, g: Sequence[Array], action: Array, spread: Array, log_std: Array, bounds: Bounds
    ) -> Array:
        n = action.shape[-1]
        result = self.cupy.empty((*action.shape[:-1], 2 * n), action.dtype)
        self.kernel("squashed_gaussian_gradient")(*g, action, spread, log_std, n, *bounds, result)
        return result

    def squashed_gaussian_noise_gradient(
        self, g: Sequence[Array], action: Array, noise: Array, log_std: Array, bounds: Bounds
    ) -> Array:
        kernel = self.kernel("squashed_gaussian_noise_gradient")
        return kernel(*g, action, noise, log_std, *bounds)

    def clamped(self, array: Array, low: float, high: float) -> Array:
        return self.kernel("clamped")(array, low, high)

    # -- values ---------------------------------------------------------------------------

    def side_by_side(self, arrays: Sequence[Array]) -> Array:
        if len(arrays) != 2:
            return arrays[0] if len(arrays) == 1 else self.cupy.concatenate(arrays, axis=1)
        first, second = arrays
        width = first.shape[1] + second.shape[1]
        out = self.cupy.empty((len(first), width), first.dtype)
        self.kernel("side_by_side")(first, second, first.shape[1], second.shape[1], out)
        return out

    def soft_value(self, q_value: Array, log_prob: Array, alpha: Array) -> tuple[Array, Array]:
        if q_value.shape != log_prob.shape or alpha.size != 1:
            return q_value - alpha * log_prob, -log_prob
        return self.kernel("soft_value")(q_value, log_prob, alpha)

    def scaled_product(self, x: Array, y: Array, scale: float) -> Array:
        return self.kernel("scaled_product")(x, y, scale)

    def discounted(self, reward: Array, discount: Array, value: Array) -> Array:
        return self.kernel("discounted")(reward, discount, value)

    def half_mse(self, values: Array, target: Array) -> tuple[Array, Array]:
        n = len(values)
        scale = 0.5 * n / max(values.size, 1)
        difference, parts = self.kernel("half_square")(values, target, scale)
        return parts.reshape(n, -1).sum(axis=1), difference

    def half_mse_gradient(self, g: Array, difference: Array) -> Array:
        n = len(difference)
        each = g.reshape((n,) + (1,) * (difference.ndim - 1))
        return self.scaled_product(difference, each, n / max(difference.size, 1))

    def minimum_gradient(self, g: Array, values: Array) -> Array:
        result = self.cupy.empty_like(values)
        self.kernel("minimum_gradient")(g, values, len(values), g.size, result)
        return result

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
        return shift_by_gather(self, images, offsets, padding)

    def is_worth_choosing_rows(self, work: int) -> bool:
        return False

    def standardise(self, x: Array, shift: Array, factor: Array, limit: float) -> Array:
        return self.kernel("standardise")(x, shift, factor, limit)

    # -- steps of optimizers --------------------------------------------------------------

    def adam_(
        self, arrays: Sequence[Array], step: Array, skip: Array | None, settings: AdamSettings
    ) -> None:
        # `step` and `skip` stay on the GPU.
        param, grad, *moments = arrays
        lr, beta1, beta2, eps = settings
        rates = lr, 1 - beta1, beta2, 1 - beta2, _log(beta1), _log(beta2), eps
        kernel = self.kernel("adam" if len(moments) == 2 else "amsgrad")
        kernel(grad, step, self._flag(skip), *rates, param, *moments)

    def count_step_(self, steps: Array, skip: Array | None) -> None:
        self.kernel("count_step")(self._flag(skip), steps)

    def is_known_set(self, flag: Array) -> bool:
        return False

    def watch(self, value: Array, number: int, first: Array, found: Array) -> None:
        self.kernel("watch")(value, number, first, found)

    def _flag(self, skip: Array | None) -> Array:
        """Return the given flag, or one that is never raised."""
        if skip is not None:
            return skip
        key = self.cupy.cuda.Device().id
        if key not in self._unset:
            self._unset[key] = self.cupy.zeros((), "f4")
        return self._unset[key]

    def lerp_(self, array: Array, end: Array, weight: float) -> None:
        self.kernel("lerp")(end, weight, array)


def _matrix(array: Array, k: int) -> Array:
    """Return matrix k of a stack, or the only matrix there is."""
    return array if array.ndim == 2 else array[k if len(array) > 1 else 0]


def _log(beta: float) -> float:
    return math.log(beta) if beta else -math.inf


@functools.cache
def _kernel(cupy: Any, name: str) -> Any:
    kernel = KERNELS[name]
    return cupy.ElementwiseKernel(
        kernel.in_params, kernel.out_params, kernel.operation, name, preamble=kernel.preamble
    )
