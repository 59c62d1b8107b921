"""autograd's answers against those recorded from torch."""

import pytest

import autograd
from tests.autograd.torch_reference.cases import CASES
from tests.autograd.torch_reference.recording import assert_same, read_reference

REFERENCE = read_reference()


@pytest.mark.parametrize("name", CASES)
def test_same_as_recorded(name: str) -> None:
    assert_same(CASES[name](autograd), REFERENCE[name])


def test_every_recorded_case_is_run() -> None:
    assert list(REFERENCE) == list(CASES), "run tests/autograd/torch_reference/generate.py"


TENSOR = {"tensor": "float32 [2]", "values": [1.0, 2.0]}


@pytest.mark.parametrize(
    "other",
    [
        {"tensor": "float64 [2]", "values": [1.0, 2.0]},
        {"tensor": "float32 [1, 2]", "values": [1.0, 2.0]},
        {"tensor": "float32 [2] requires_grad", "values": [1.0, 2.0]},
        {"tensor": "float32 [2]", "values": [1.0, 2.0001]},
        {"tensor": "float32 [2]", "values": [1.0, float("nan")]},
        [1.0, 2.0],
        None,
    ],
)
def test_the_comparison_notices(other: object) -> None:
    assert_same([TENSOR], [TENSOR])
    with pytest.raises(AssertionError):
        assert_same([other], [TENSOR])
