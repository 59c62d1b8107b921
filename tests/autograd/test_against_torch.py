"""The same cases and errors through torch and autograd, live: needs torch."""

import pytest

import autograd
from tests.autograd.torch_reference.cases import CASES
from tests.autograd.torch_reference.errors import ERRORS, ErrorCase, assert_raises
from tests.autograd.torch_reference.recording import assert_same, read_reference, record

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("name", CASES)
def test_same_as_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    assert_same(CASES[name](autograd), record(CASES[name](torch)))


@pytest.mark.parametrize("name", CASES)
def test_the_record_is_what_torch_answers(name: str) -> None:
    torch = pytest.importorskip("torch")
    assert_same(CASES[name](torch), read_reference()[name])


@pytest.mark.parametrize("error", ERRORS, ids=str)
def test_torch_raises_the_errors(error: ErrorCase) -> None:
    assert_raises(pytest.importorskip("torch"), error)
