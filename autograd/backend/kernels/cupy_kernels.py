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

from autograd.backend.kernels.contract import Array
from autograd.backend.kernels.cuda_source import KERNELS
from autograd.backend.kernels.numpy_kernels import HALF_LOG_2_PI, LOG_4

FEW_MATRICES = 8
ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "": "identity"}


class CupyChains:
    """The fused functions, each a kernel or two."""

    def __init__(self, cupy: Any) -> None:
        """Compile no kernel yet: each is compiled when it is first called."""
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
        """The positive part, in place."""
        self.cupy.maximum(array, 0, out=array)

    def add_bias_(self, y: Array, bias: Array, activation: str) -> None:
        """`y += bias`, then the activation, "relu", "tanh" or "" for none, in place."""
        self.kernel(f"add_bias_{ACTIVATIONS[activation]}")(bias, y)

    def activation_gradient_(self, g: Array, out: Array, activation: str) -> None:
        """Multiply `g`, in place, by the derivative of the activation whose result `out` is."""
        self.kernel(f"{activation}_gradient")(out, g)

    def sum_of_rows(self, rows: Array, out: Array | None = None) -> Array:
        """The sum over the last axis but one, (..., n, m) -> (..., m)."""
        if rows.ndim > 2:
            return rows.sum(axis=-2, out=out)
        # CuPy reduces slowly over any axis but the last; a product with ones is fast.
        key = rows.shape[0], rows.dtype, rows.device.id
        if key not in self._ones:
            self._ones[key] = self.cupy.ones(key[0], key[1])
        return self.cupy.matmul(self._ones[key], rows, out=out)

    # -- the squashed Gaussian ------------------------------------------------------------

    def squashed_gaussian(
        self, parameters: Array, noise: Array, log_std_min: float, log_std_max: float
    ) -> tuple[Array, Array, Array]:
        """Actions tanh(u) (..., n), their log-probability (..., 1), and std * noise (..., n)."""
        n = noise.shape[-1]
        action, spread = self.cupy.empty_like(noise), self.cupy.empty_like(noise)
        log_prob = self.cupy.empty((*noise.shape[:-1], 1), noise.dtype)
        constant = n * (HALF_LOG_2_PI + LOG_4)
        self.kernel("squashed_gaussian")(
            parameters, noise, n, log_std_min, log_std_max, constant, action, spread, log_prob
        )
        return action, log_prob, spread

    def squashed_gaussian_gradient(
        self,
        action_gradient: Array,
        log_prob_gradient: Array,
        action: Array,
        spread: Array,
        log_std: Array,
        log_std_min: float,
        log_std_max: float,
    ) -> Array:
        """The gradient of the parameters (..., 2n); `log_std` is their second half."""
        n = action.shape[-1]
        result = self.cupy.empty((*action.shape[:-1], 2 * n), action.dtype)
        self.kernel("squashed_gaussian_gradient")(
            action_gradient, log_prob_gradient, action, spread, log_std, n, log_std_min,
            log_std_max, result,
        )  # fmt: skip
        return result

    def squashed_gaussian_noise_gradient(
        self,
        action_gradient: Array,
        log_prob_gradient: Array,
        action: Array,
        noise: Array,
        log_std: Array,
        log_std_min: float,
        log_std_max: float,
    ) -> Array:
        """The gradient of the noise (..., n)."""
        return self.kernel("squashed_gaussian_noise_gradient")(
            action_gradient, log_prob_gradient, action, noise, log_std, log_std_min, log_std_max
        )

    def clamped(self, array: Array, low: float, high: float) -> Array:
        """The elements, at least `low` and at most `high`; NaN stays."""
        return self.kernel("clamped")(array, low, high)

    # -- values ---------------------------------------------------------------------------

    def side_by_side(self, arrays: Sequence[Array]) -> Array:
        """Concatenate matrices along the columns."""
        if len(arrays) != 2:
            return arrays[0] if len(arrays) == 1 else self.cupy.concatenate(arrays, axis=1)
        first, second = arrays
        width = first.shape[1] + second.shape[1]
        out = self.cupy.empty((len(first), width), first.dtype)
        self.kernel("side_by_side")(first, second, first.shape[1], second.shape[1], out)
        return out

    def soft_value(self, q_value: Array, log_prob: Array, alpha: Array) -> tuple[Array, Array]:
        """`q_value - alpha * log_prob`, and the entropy, `-log_prob`."""
        if q_value.shape != log_prob.shape or alpha.size != 1:
            return q_value - alpha * log_prob, -log_prob
        return self.kernel("soft_value")(q_value, log_prob, alpha)

    def scaled_product(self, x: Array, y: Array, scale: float) -> Array:
        """`scale * x * y`."""
        return self.kernel("scaled_product")(x, y, scale)

    def discounted(self, reward: Array, discount: Array, value: Array) -> Array:
        """`reward + discount * value`."""
        return self.kernel("discounted")(reward, discount, value)

    def half_mse(self, values: Array, target: Array) -> tuple[Array, Array]:
        """Half the mean of (values - target)^2 over all axes but the first, and the difference."""
        n = len(values)
        scale = 0.5 * n / max(values.size, 1)
        difference, parts = self.kernel("half_square")(values, target, scale)
        return parts.reshape(n, -1).sum(axis=1), difference

    def half_mse_gradient(self, g: Array, difference: Array) -> Array:
        """The gradient of the values, from that of the losses (n,)."""
        n = len(difference)
        each = g.reshape((n,) + (1,) * (difference.ndim - 1))
        return self.scaled_product(difference, each, n / max(difference.size, 1))

    def minimum_gradient(self, g: Array, values: Array) -> Array:
        """The gradient of `values`, whose minimum over the first axis has the gradient `g`."""
        result = self.cupy.empty_like(values)
        self.kernel("minimum_gradient")(g, values, len(values), g.size, result)
        return result

    def is_worth_choosing_rows(self, work: int) -> bool:
        """Return False: the host would have to wait for the number of rows."""
        return False

    def standardise(self, x: Array, shift: Array, factor: Array, limit: float) -> Array:
        """`(x - shift) * factor`, at least -limit and at most limit."""
        return self.kernel("standardise")(x, shift, factor, limit)

    # -- steps of optimizers --------------------------------------------------------------

    def adam_(
        self,
        param: Array,
        grad: Array,
        exp_avg: Array,
        exp_avg_sq: Array,
        max_exp_avg_sq: Array | None,
        *,
        step: Array,
        skip: Array | None,
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
    ) -> None:
        """One step of Adam in place; `step` and `skip` stay on the GPU."""
        inputs = (
            grad, step, self._flag(skip), lr, 1 - beta1, beta2, 1 - beta2, _log(beta1),
            _log(beta2), eps,
        )  # fmt: skip
        if max_exp_avg_sq is None:
            self.kernel("adam")(*inputs, param, exp_avg, exp_avg_sq)
        else:
            self.kernel("amsgrad")(*inputs, param, exp_avg, exp_avg_sq, max_exp_avg_sq)

    def count_step_(self, steps: Array, skip: Array | None) -> None:
        """`steps += 1`, unless `skip` is not 0."""
        self.kernel("count_step")(self._flag(skip), steps)

    def is_known_set(self, flag: Array) -> bool:
        """Return False: looking would make the host wait; the kernels look themselves."""
        return False

    def watch(self, value: Array, number: int, first: Array, found: Array) -> None:
        """Note a value that is not finite: its number, if it is the first, and a 1 in `found`."""
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
        """`array += weight * (end - array)` in place."""
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
