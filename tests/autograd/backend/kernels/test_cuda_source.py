"""The kernels' own C++ against the NumPy form of each: shapes, strides, dtypes and edge values."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from autograd import backend
from autograd.backend import NUMPY
from autograd.backend.kernels.contract import AdamSettings
from autograd.backend.kernels.cuda_source import KERNELS

pytestmark = pytest.mark.skipif(
    not any(map(shutil.which, ("c++", "g++", "clang++"))),
    reason="no C++ compiler (c++, g++ or clang++) to compile kernels with",
)

TOLERANCE = {"f2": 4e-3, "f4": 1e-5, "f8": 1e-12}  # of either compiler's tanh, exp and log
EDGES = np.array([0.0, -0.0, 1e-30, 9.0, -9.0, 100.0, -100.0, np.inf, -np.inf, np.nan])
LOG_STD_EDGES = np.array([-20.0, 2.0, -20.5, 2.5, -1e30, 1e30, 0.0, -3.0, 1.0, np.nan])
LIMITS = (-20.0, 2.0)


class Case(NamedTuple):
    """A call of a backend's chain: `call(xp, *arrays)` returns arrays, or has changed some."""

    kernels: tuple[str, ...]
    call: Callable[..., Any]
    arrays: Callable[[np.random.Generator], list[np.ndarray]]
    dtypes: tuple[str, ...] = ("f2", "f4", "f8")


def normal(*shape: int) -> Callable[[np.random.Generator], np.ndarray]:
    return lambda rng: rng.standard_normal(shape)


def of(*makers: Any) -> Callable[[np.random.Generator], list[np.ndarray]]:
    """The arrays of makers, each a function of a generator or an array."""
    return lambda rng: [m(rng) if callable(m) else np.array(m) for m in makers]


def outcome(changed: int, call: Callable[..., Any]) -> Callable[..., Any]:
    """A call in place as a function: it returns the arrays up to that number."""

    def function(xp: Any, *arrays: Any) -> Any:
        call(xp, *arrays)
        return arrays[:changed]

    return function


def biased(activation: str) -> Callable[..., Any]:
    return outcome(1, lambda xp, y, bias: xp.add_bias_(y, bias, activation))


def sloped(activation: str) -> Callable[..., Any]:
    return outcome(1, lambda xp, g, out: xp.activation_gradient_(g, out, activation))


def squashed(xp: Any, parameters: Any, noise: Any) -> Any:
    return xp.squashed_gaussian(parameters, noise, LIMITS)


def squashed_gradient(xp: Any, *arrays: Any) -> Any:
    return xp.squashed_gaussian_gradient(arrays[:2], *arrays[2:], LIMITS)


def noise_gradient(xp: Any, *arrays: Any) -> Any:
    return xp.squashed_gaussian_noise_gradient(arrays[:2], *arrays[2:], LIMITS)


def adam(
    step: int, largest: bool, beta1: float = 0.9, skip: float | None = None
) -> Callable[..., Any]:
    def change(xp: Any, *arrays: Any) -> None:
        xp.adam_(
            arrays if largest else arrays[:4],
            xp.full(1, step, np.float32),
            None if skip is None else xp.full((), skip, np.float32),
            AdamSettings(lr=1e-2, beta1=beta1, beta2=0.999, eps=1e-8),
        )

    return outcome(5, change)


def counted(skip: float | None) -> Callable[..., Any]:
    def count(xp: Any, steps: Any) -> None:
        xp.count_step_(steps, None if skip is None else xp.full((), skip, np.float32))

    return outcome(1, count)


def watched(xp: Any, value: Any) -> Any:
    """What a watch for three values leaves of which this is the second."""
    first, found = xp.full(1, 9, np.int64), xp.zeros((), np.float32)
    for number, seen in enumerate((xp.zeros_like(value), value, value)):
        xp.watch(seen, number, first, found)
    return first.astype(value.dtype), found.astype(value.dtype)


def positive(*shape: int) -> Callable[[np.random.Generator], np.ndarray]:
    return lambda rng: rng.uniform(0.1, 2, shape)


def gaussian_rows(rng: np.random.Generator) -> list[np.ndarray]:
    """Means and log_std at every edge, each with the other in its middle, and noise."""
    n = len(EDGES)
    means = np.concatenate([EDGES, np.linspace(-1, 1, n), rng.standard_normal(2 * n)])
    log_std = np.concatenate([np.linspace(-2, 0, n), LOG_STD_EDGES, rng.uniform(-2, 0, 2 * n)])
    parameters = np.concatenate([means.reshape(-1, 2), log_std.reshape(-1, 2)], axis=1)
    return [parameters, rng.standard_normal((2 * n, 2))]


def gradient_arrays(rng: np.random.Generator) -> list[np.ndarray]:
    """Gradients of actions and log-probabilities, actions, spreads or noise, and log_std."""
    n = len(LOG_STD_EDGES)
    action = np.tanh(rng.standard_normal((n, 3)) * 4)
    action[0], action[1] = 1, -1  # saturated
    log_std = np.stack([LOG_STD_EDGES, np.linspace(-2, 1, n), rng.uniform(-2, 0, n)], 1)
    return [
        rng.standard_normal((n, 3)), rng.standard_normal((n, 1)), action,
        rng.standard_normal((n, 3)), log_std,
    ]  # fmt: skip


ADAM_ARRAYS = of(normal(7, 5), normal(7, 5), normal(7, 5), positive(7, 5), positive(7, 5))
ADAM_EDGES = of(
    np.ones(5), [0.0, 1e-20, -1e4, np.inf, np.nan], np.zeros(5), np.zeros(5), [0, 0, 1.0, 1, 1]
)
BIAS_EDGES = of(np.tile(EDGES, (3, 1)), [0.0] * 5 + [1.0] * 5)

CASES: dict[str, Case] = {
    "bias": Case(("add_bias_identity",), biased(""), of(normal(6, 4), normal(4))),
    "bias, relu": Case(("add_bias_relu",), biased("relu"), of(normal(6, 4), normal(4))),
    "bias, relu, edges": Case(("add_bias_relu",), biased("relu"), BIAS_EDGES),
    "bias, tanh": Case(("add_bias_tanh",), biased("tanh"), of(normal(2, 3, 4), normal(2, 1, 4))),
    "bias, tanh, edges": Case(("add_bias_tanh",), biased("tanh"), BIAS_EDGES),
    "relu gradient": Case(("relu_gradient",), sloped("relu"), of(normal(6, 4), normal(6, 4))),
    "relu gradient, edges": Case(
        ("relu_gradient",), sloped("relu"), of(np.ones(10), np.maximum(EDGES, 0))
    ),
    "tanh gradient": Case(("tanh_gradient",), sloped("tanh"), of(normal(6, 4), normal(6, 4))),
    "tanh gradient, edges": Case(
        ("tanh_gradient",), sloped("tanh"), of(np.full(10, 3.0), np.tanh(EDGES))
    ),
    "clamped": Case(
        ("clamped",), lambda xp, x: xp.clamped(x, *LIMITS), of(np.append(EDGES, LOG_STD_EDGES))
    ),
    "squashed": Case(("squashed_gaussian",), squashed, of(normal(6, 8), normal(6, 4))),
    "squashed, edges": Case(("squashed_gaussian",), squashed, gaussian_rows, ("f4", "f8")),
    "squashed gradient": Case(("squashed_gaussian_gradient",), squashed_gradient, gradient_arrays),
    "noise gradient": Case(("squashed_gaussian_noise_gradient",), noise_gradient, gradient_arrays),
    "adam, first step": Case(("adam",), adam(1, False), ADAM_ARRAYS, ("f4", "f8")),
    "adam, later": Case(("adam",), adam(1000, False), ADAM_ARRAYS, ("f4", "f8")),
    "adam, edges": Case(("adam",), adam(2, False), ADAM_EDGES, ("f4", "f8")),
    "adam without momentum": Case(("adam",), adam(3, False, 0.0), ADAM_ARRAYS, ("f4", "f8")),
    "adam, skipped": Case(("adam",), adam(3, False, skip=1.0), ADAM_ARRAYS, ("f4",)),
    "adam, not skipped": Case(("adam",), adam(3, False, skip=0.0), ADAM_ARRAYS, ("f4",)),
    "amsgrad, skipped": Case(("amsgrad",), adam(3, True, skip=1.0), ADAM_ARRAYS, ("f4",)),
    "amsgrad": Case(("amsgrad",), adam(3, True), ADAM_ARRAYS, ("f4", "f8")),
    "amsgrad, edges": Case(("amsgrad",), adam(3, True), ADAM_EDGES, ("f4", "f8")),
    **{f"count, skip {skip}": Case(("count_step",), counted(skip), of([3.0, 4.0]), ("f4",))
       for skip in (None, 0.0, 1.0)},
    **{
        f"watch, {value}": Case(("watch",), watched, of([value]))
        for value in (6e4, -1.0, math.inf, -math.inf, math.nan)
    },
    "side by side": Case(
        ("side_by_side",), lambda xp, *a: xp.side_by_side(a), of(normal(6, 4), normal(6, 3))
    ),
    "soft value": Case(
        ("soft_value",), lambda xp, *a: xp.soft_value(*a), of(normal(6, 1), normal(6, 1), [[0.3]])
    ),
    "discounted": Case(
        ("discounted",), lambda xp, *a: xp.discounted(*a),
        of(normal(6, 1), positive(6, 1), normal(6, 1)),
    ),
    "scaled product": Case(
        ("scaled_product",), lambda xp, x, y: xp.scaled_product(x, y, -0.5),
        of(normal(6, 4), normal(1, 4)),
    ),
    "scaled product of what is kept": Case(
        ("scaled_product",), lambda xp, x: xp.scaled_product(x, x > 0, 1.25), of(normal(6, 4))
    ),
    "half mse": Case(
        ("half_square",), lambda xp, *a: xp.half_mse(*a), of(normal(3, 6, 1), normal(6, 1))
    ),
    "half mse gradient": Case(
        ("scaled_product",), lambda xp, *a: xp.half_mse_gradient(*a), of(normal(3), normal(3, 6, 1))
    ),
    "minimum gradient": Case(
        ("minimum_gradient",), lambda xp, *a: xp.minimum_gradient(*a),
        of(normal(6, 2), normal(3, 6, 2)),
    ),
    "minimum gradient, ties": Case(
        ("minimum_gradient",), lambda xp, *a: xp.minimum_gradient(*a),
        of(np.ones(4), [[1.0, 2, 3, np.nan], [1, 1, 4, 2], [1, 1, -np.inf, 1]]),
    ),
    "standardise": Case(
        ("standardise",), lambda xp, *a: xp.standardise(*a, 1.5),
        of(normal(6, 4), normal(4), positive(4)),
    ),
    "standardise, edges": Case(
        ("standardise",), lambda xp, *a: xp.standardise(*a, 10.0), of(EDGES, np.ones(10), [2.0])
    ),
    "lerp": Case(
        ("lerp",),
        outcome(1, lambda xp, a, b: xp.lerp_(a, b, 0.005)),
        of(normal(6, 4), normal(6, 4)),
    ),
    "lerp, edges": Case(
        ("lerp",), outcome(1, lambda xp, a, b: xp.lerp_(a, b, 0.5)), of(EDGES, np.ones(10))
    ),
}  # fmt: skip
DRAWN = {"uniform", "normal", "integers", "bits"}  # below
TESTED = {name for case in CASES.values() for name in case.kernels} | DRAWN


def same(xp: Any, array: Any) -> Any:
    return array


def transposed(xp: Any, array: Any) -> Any:
    """The same elements, column after column in memory."""
    return xp.asfortranarray(array)


def strided(xp: Any, array: Any) -> Any:
    """The same elements in every other place of memory."""
    if not array.ndim:
        return array
    wide = xp.zeros((*array.shape, 2), array.dtype)
    wide[..., 0] = array
    return wide[..., 0]


@pytest.mark.parametrize("layout", [same, transposed, strided])
@pytest.mark.parametrize(
    ("name", "dtype"), [(name, dtype) for name, case in CASES.items() for dtype in case.dtypes]
)
def test_a_kernel_does_what_its_numpy_form_does(
    name: str, dtype: str, layout: Callable[..., Any], cuda: str
) -> None:
    case, xp = CASES[name], backend.cuda()
    with np.errstate(all="ignore"):
        arrays = [a.astype(dtype) for a in case.arrays(np.random.default_rng(0))]
        mine = case.call(xp, *(layout(xp, xp.from_numpy(a)) for a in arrays))
        reference = case.call(NUMPY, *(a.astype("f8" if dtype == "f8" else "f4") for a in arrays))
    several = isinstance(mine, tuple)
    for found, expected in zip(
        mine if several else [mine], reference if several else [reference], strict=True
    ):
        assert found.dtype == dtype
        with np.errstate(all="ignore"):
            expected = expected.astype(dtype)
        np.testing.assert_allclose(
            xp.to_numpy(found), expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype]
        )


def test_every_kernel_is_tested() -> None:
    elsewhere = {"report_wrong_index", "write_records", "read_records"}  # by tests of their users
    assert KERNELS.keys() == TESTED | elsewhere


def philox(key: int, counter: int) -> list[int]:
    """Salmon et al. 2011: Philox4x32 with ten rounds, in whole numbers of Python."""
    x, keys = [counter & 0xFFFFFFFF, counter >> 32, 0, 0], [key & 0xFFFFFFFF, key >> 32]
    for _ in range(10):
        a, b = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        low, high = 0xFFFFFFFF, 32
        x = [(b >> high) ^ x[1] ^ keys[0], b & low, (a >> high) ^ x[3] ^ keys[1], a & low]
        keys = [(keys[0] + 0x9E3779B9) & low, (keys[1] + 0xBB67AE85) & low]
    return x


def words(key: int, counter: int, count: int) -> np.ndarray:
    """The numbers of 64 bits, two a counter."""
    parts = [philox(key, (counter + i) % 2**64) for i in range((count + 1) // 2)]
    pairs = [(x[2 * half] << 32) | x[2 * half + 1] for x in parts for half in (0, 1)]
    return np.array(pairs[:count], np.uint64)


def test_philox_has_the_published_numbers() -> None:
    """The first of the known answers that come with Random123."""
    assert philox(0, 0) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


def drawn(name: str, dtype: Any, count: int, key: int, counter: int, *parameters: Any) -> Any:
    xp = backend.cuda()
    out = xp.empty(count, dtype)
    xp.kernel(name)(np.uint64(key), np.uint64(counter), *parameters, out)
    return xp.to_numpy(out)


@pytest.mark.parametrize(
    ("key", "counter"), [(0, 0), (2**64 - 1, 2**64 - 2), (0x0123456789ABCDEF, 2**33 + 5)]
)
def test_random_numbers_are_functions_of_key_and_counter(key: int, counter: int, cuda: str) -> None:
    bits = words(key, counter, 9)
    np.testing.assert_array_equal(drawn("bits", "u8", 9, key, counter), bits)
    np.testing.assert_array_equal(drawn("uniform", "f8", 9, key, counter), (bits >> 11) / 2**53)
    np.testing.assert_array_equal(drawn("uniform", "f4", 9, key, counter), (bits >> 40) / 2**24)
    integers = drawn("integers", "i8", 9, key, counter, -3, np.uint64(10))
    np.testing.assert_array_equal(integers, (bits % np.uint64(10)).astype("i8") - 3)
    first, second = words(key, counter, 10).reshape(-1, 2).T
    radius = np.sqrt(-2 * np.log(((first >> 11) + 1.0) / 2**53))
    angle = 2 * np.pi * ((second >> 11) / 2**53)
    expected = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).ravel()[:9]
    np.testing.assert_allclose(drawn("normal", "f8", 9, key, counter), expected, atol=1e-14)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_normal_numbers_have_the_moments_of_their_distribution(dtype: str, cuda: str) -> None:
    x = drawn("normal", dtype, 40_000, 7, 0).astype("f8")
    assert np.isfinite(x).all()
    for power, moment in [(1, 0), (2, 1), (3, 0), (4, 3)]:
        assert abs((x**power).mean() - moment) < 0.15
    assert abs((x[::2] * x[1::2]).mean()) < 0.03  # both of a pair, independent
