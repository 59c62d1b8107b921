"""The fused functions in NumPy: chains of elementwise steps that learning runs most.

Other backends have the same functions, each a kernel or two. The passes here are chosen by
measurement: NumPy is fast on two arrays of one shape, and slow on an array and a number or a bool.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from autograd.backend.kernels.contract import Array
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
        """Start without scratch."""
        # These never change, so threads may share them.
        self._zeros: dict[tuple[int, ...], np.ndarray] = {}
        self._ones: dict[tuple[int, np.dtype], np.ndarray] = {}
        self._workspace = Workspace()
        self.reused_empty = self._workspace.empty  # uninitialised, perhaps in memory used before

    # -- layers ---------------------------------------------------------------------------

    def relu_(self, array: Array) -> None:
        """The positive part, in place."""
        # NumPy vectorises its loop over two arrays, but not with a scalar.
        zeros = self._zeros.get(array.shape)
        if zeros is None or zeros.dtype is not array.dtype:
            if len(self._zeros) >= MAX_CONSTANTS:
                self._zeros.clear()
            zeros = self._zeros[array.shape] = np.zeros(array.shape, array.dtype)
        np.maximum(array, zeros, out=array)

    def add_bias_(self, y: Array, bias: Array, activation: str) -> None:
        """`y += bias`, then the activation, "relu", "tanh" or "" for none, in place."""
        y += bias
        if activation == "relu":
            self.relu_(y)
        elif activation:
            np.tanh(y, out=y)

    def activation_gradient_(self, g: Array, out: Array, activation: str) -> None:
        """Multiply `g`, in place, by the derivative of the activation whose result `out` is."""
        if activation == "relu":
            g *= out > 0
        else:
            change = np.multiply(g, out, out=self.reused_empty(g.shape, g.dtype))
            change *= out
            g -= change

    def sum_of_rows(self, rows: Array, out: Array | None = None) -> Array:
        """The sum over the last axis but one, (..., n, m) -> (..., m)."""
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
        self, parameters: Array, noise: Array, log_std_min: float, log_std_max: float
    ) -> tuple[Array, Array, Array]:
        """Actions tanh(u) (..., n), their log-probability (..., 1), and std * noise (..., n).

        u = mean + std * noise; `parameters` (..., 2n): means, then log std, which is clamped.
        log(1 - tanh(u)^2) = 2 (log 2 - |u| - log(1 + exp(-2|u|))), which is exact for every u.
        """
        n = noise.shape[-1]
        log_std = self.clamped(parameters[..., n:], log_std_min, log_std_max)
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
        result = np.empty((*action.shape[:-1], 2 * n), action.dtype)
        u_gradient, log_std_gradient = result[..., :n], result[..., n:]
        self._u_gradient(action_gradient, log_prob_gradient, action, u_gradient)
        np.multiply(u_gradient, spread, out=log_std_gradient)
        log_std_gradient -= log_prob_gradient
        log_std_gradient *= self.clamped(log_std, log_std_min, log_std_max) == log_std
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
        result = np.exp(self.clamped(log_std, log_std_min, log_std_max))
        result *= self._u_gradient(action_gradient, log_prob_gradient, action, None)
        result -= log_prob_gradient * noise
        return result

    def _u_gradient(
        self, action_gradient: Array, log_prob_gradient: Array, action: Array, out: Array | None
    ) -> Array:
        """The gradient of u. The slope of log_prob in u is 2 tanh(u), from -log(1 - tanh(u)^2)."""
        result = np.multiply(action, action, out=out)
        np.subtract(1, result, out=result)
        result *= action_gradient
        result += (2 * log_prob_gradient) * action
        return result

    def clamped(self, array: Array, low: float, high: float) -> Array:
        """The elements, at least `low` and at most `high`; NaN stays."""
        result = np.maximum(array, low)
        return np.minimum(result, high, out=result)

    # -- values ---------------------------------------------------------------------------

    def side_by_side(self, arrays: Sequence[Array]) -> Array:
        """Concatenate matrices along the columns."""
        return arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis=1)

    def soft_value(self, q_value: Array, log_prob: Array, alpha: Array) -> tuple[Array, Array]:
        """`q_value - alpha * log_prob`, and the entropy, `-log_prob`."""
        value = np.multiply(alpha, log_prob)
        return np.subtract(q_value, value), np.negative(log_prob)

    def scaled_product(self, x: Array, y: Array, scale: float) -> Array:
        """`scale * x * y`."""
        return x * y * scale

    def discounted(self, reward: Array, discount: Array, value: Array) -> Array:
        """`reward + discount * value`."""
        return np.multiply(discount, value) + reward

    def half_mse(self, values: Array, target: Array) -> tuple[Array, Array]:
        """Half the mean of (values - target)^2 over all axes but the first, and the difference."""
        difference = np.subtract(values, target)
        rows = difference.reshape(difference.shape[0], -1)
        losses = np.vecdot(rows, rows)
        losses *= 0.5 / max(rows.shape[1], 1)
        return losses, difference

    def half_mse_gradient(self, g: Array, difference: Array) -> Array:
        """The gradient of the values, from that of the losses (n,)."""
        n = difference.shape[0]
        scale = g * (n / max(difference.size, 1))
        return difference * scale.reshape((n,) + (1,) * (difference.ndim - 1))

    def minimum_gradient(self, g: Array, values: Array) -> Array:
        """The gradient of `values`, whose minimum over the first axis has the gradient `g`.

        Of several smallest, the first takes all, as in `torch.min` along a dimension.
        """
        if len(values) == 2:
            result = np.empty_like(values)
            np.multiply(g, values[0] <= values[1], out=result[0])
            np.subtract(g, result[0], out=result[1])
            return result
        numbers = np.arange(len(values)).reshape((-1,) + (1,) * (values.ndim - 1))
        return g * (np.argmin(values, axis=0) == numbers)

    def is_worth_choosing_rows(self, work: int) -> bool:
        """Whether gathering rows is cheaper than a product of this many multiplications."""
        return work >= LARGE

    def standardise(self, x: Array, shift: Array, factor: Array, limit: float) -> Array:
        """`(x - shift) * factor`, at least -limit and at most limit."""
        result = np.subtract(x, shift)
        result *= factor
        return np.clip(result, -limit, limit, out=result)

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
        """One step of Adam in place: Kingma & Ba 2015, algorithm 1, as reordered in section 2.

        `max_exp_avg_sq`: None, or AMSGrad's running maximum (Reddi et al. 2018). `step`: an array
        whose first element counts the steps, including this one. `skip`: None, or an array of one
        element; if that is not 0, nothing changes.
        """
        if skip is not None and skip.item():
            return
        count = step.item(0)
        root = math.sqrt(1 - beta2**count)
        coefficients = 1 - beta1, beta2, eps * root, lr * root / (1 - beta1**count)
        arrays = [param, grad, exp_avg, exp_avg_sq]
        if max_exp_avg_sq is not None:
            arrays.append(max_exp_avg_sq)
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
        """`steps += 1`, unless `skip` is not 0."""
        if skip is None or not skip.item():
            steps += 1

    def is_known_set(self, flag: Array) -> bool:
        """Whether a flag is not 0."""
        return bool(flag.item())

    def watch(self, value: Array, number: int, first: Array, found: Array) -> None:
        """Note a value that is not finite: its number, if it is the first, and a 1 in `found`."""
        if not math.isfinite(value.item()):
            first[...] = min(number, first.item())
            found[...] = 1

    def lerp_(self, array: Array, end: Array, weight: float) -> None:
        """`array += weight * (end - array)` in place."""
        step = np.subtract(end, array)
        step *= weight
        array += step

    # -- memory ---------------------------------------------------------------------------

    def empty_cache(self) -> None:
        """Give back the memory that `reused_empty` keeps."""
        self._workspace.clear()


def _adam_block(
    arrays: list[Array], scratch: Array, weight1: float, beta2: float, eps: float, rate: float
) -> None:
    """`weight1` is 1 - beta1; `eps` and `rate` include the bias corrections of both moments."""
    param, grad, exp_avg, exp_avg_sq = arrays[:4]
    np.subtract(grad, exp_avg, out=scratch)
    scratch *= weight1
    exp_avg += scratch
    exp_avg_sq *= beta2
    np.multiply(grad, grad, out=scratch)
    scratch *= 1 - beta2
    exp_avg_sq += scratch
    if len(arrays) > 4:
        exp_avg_sq = np.maximum(arrays[4], exp_avg_sq, out=arrays[4])
    np.sqrt(exp_avg_sq, out=scratch)
    scratch += eps
    np.divide(exp_avg, scratch, out=scratch)
    scratch *= rate
    param -= scratch
