"""Anomaly detection names the forward line."""

import warnings
from typing import Any

import pytest

import autograd as torch
from autograd import Function


def root_of_zero() -> Any:
    x = torch.zeros(1, requires_grad=True)
    return (x.sqrt() * 0).sum()  # the line to be named


def test_nan_is_traced_to_the_forward_line() -> None:
    with torch.autograd.set_detect_anomaly(True):
        loss = root_of_zero()
        with (
            pytest.warns(UserWarning, match="Error detected in SqrtBackward0"),
            pytest.raises(RuntimeError, match="'SqrtBackward0' returned nan values") as error,
        ):
            loss.backward()
    assert "returned nan values in its 0th output" in str(error.value)
    assert "the line to be named" in str(error.value)
    assert "autograd/engine/apply.py" not in str(error.value)
    assert not torch.autograd.is_anomaly_enabled()


def test_warnings_as_errors_do_not_hide_the_error() -> None:
    with torch.autograd.set_detect_anomaly(True), warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeError, match="returned nan values"):
            root_of_zero().backward()


class Failing(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x * 2

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        raise ValueError("mine")


def test_an_error_of_the_user_is_traced_too() -> None:
    with pytest.warns(UserWarning) as seen:
        with torch.autograd.detect_anomaly(), pytest.raises(ValueError, match="mine"):
            Failing.apply(torch.ones(1, requires_grad=True)).backward()
    texts = [str(w.message) for w in seen]
    assert texts[0].startswith("Anomaly Detection has been enabled")
    assert texts[1].startswith("Error detected in FailingBackward. Traceback of forward call")


def test_without_looking_for_nan() -> None:
    with torch.autograd.set_detect_anomaly(True, check_nan=False):
        root_of_zero().backward()


def test_it_is_off_otherwise_and_can_be_switched() -> None:
    root_of_zero().backward()
    torch.autograd.set_detect_anomaly(True)
    assert torch.is_anomaly_enabled() and torch.is_anomaly_check_nan_enabled()
    torch.autograd.set_detect_anomaly(False)
    assert not torch.is_anomaly_enabled()


def test_a_graph_recorded_before_has_no_trace() -> None:
    loss = root_of_zero()
    with torch.autograd.set_detect_anomaly(True):
        with (
            pytest.warns(UserWarning, match="No forward pass information available"),
            pytest.raises(RuntimeError, match="returned nan values"),
        ):
            loss.backward()
