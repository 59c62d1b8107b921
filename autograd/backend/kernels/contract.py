"""What an array library must offer as the backend `xp` of an operation.

Operations call NumPy's functions by NumPy's names; `__getattr__` stands for those. The others are
listed here: what array libraries do differently, and the fused functions, each of which does the
work of a chain of calls. A test checks every set of kernels against this list, which also describes
them. The reference for what a fused function computes is `numpy_kernels`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

Array = Any  # numpy.ndarray, or cupy.ndarray on a GPU
Shape = tuple[int, ...]
DType = np.dtype
Bounds = tuple[float, float]  # the least and the largest


class AdamSettings(NamedTuple):
    """The numbers of a step of Adam, under torch's names."""

    lr: float
    beta1: float
    beta2: float
    eps: float


class Backend(Protocol):
    """An array library: NumPy's names, the named differences, and the fused functions."""

    device_type: str

    def __getattr__(self, name: str) -> Any:
        """A function, dtype or constant that NumPy has under this name."""

    # -- what array libraries do differently ----------------------------------------------

    def array_of(self, value: Any) -> Array:
        """An array of what an operation returned: NumPy returns 0-d results as scalars."""

    def from_numpy(self, array: np.ndarray) -> Array:
        """A host array as an array of this backend, without a copy where possible."""

    def to_numpy(self, array: Array) -> np.ndarray:
        """The array in host memory, without a copy where it is there already."""

    def device_index(self, array: Array) -> int | None:
        """The number of the GPU that holds the array; None on the CPU."""

    def address(self, array: Array) -> int:
        """Where the array's first element lies in memory."""

    def expand(self, array: Array, shape: Shape) -> Array:
        """A view of a larger shape, through which elements can be changed."""

    def strided(self, flat: Array, first: int, shape: Shape, strides: Shape) -> Array:
        """A view of a vector's memory from element `first` on; `strides` are in bytes."""

    def check_bounds(
        self, index: Array, size: int, dim: int, error: type[Exception], lowest: int
    ) -> None:
        """Raise `error` where an array of indices reaches out of a dimension of `size`."""

    def scatter_add(self, array: Array, index: Any, values: Array) -> None:
        """`array[index] += values` in place, where repeated indices add up."""

    def scatter_multiply(self, array: Array, index: Any, values: Array) -> None:
        """`array[index] *= values` in place, where repeated indices multiply up."""

    def put_along_axis(self, array: Array, index: Array, values: Any, axis: int) -> None:
        """`array[..., index, ...] = values` in place along one axis."""

    def raise_to(self, base: Any, exponent: Any) -> Any:
        """`base ** exponent`; ValueError for integers to negative powers."""

    def sum(
        self, array: Array, axis: Any = None, keepdims: Any = False, dtype: Any = None
    ) -> Array:
        """The sum along `axis`, whose error does not grow with the number of elements."""

    def erf(self, array: Array) -> Array:
        """The error function."""

    def reused_empty(self, shape: Shape, dtype: DType) -> Array:
        """An uninitialised array, perhaps in the memory of a freed one."""

    # -- fused functions ------------------------------------------------------------------

    def relu_(self, array: Array) -> None:
        """The positive part, in place."""

    def add_bias_(self, y: Array, bias: Array, activation: str) -> None:
        """`y += bias`, then the activation, "relu", "tanh" or "" for none, in place."""

    def activation_gradient_(self, g: Array, out: Array, activation: str) -> None:
        """Multiply `g`, in place, by the derivative of the activation whose result `out` is."""

    def sum_of_rows(self, rows: Array, out: Array | None = None) -> Array:
        """The sum over the last axis but one, (..., n, m) -> (..., m)."""

    def squashed_gaussian(
        self, parameters: Array, noise: Array, bounds: Bounds
    ) -> tuple[Array, Array, Array]:
        """Actions tanh(u) (..., n), their log-probability (..., 1), and std * noise (..., n).

        u = mean + std * noise; `parameters` (..., 2n): means, then log std, which is clamped to
        `bounds`. log(1 - tanh(u)^2) = 2 (log 2 - |u| - log(1 + exp(-2|u|))), exact for every u.
        """

    def squashed_gaussian_gradient(
        self, g: Sequence[Array], action: Array, spread: Array, log_std: Array, bounds: Bounds
    ) -> Array:
        """The gradient of the parameters (..., 2n); `log_std` is their second half.

        `g`: the gradients of the actions and of their log-probability.
        """

    def squashed_gaussian_noise_gradient(
        self, g: Sequence[Array], action: Array, noise: Array, log_std: Array, bounds: Bounds
    ) -> Array:
        """The gradient of the noise (..., n)."""

    def clamped(self, array: Array, low: float, high: float) -> Array:
        """The elements, at least `low` and at most `high`; NaN stays."""

    def side_by_side(self, arrays: Sequence[Array]) -> Array:
        """The matrices, concatenated along the columns."""

    def soft_value(self, q_value: Array, log_prob: Array, alpha: Array) -> tuple[Array, Array]:
        """`q_value - alpha * log_prob`, and the entropy, `-log_prob`."""

    def scaled_product(self, x: Array, y: Array, scale: float) -> Array:
        """`x * y * scale`; `y` may be of bools."""

    def discounted(self, reward: Array, discount: Array, value: Array) -> Array:
        """`reward + discount * value`."""

    def half_mse(self, values: Array, target: Array) -> tuple[Array, Array]:
        """Half the mean of (values - target)^2 over all axes but the first, and the difference."""

    def half_mse_gradient(self, g: Array, difference: Array) -> Array:
        """The gradient of the values, from that of the losses (n,)."""

    def minimum_gradient(self, g: Array, values: Array) -> Array:
        """The gradient of `values`, whose minimum over the first axis has the gradient `g`.

        Of several smallest, the first takes all, as in `torch.min` along a dimension.
        """

    def row_norm(
        self, x: Array, weight: Array, bias: Array | None, eps: float, is_centred: bool
    ) -> tuple[Array, Array, Array]:
        """Rows (..., n) normalised, times weight, plus bias; the normalised; 1 / deviation.

        Their mean square becomes 1, without `eps`; if `is_centred`, their mean 0 before.
        """

    def row_norm_gradient(
        self, g: Array, weight: Array, normalized: Array, inverse: Array, is_centred: bool
    ) -> Array:
        """The gradient of the rows, from that of the result."""

    def column_norm(
        self, x: Array, weight: Array, bias: Array, eps: float
    ) -> tuple[Array, Array, Array, Array, Array]:
        """Columns of x (..., rows, n) to mean 0 and variance 1, times weight, plus bias.

        Also returns mean and variance, without a correction for the rows' number, the normalised
        columns, and 1 / deviation, that of variance + eps. What has no rows is (..., 1, n).
        """

    def column_norm_gradient(
        self, g: Array, weight: Array, normalized: Array, inverse: Array
    ) -> tuple[Array, Array, Array]:
        """The gradients of x, weight and bias, from that of the result."""

    def quantile_huber(self, quantiles: Array, target: Array) -> tuple[Array, Array]:
        """Losses (networks, rows, 1) of quantiles (networks, rows, m), and their gradients.

        `target` (rows, k): samples. A loss is the mean over m and k of |tau - [error < 0]| times
        the Huber loss of error = target - quantile, tau = (i + 1/2) / m: arXiv:1710.10044, eq. 10.
        """

    def spread_atoms(self, shares: Array, places: Array, low: float, high: float) -> Array:
        """Shares (rows, n) of atoms at other `places`, as those of n atoms from `low` to `high`.

        Each goes to the two nearest atoms, more to the nearer: arXiv:1707.06887, eq. 7.
        """

    def shifted(self, images: Array, offsets: Array, padding: int) -> Array:
        """Crops of images (batch, channels, height, width), padded with copies of their edges.

        `offsets` (batch, 2): the first row and column of each crop, from 0 to 2 * padding.
        """

    def is_worth_choosing_rows(self, work: int) -> bool:
        """Whether gathering rows is cheaper than a product of this many multiplications."""

    def standardise(self, x: Array, shift: Array, factor: Array, limit: float) -> Array:
        """`(x - shift) * factor`, at least -limit and at most limit."""

    def adam_(
        self, arrays: Sequence[Array], step: Array, skip: Array | None, settings: AdamSettings
    ) -> None:
        """One step of Adam in place: Kingma & Ba 2015, algorithm 1, as reordered in section 2.

        `arrays`: parameter, gradient, both moments and, for AMSGrad, the running maximum of the
        second (Reddi et al. 2018). `step`: an array whose first element counts the steps, including
        this one. `skip`: None, or an array of one element; if that is not 0, nothing changes.
        """

    def count_step_(self, steps: Array, skip: Array | None) -> None:
        """`steps += 1`, unless `skip` is not 0."""

    def is_known_set(self, flag: Array) -> bool:
        """Whether a flag is not 0; False if finding out would make the host wait."""

    def watch(self, value: Array, number: int, first: Array, found: Array) -> None:
        """Note a value that is not finite: its number, if it is the first, and a 1 in `found`."""

    def lerp_(self, array: Array, end: Array, weight: float) -> None:
        """`array += weight * (end - array)` in place."""

    def empty_cache(self) -> None:
        """Give the memory that `reused_empty` keeps back to the system."""
