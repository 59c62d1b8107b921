"""autograd raises torch's errors: the class, and the stable part of the message."""

import pytest

import autograd
from tests.autograd.torch_reference.errors import ERRORS, ErrorCase, assert_raises


@pytest.mark.parametrize("error", ERRORS, ids=str)
def test_same_error_as_torch(error: ErrorCase) -> None:
    assert_raises(autograd, error)
