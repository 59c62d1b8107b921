"""Operations element by element: the same numbers as NumPy's, whatever the memory looks like."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd.compiled.instructions import NotCompiledError
from tests.autograd.compiled.drivers import assert_as_numpy, compiled

OF_ONE = [np.negative, np.absolute, np.square, np.sign, np.sqrt, np.positive, np.reciprocal]
OF_TWO = [
    np.add, np.subtract, np.multiply, np.true_divide, np.maximum, np.minimum, np.less,
    np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal,
]  # fmt: skip
OF_TRUTH = [np.logical_and, np.logical_or, np.bitwise_and, np.bitwise_or, np.multiply]
# Around the widths of vectors, the block of the kernel (256), and the part of a task (4096).
SIZES = (1, 3, 4, 7, 8, 15, 16, 17, 31, 33, 255, 256, 257, 511, 513, 4095, 4097, 9000)
SPECIAL = np.array([0.0, -0.0, 1.0, -2.5, 1e-45, -1e-40, 3e38, np.inf, -np.inf, np.nan], np.float32)


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def pairs() -> tuple[np.ndarray, np.ndarray]:
    """Every special number beside every other, whatever place in a vector they have."""
    first, second = np.meshgrid(SPECIAL, SPECIAL)
    return np.tile(first.reshape(-1), 7), np.tile(second.reshape(-1), 7)


@pytest.mark.parametrize("ufunc", OF_ONE)
@np.errstate(all="ignore")
def test_functions_of_one(ufunc: Callable[..., Any]) -> None:
    every = np.concatenate([np.abs(numbers(777)), np.tile(SPECIAL, 9)])
    assert_as_numpy(lambda xp, x: ufunc(x), every, is_exact=True, ops=["ELEMENTWISE"])
    assert_as_numpy(lambda xp, x: ufunc(x, out=x), every, is_exact=True)


@pytest.mark.parametrize("ufunc", OF_TWO)
@np.errstate(all="ignore")
def test_functions_of_two(ufunc: Callable[..., Any]) -> None:
    assert_as_numpy(lambda xp, x, y: ufunc(x, y), *pairs(), is_exact=True, ops=["ELEMENTWISE"])
    assert_as_numpy(lambda xp, x: ufunc(x, 0.5), numbers(65), is_exact=True)


@pytest.mark.parametrize("ufunc", OF_TRUTH)
def test_functions_of_truth(ufunc: Callable[..., Any]) -> None:
    first, second = numbers(2, 1000) > 0
    assert_as_numpy(lambda xp, x, y: ufunc(x, y), first, second, is_exact=True)


@pytest.mark.parametrize("size", (1, 7, 257, 9000))
def test_bytes_are_read_as_numbers(size: int) -> None:
    images = np.arange(2 * size).reshape(2, size).astype(np.uint8)
    factor = np.float32(1 / 255)
    assert_as_numpy(lambda xp, x: x.astype(np.float32) * factor, images, is_exact=True)
    assert_as_numpy(lambda xp, x: x.T.astype(np.float32), images, is_exact=True)
    assert_as_numpy(lambda xp, x, y: x * y, images, numbers(2, size), is_exact=True)


def test_images_stay_with_their_channels_last() -> None:
    def of_images(xp: Any, x: Any, bias: Any) -> Any:
        images = x.transpose(0, 3, 1, 2)
        out = images * np.float32(0.5) + bias
        out = np.where(images > 0, out, np.float32(0))
        assert out.transpose(0, 2, 3, 1).flags.c_contiguous
        return out, images.astype(np.float32), out.reshape(3, -1)

    x, bias = numbers(3, 5, 6, 4), numbers(4, 1, 1, seed=1)
    assert_as_numpy(of_images, x, bias, is_exact=True)


@pytest.mark.parametrize("dtype", (np.uint8, np.int64))
def test_whole_numbers_are_not_written(dtype: Any) -> None:
    whole = np.array([[3, 200]], dtype)
    for function in (
        lambda xp, x: x.copy(),
        lambda xp, x: np.concatenate([x, x]),
        lambda xp, x: np.add(x, x),
    ):
        with pytest.raises(NotCompiledError):
            compiled(function, whole)


@pytest.mark.parametrize("size", SIZES)
def test_sizes(size: int) -> None:
    first, second = numbers(2, size)
    assert_as_numpy(lambda xp, x, y: x - y, first, second, is_exact=True)
    assert_as_numpy(lambda xp, x, y: np.multiply(x, y, out=y), first, second, is_exact=True)
    assert_as_numpy(lambda xp, x, y: xp.where(x > y, x, y), first, second, is_exact=True)
    assert_as_numpy(lambda xp, x: x > 0, first, is_exact=True)


SHAPES: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((), ()), ((5,), ()), ((1,), (7,)), ((9, 1), (1, 33)), ((3, 1, 7), (40, 1)),
    ((20, 300), (300,)), ((20, 300), (20, 1)), ((2, 3, 4, 5), (3, 1, 5)),
    ((2, 1, 9, 1), (1, 3, 1, 300)), ((64, 1), (64, 1)),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second"), SHAPES)
def test_broadcasting(first: tuple[int, ...], second: tuple[int, ...]) -> None:
    arrays = numbers(*first), numbers(*second, seed=1)
    assert_as_numpy(lambda xp, x, y: x + y, *arrays, is_exact=True)
    assert_as_numpy(lambda xp, x, y: xp.where(y > 0, x, 2.0), *arrays, is_exact=True)
    assert_as_numpy(lambda xp, x, y: np.less(x, y), *arrays, is_exact=True)


VIEWS: dict[str, Callable[[Any], Any]] = {
    "transposed": lambda x: x.T,
    "every second": lambda x: x[:, ::2],
    "backwards": lambda x: x[::-1],
    "backwards in rows": lambda x: x[:, ::-1],
    "a column": lambda x: x[:, 3],
    "inside": lambda x: x[1:, 1:-1],
    "one element": lambda x: x[2:3, 3],
    "a new dimension": lambda x: x[:, None, :5],
    "reshaped": lambda x: x.reshape(-1)[3:],
}  # fmt: skip


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_views_are_read_and_written(view: Callable[[Any], Any]) -> None:
    array = numbers(40, 34)

    def written(xp: Any, x: Any) -> Any:
        view(x)[...] = view(x) * 2.0
        return x

    def added(xp: Any, x: Any, y: Any) -> Any:
        part = view(y)
        part += view(x)
        return y

    assert_as_numpy(lambda xp, x: view(x) * view(x), array, is_exact=True)
    assert_as_numpy(written, array, is_exact=True)
    assert_as_numpy(added, array, numbers(40, 34, seed=1), is_exact=True)
    assert_as_numpy(lambda xp, x: np.negative(view(x > 0).astype(np.float32)), array, is_exact=True)


def test_truth_is_written_into_views() -> None:
    def function(xp: Any, x: Any, y: Any) -> Any:
        truth = xp.zeros(x.shape, np.bool_)
        np.less(x[:, ::2], y[:, ::2], out=truth[:, ::2])
        return truth

    assert_as_numpy(function, *numbers(2, 9, 50), is_exact=True)


def test_whole_numbers_become_floats() -> None:
    whole = np.arange(-600, 600)
    assert_as_numpy(lambda xp, x: x.astype(np.float32), whole, is_exact=True)


def test_a_condition_may_be_any_number() -> None:
    conditions = np.tile(SPECIAL, 30)
    first, second = numbers(2, 300)
    assert_as_numpy(lambda xp, c, x, y: np.where(c, x, y), conditions, first, second, is_exact=True)


def test_signs_of_zero_as_numbers() -> None:
    """1 / -0.0 is another number than 1 / 0.0, so they are two constants."""
    with np.errstate(all="ignore"):
        assert_as_numpy(
            lambda xp, x: (x / 0.0, x / -0.0, x / 0.0), np.ones(3, np.float32), is_exact=True
        )


def test_arrays_are_joined_and_cut() -> None:
    first, second = numbers(9, 4), numbers(9, 7)
    assert_as_numpy(
        lambda xp, x, y: np.concatenate([x, y, x], axis=1), first, second, is_exact=True
    )
    assert_as_numpy(lambda xp, x: np.clip(x, -0.5, 0.5), first, is_exact=True)


@pytest.mark.parametrize("activation", ["", "relu", "tanh"])
@pytest.mark.parametrize("rows", [1, 40])
def test_bias_and_activation(activation: str, rows: int) -> None:
    def function(xp: Any, y: Any, bias: Any, g: Any) -> Any:
        xp.add_bias_(y, bias, activation)
        if activation:
            xp.activation_gradient_(g, y, activation)
        return y, g

    y, g = numbers(2, 2, rows, 33)
    assert_as_numpy(function, y, numbers(2, 1, 33), g)


@pytest.mark.parametrize(
    "function",
    [
        lambda xp, x: np.add(x[1:], x[:-1], out=x[1:]),
        lambda xp, x: np.add(x[:-1], 1.0, out=x[1:]),
        lambda xp, x: np.add(x, x.T, out=x),
        lambda xp, x: np.negative(x[::-1], out=x),
    ],
)
def test_a_result_on_top_of_shifted_operands_is_as_numpys(function: Callable[..., Any]) -> None:
    """NumPy copies such operands first; a kernel would read what it has just written."""
    array = numbers(12, 12)
    try:
        assert_as_numpy(function, array, is_exact=True)
    except NotCompiledError:
        pass


@pytest.mark.parametrize(
    "function",
    [
        lambda xp, x: np.add.accumulate(x),
        lambda xp, x: x.astype(np.float64),
        lambda xp, x: np.floor(x),
        lambda xp, x: x * np.float64(2),
        lambda xp, x: float(x[0, 0]),
        lambda xp, x: x.item(0),
        lambda xp, x: bool(x[0, 0] > 0),
        lambda xp, x: np.add(x, x, where=x > 0),
        lambda xp, x: x * float("nan"),
        lambda xp, x: x[[0, 1]],
        lambda xp, x: x.reshape(2, 1, 2, 1, 2, 1) + x.reshape(1, 2, 1, 2, 1, 2),
    ],
)  # fmt: skip
def test_what_has_no_kernel_is_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(NotCompiledError):
        compiled(function, numbers(2, 4))


@pytest.mark.parametrize("size", (1, 7, 257, 9000))
@np.errstate(all="ignore")
def test_scaled_products(size: int) -> None:
    """Of what is kept or not, too, side by side and not."""
    kept = numbers(3, size) > 0
    x = np.resize(np.concatenate([SPECIAL, numbers(50)]), (3, size))
    for y in (kept, numbers(3, size), numbers(size)):
        assert_as_numpy(
            lambda xp, x, y: xp.scaled_product(x, y, 1.25), x, y, is_exact=True, ops=["ELEMENTWISE"]
        )
    transposed = np.ascontiguousarray(kept.T)
    assert_as_numpy(lambda xp, x, y: xp.scaled_product(x, y.T, 1.25), x, transposed, is_exact=True)
