"""The text of tensors, as torch 2.13 writes it."""

from typing import Any

import pytest

import autograd
from autograd import tensor

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (1, "tensor(1)"),
        (1.5, "tensor(1.5000)"),
        (True, "tensor(True)"),
        ([], "tensor([])"),
        ([1.0, 2.0], "tensor([1., 2.])"),
        ([1.0, 2.5], "tensor([1.0000, 2.5000])"),
        ([0.0, -0.0], "tensor([0., -0.])"),
        ([1.0, NAN, INF, -INF], "tensor([1., nan, inf, -inf])"),
        ([1.5, NAN, INF], "tensor([1.5000,    nan,    inf])"),
        ([NAN, INF], "tensor([nan, inf])"),
        ([1e-5, 1.0], "tensor([1.0000e-05, 1.0000e+00])"),
        ([1e9, 1.0], "tensor([1.0000e+09, 1.0000e+00])"),
        ([1000.0, 1.0], "tensor([1000.,    1.])"),
        ([1001.0, 1.0], "tensor([1.0010e+03, 1.0000e+00])"),
        ([0.00012, 0.1], "tensor([0.0001, 0.1000])"),
        ([1e-5], "tensor([1.0000e-05])"),
        ([123456.7], "tensor([123456.7031])"),
        ([-1, 10, 100], "tensor([ -1,  10, 100])"),
        ([True, False], "tensor([ True, False])"),
        ([[1, 2], [3, 4]], "tensor([[1, 2],\n        [3, 4]])"),
        ([[[1.0]], [[2.0]]], "tensor([[[1.]],\n\n        [[2.]]])"),
    ],
)
def test_numbers(data: Any, text: str) -> None:
    assert repr(tensor(data)) == str(tensor(data)) == text


def test_suffixes() -> None:
    leaf = tensor([1.0], requires_grad=True)
    assert repr(leaf) == "tensor([1.], requires_grad=True)"
    assert repr(leaf * 2) == "tensor([2.], grad_fn=<MulBackward0>)"
    assert repr(leaf.double()) == "tensor([1.], dtype=torch.float64, grad_fn=<ToCopyBackward0>)"
    assert repr(tensor([1], dtype=autograd.int32)) == "tensor([1], dtype=torch.int32)"
    assert repr(tensor([1.0], dtype=autograd.float16)) == "tensor([1.], dtype=torch.float16)"
    assert repr(autograd.zeros(0, 3)) == "tensor([], size=(0, 3))"
    assert repr(autograd.zeros(0, dtype=autograd.int64)) == "tensor([], dtype=torch.int64)"
    with autograd.no_grad():
        assert repr(leaf * 2) == "tensor([2.])"


def test_lines_are_broken_at_eighty() -> None:
    assert repr(autograd.arange(30)) == (
        "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,\n"
        "        18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29])"
    )
    wide = autograd.ones(9, dtype=autograd.float64, requires_grad=True) / 3
    assert repr(wide) == (
        "tensor([0.3333, 0.3333, 0.3333, 0.3333, 0.3333, 0.3333, 0.3333, 0.3333, 0.3333],\n"
        "       dtype=torch.float64, grad_fn=<DivBackward0>)"
    )


def test_large_tensors_are_summarised() -> None:
    assert repr(autograd.arange(1000)).count("\n") == 71
    assert repr(autograd.arange(1001)) == "tensor([   0,    1,    2,  ...,  998,  999, 1000])"
    assert repr(autograd.arange(2000).view(2, 1000)) == (
        "tensor([[   0,    1,    2,  ...,  997,  998,  999],\n"
        "        [1000, 1001, 1002,  ..., 1997, 1998, 1999]])"
    )
    assert repr(autograd.zeros(1001, 2)) == (
        "tensor([[0., 0.],\n        [0., 0.],\n        [0., 0.],\n        ...,\n"
        "        [0., 0.],\n        [0., 0.],\n        [0., 0.]])"
    )
