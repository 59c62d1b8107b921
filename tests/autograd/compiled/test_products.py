"""Products of matrices, of each kind of kernel, with odd sizes and with what follows them."""

from typing import Any

import numpy as np
import pytest

from autograd.backend import NUMPY
from tests.autograd.compiled.drivers import assert_as_numpy, assert_close, compiled

SIZES = (1, 2, 7, 8, 13, 16, 17, 33, 65)


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("m", SIZES)
@pytest.mark.parametrize("columns", SIZES)
def test_sizes(m: int, columns: int) -> None:
    for depth in (1, 5, 16, 40):
        first, second = numbers(m, depth), numbers(depth, columns)
        assert_as_numpy(lambda xp, a, b: xp.matmul(a, b), first, second)
        assert_as_numpy(lambda xp, a, b: xp.matmul(a.T, b), first.T.copy(), second)
        assert_as_numpy(lambda xp, a, b: xp.matmul(a, b.T), first, second.T.copy())


KINDS: dict[str, tuple[tuple[int, int, int], list[str]]] = {
    "rows by packed weights": ((100, 40, 70), ["PACK", "PRODUCT"]),
    "few columns": ((100, 40, 3), ["ELEMENTWISE", "DOTS"]),
    "few columns and terms": ((100, 5, 3), ["PACK", "PRODUCT"]),
    "few rows": ((5, 40, 70), ["STRIPS"]),
}


@pytest.mark.parametrize(("sizes", "ops"), KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("networks", [0, 1, 2, 3])
def test_kinds(sizes: tuple[int, int, int], ops: list[str], networks: int) -> None:
    m, depth, columns = sizes
    stack = (networks,) if networks else ()
    first, second = numbers(*stack, m, depth), numbers(*stack, depth, columns, seed=1)
    assert_as_numpy(lambda xp, a, b: xp.matmul(a, b), first, second, ops=ops)
    if networks:  # one matrix for all networks, on either side
        assert_as_numpy(lambda xp, a, b: xp.matmul(a, b), first[0], second)
        assert_as_numpy(lambda xp, a, b: xp.matmul(a, b), first, second[0])
    transposed = np.ascontiguousarray(np.swapaxes(second, -1, -2))
    assert_as_numpy(lambda xp, a, b: xp.matmul(a, np.swapaxes(b, -1, -2)), first, transposed)


@pytest.mark.parametrize("networks", [0, 2])
@pytest.mark.parametrize(("rows", "columns"), [(13, 40), (40, 13), (130, 3), (64, 64), (3, 200)])
def test_sums_over_samples(networks: int, rows: int, columns: int) -> None:
    stack = (networks,) if networks else ()
    x, g = numbers(*stack, 100, rows), numbers(*stack, 100, columns, seed=1)
    assert_as_numpy(lambda xp, a, b: xp.matmul(np.swapaxes(a, -1, -2), b), x, g, ops=["STRIPS"])


@pytest.mark.parametrize("activation", ["", "relu", "tanh"])
@pytest.mark.parametrize("columns", [3, 33, 64])
@pytest.mark.parametrize("networks", [0, 2])
def test_layers(activation: str, columns: int, networks: int) -> None:
    """The bias and the activation are part of the product, as is the mask of the gradient."""
    stack = (networks,) if networks else ()
    x, weight = numbers(*stack, 50, 40), numbers(*stack, 40, columns, seed=1)
    bias, g = numbers(*stack, 1, columns, seed=2), numbers(*stack, 50, columns, seed=3)
    if not networks:
        bias = bias[0]

    def function(xp: Any, x: Any, weight: Any, bias: Any, g: Any) -> Any:
        y = xp.matmul(x, weight)
        xp.add_bias_(y, bias, activation)
        back = xp.matmul(g, np.swapaxes(weight, -1, -2))
        if activation:
            xp.activation_gradient_(back, x, activation)
        return y, back

    packed = "ELEMENTWISE" if columns == 3 else "PACK"
    ops = [packed, "DOTS" if columns == 3 else "PRODUCT"]
    ops += ["ELEMENTWISE"] * (activation == "tanh") + ["PACK", "PRODUCT"]
    ops += ["ELEMENTWISE"] * 3 * (activation == "tanh")
    assert_as_numpy(function, x, weight, bias, g, ops=ops)


def test_a_product_that_others_have_read_keeps_its_numbers() -> None:
    def function(xp: Any, x: Any, weight: Any, bias: Any) -> Any:
        y = xp.matmul(x, weight)
        before = y * 2.0
        xp.add_bias_(y, bias, "relu")
        return before, y

    assert_as_numpy(function, numbers(40, 20), numbers(20, 30), numbers(30))


def test_bias_of_another_array_is_not_the_products() -> None:
    def function(xp: Any, x: Any, weight: Any, bias: Any) -> Any:
        other = x * 2.0
        y = xp.matmul(x, weight)
        xp.add_bias_(other, bias, "relu")
        return y, other

    assert_as_numpy(function, numbers(40, 20), numbers(20, 20), numbers(20))


def test_weights_that_change_are_packed_anew() -> None:
    def function(xp: Any, x: Any, weight: Any) -> Any:
        first = xp.matmul(x, weight)
        weight *= 2.0
        return first, xp.matmul(x, weight)

    ops = ["PACK", "PRODUCT", "ELEMENTWISE", "PACK", "PRODUCT"]
    assert_as_numpy(function, numbers(40, 20), numbers(20, 30), ops=ops)


def test_weights_are_packed_once() -> None:
    ops = ["PACK", "PRODUCT", "PRODUCT"]
    assert_as_numpy(
        lambda xp, x, w: (xp.matmul(x, w), xp.matmul(x, w)), numbers(40, 20), numbers(20, 30),
        ops=ops,
    )  # fmt: skip


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("is_masked", [False, True])
def test_rows_of_zeros(share: float, is_masked: bool) -> None:
    """They are left out, and give rows of zeros; a row with one other number is not one."""
    x = numbers(2, 90, 40) * (np.random.default_rng(1).random((2, 90, 1)) < share).astype("f4")
    x[:, 7] = 0
    x[0, 7, 39] = 1

    def function(xp: Any, x: Any, weight: Any, mask: Any) -> Any:
        g = xp.matmul(x, weight)
        if is_masked:
            xp.activation_gradient_(g, mask, "relu")
        return g

    assert_as_numpy(function, x, numbers(2, 40, 33), numbers(2, 90, 33), ops=["PACK", "PRODUCT"])


def test_not_a_number_is_passed_on() -> None:
    for columns in (3, 40):
        x = np.zeros((50, 20), np.float32)
        x[3, 7] = np.nan
        ours = compiled(lambda xp, a, b: xp.matmul(a, b), x, numbers(20, columns))
        assert np.isnan(ours[3]).all() and not np.isnan(ours[:3]).any()

    def layer(xp: Any, a: Any, w: Any, b: Any) -> Any:
        y = xp.matmul(a, w)
        xp.add_bias_(y, b, "relu")
        return y

    ours = compiled(layer, x, numbers(20, 40), numbers(40))
    assert np.isnan(ours[3]).all() and not np.isnan(ours[4:]).any()


@pytest.mark.parametrize("shape", [(64, 33), (9, 8), (2, 64, 33), (2, 8, 100), (4, 4)])
def test_outer_products(shape: tuple[int, ...]) -> None:
    *stack, rows, columns = shape
    column, row = numbers(*stack, rows, 1), numbers(*stack, 1, columns)
    assert_as_numpy(lambda xp, a, b: a * b, column, row, is_exact=True)


@pytest.mark.parametrize("view", ["rows", "columns", "backwards"])
def test_views(view: str) -> None:
    def function(xp: Any, x: Any, weight: Any) -> Any:
        parts = {
            "rows": (x[::2], weight), "columns": (x[:, 3:23], weight[:20]),
            "backwards": (x[::-1], weight[:, ::-1]),
        }  # fmt: skip
        first, second = parts[view]
        return xp.matmul(first, second), xp.matmul(second.T, first.T)

    assert_as_numpy(function, numbers(60, 40), numbers(40, 35))


def test_into_a_part_of_an_array() -> None:
    def function(xp: Any, x: Any, weight: Any, out: Any) -> Any:
        xp.matmul(x, weight, out[:, 5:40])
        return out

    assert_as_numpy(function, numbers(60, 40), numbers(40, 35), numbers(60, 50))


def test_error_of_a_long_sum() -> None:
    """The sum over a batch of 4,096: each product is a float32, so the error grows as its root."""
    x, g = np.abs(numbers(4096, 16)), np.abs(numbers(4096, 40))
    ours = compiled(lambda xp, a, b: xp.matmul(a.T, b), x, g)
    assert_close(ours, NUMPY.matmul(x.T.astype("f8"), g))


def test_gradient_passes_a_rectifier_whose_result_is_not_a_number() -> None:
    """As in torch; where the result is 0, nothing passes."""

    def gradient(xp: Any, g: Any, out: Any) -> Any:
        g = xp.copy(g, xp.empty(g.shape, np.float32)) if xp is not NUMPY else g.copy()
        xp.activation_gradient_(g, out, "relu")
        return g

    g, out = np.full((20, 3), 2.0, np.float32), np.ones((20, 3), np.float32)
    out[3], out[5] = np.nan, 0
    for found in (gradient(NUMPY, g, out), compiled(gradient, g, out)):
        assert found[3:6, 0].tolist() == [2, 2, 0]
