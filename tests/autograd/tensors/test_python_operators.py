"""Python's operators, `out=` and NumPy's names of arguments."""

import operator
import warnings
from typing import Any

import numpy as np
import pytest

from tests.autograd.untyped import torch

BINARY = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.pow,
    operator.floordiv, operator.mod,
]  # fmt: skip
IN_PLACE = [operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ipow]


@pytest.mark.parametrize("function", BINARY)
def test_number_on_either_side(function: Any) -> None:
    values = np.array([0.7, 2.3], np.float32)
    x = torch.tensor(values)
    for ours, numpys in [
        (function(x, 1.5), function(values, 1.5)),
        (function(1.5, x), function(1.5, values)),
        (function(np.float64(1.5), x), function(1.5, values)),
    ]:
        assert ours.dtype is torch.float32
        np.testing.assert_allclose(ours.numpy(), numpys, rtol=1e-6)


@pytest.mark.parametrize("function", BINARY)
def test_array_on_the_right_only(function: Any) -> None:
    x, array = torch.tensor([0.7, 2.3], dtype=torch.float64), np.array([1.5, 0.5])
    np.testing.assert_allclose(function(x, array).numpy(), function(x.numpy(), array))
    with pytest.raises(RuntimeError, match=r"Can't call numpy\(\)"):
        function(x.requires_grad_(), array)


@pytest.mark.parametrize("function", [f for f in BINARY if f is not operator.truediv])
def test_array_on_the_left_is_refused(function: Any) -> None:
    with pytest.raises(TypeError):
        function(np.ones(2), torch.ones(2))


@pytest.mark.parametrize("requires_grad", [False, True])
def test_equality_with_an_array_is_element_by_element(requires_grad: bool) -> None:
    x, array = torch.tensor([1.0, 2.0], requires_grad=requires_grad), np.array([1.0, 3.0])
    for result, expected in [
        (array == x, [True, False]), (x == array, [True, False]),
        (array != x, [False, True]), (x != array, [False, True]),
        (np.array(1) == x, [True, False]), (x == np.float64(1), [True, False]),
    ]:  # fmt: skip
        assert (result.dtype, result.tolist()) == (torch.bool, expected)
    with pytest.raises(RuntimeError, match="must match the size of tensor b"):
        _ = x == np.ones(3)
    assert (x == np.array("1")) is False
    with pytest.raises(TypeError, match="not supported between"):
        _ = array < x


def test_functions_of_numpy_answer_with_tensors() -> None:
    x, array = torch.tensor([1.0, 2.0]), np.array([1.0, 3.0])
    for result, expected in [
        (np.exp(x), torch.tensor(np.exp(np.array([1.0, 2.0], np.float32)))),
        (np.add(1.0, x), torch.tensor([2.0, 3.0])),
        (np.add(array, x), torch.tensor([2.0, 5.0], dtype=torch.float64)),
        (np.matmul(x, array), torch.tensor(7.0, dtype=torch.float64)),
        (x @ array, torch.tensor(7.0, dtype=torch.float64)),
        (array / x, torch.tensor([1.0, 1.5], dtype=torch.float64)),
        (np.modf(x)[1], torch.tensor([1.0, 2.0])),
        (np.add.reduce(x), torch.tensor(3.0)),
        (np.isfinite(x), torch.tensor([1, 1], dtype=torch.uint8)),  # not bool, as in torch
    ]:
        assert type(result) is torch.Tensor
        assert result.dtype is expected.dtype
        assert torch.equal(result, expected)
    assert np.exp(x, out=array) is array
    with pytest.raises(TypeError, match=r"can't convert np\.ndarray of type complex64"):
        np.multiply(x, 1j)
    for call in (np.exp, lambda x: np.add(1.0, x), lambda x: x @ array, lambda x: array / x):
        with pytest.raises(RuntimeError, match=r"Can't call numpy\(\)"):
            call(x.clone().requires_grad_())


@pytest.mark.parametrize("function", IN_PLACE)
def test_in_place_keeps_the_tensor(function: Any) -> None:
    x = torch.tensor([0.7, 2.3])
    before = x.clone()
    assert function(x, 2) is x
    expected = {
        operator.iadd: before + 2, operator.isub: before - 2, operator.imul: before * 2,
        operator.itruediv: before / 2, operator.ipow: before**2,
    }[function]  # fmt: skip
    assert torch.equal(x, expected)


def test_comparison_with_what_is_no_number() -> None:
    x = torch.ones(2)
    assert (x == None) is False  # noqa: E711
    assert (x != "x") is True
    with pytest.raises(TypeError, match="not supported between"):
        _ = x < None


@pytest.mark.parametrize("function", BINARY)
@pytest.mark.parametrize("other", [None, "a", [1.0, 2.0]])
def test_what_is_no_number_is_refused(function: Any, other: Any) -> None:
    with pytest.raises(TypeError):
        function(torch.ones(2), other)


def test_a_class_of_the_user_may_take_over() -> None:
    class Mine:
        def __radd__(self, other: Any) -> str:
            return "mine"

    assert torch.ones(2) + Mine() == "mine"


def test_functions_refuse_arrays() -> None:
    for call in [
        lambda: torch.add(torch.ones(2), np.ones(2)),
        lambda: torch.mul(np.ones(2), torch.ones(2)),
        lambda: torch.exp(np.ones(2)),
        lambda: torch.where(torch.ones(2) > 0, np.ones(2), 1.0),
    ]:
        with pytest.raises(TypeError, match="must be Tensor"):
            call()


def test_shapes_that_do_not_broadcast() -> None:
    with pytest.raises(
        RuntimeError, match=r"\(3\) must match the size of tensor b \(4\) at non-si"
    ):
        torch.ones(2, 3) + torch.ones(4)
    with pytest.raises(RuntimeError, match="at non-singleton dimension 1"):
        torch.where(torch.ones(2, 3) > 0, torch.ones(1, 2), 0.0)


def test_out_receives_the_result() -> None:
    out = torch.zeros(2)
    address = out.data_ptr()
    assert torch.add(torch.ones(2), torch.ones(2), alpha=3, out=out) is out
    assert (out.tolist(), out.data_ptr(), out._version) == ([4.0, 4.0], address, 1)


def test_out_of_another_shape_is_resized() -> None:
    empty = torch.empty(0)
    assert torch.exp(torch.zeros(3), out=empty).shape == (3,)
    with pytest.warns(UserWarning, match="was resized"):
        assert torch.exp(torch.zeros(3), out=torch.zeros(2)).shape == (3,)


def test_out_has_no_part_in_the_graph() -> None:
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="don't support automatic differentiation"):
        torch.add(x, 1, out=torch.zeros(2))
    with torch.no_grad():
        assert torch.add(x, 1, out=torch.zeros(2)).tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError, match="can't be cast to the desired output type"):
        torch.exp(torch.zeros(2), out=torch.zeros(2, dtype=torch.int64))


def test_numpys_names_of_arguments() -> None:
    x = torch.arange(6.0).reshape(2, 3)
    assert torch.equal(x.sum(axis=1, keepdims=True), x.sum(1, True))
    assert torch.equal(torch.softmax(x, axis=0), torch.softmax(x, 0))
    assert torch.equal(x.max(axis=1).indices, x.max(1).indices)


def test_named_results() -> None:
    result = torch.tensor([[1.0, 3.0, 2.0]]).max(1)
    assert isinstance(result, tuple)
    assert repr(result) == "torch.return_types.max(\nvalues=tensor([3.]),\nindices=tensor([1]))"


def test_too_few_elements_for_a_variance() -> None:
    with pytest.warns(UserWarning, match="degrees of freedom"):
        assert torch.isnan(torch.ones(1).std())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.ones(1).var(correction=0) == 0


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda k: k // 0, RuntimeError, "ZeroDivisionError"),
        (lambda k: k % torch.tensor([1, 0]), RuntimeError, "ZeroDivisionError"),
        (lambda k: k**-1, RuntimeError, "Integers to negative integer powers"),
        (lambda k: 1 - (k > 0), RuntimeError, "with a bool tensor is not supported"),
        (lambda k: -(k > 0), RuntimeError, "Negation"),
        (lambda k: k.mean(), RuntimeError, "could not infer output dtype"),
        (lambda k: k.sum(2), IndexError, "Dimension out of range"),
        (lambda k: k.sum((0, 0)), RuntimeError, "appears multiple times"),
        (lambda k: k[:0].max(), RuntimeError, "Expected reduction dim"),
        (lambda k: torch.clamp(k), RuntimeError, "At least one of 'min' or 'max'"),
        (lambda k: torch.div(k, 2, rounding_mode="up"), RuntimeError, "rounding_mode"),
        (lambda k: (k * 1.0).requires_grad_().floor_divide(2).sum().backward(), RuntimeError,
         "derivative for aten::floor_divide is not implemented"),
        (lambda k: torch.topk(k, 3), RuntimeError, "out of range"),
    ],
)  # fmt: skip
def test_refusals(call: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call(torch.tensor([1, 2]))


def test_powers_of_integers() -> None:
    k = torch.tensor([2, -1, 1, 0])
    assert (k ** torch.tensor([-1, -3, -2, -1])).tolist() == [0, -1, 1, 0]
    assert (torch.tensor([100], dtype=torch.int8) + 300).tolist() == [-112]
