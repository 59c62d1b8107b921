"""Devices where there is no GPU: what is missing is said, and how to get it."""

import sys
from types import ModuleType
from typing import Any

import pytest

import autograd
from autograd import backend

NEEDS_GPU = [
    lambda: autograd.zeros(2, device="cuda"),
    lambda: autograd.randn(2, device="cuda:1"),
    lambda: autograd.ones(2).cuda(),
    lambda: autograd.nn.Linear(2, 1).to("cuda"),
    lambda: autograd.Generator("cuda"),
    lambda: autograd.cuda.current_device(),
    lambda: autograd.cuda.synchronize(),
]


@pytest.fixture
def no_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "loaded", {})


def without_driver() -> ModuleType:
    """CuPy as it is on a machine without a GPU: it imports, and the runtime refuses."""

    def refuse() -> int:
        raise RuntimeError("cudaErrorInsufficientDriver: CUDA driver version is insufficient")

    cupy: Any = ModuleType("cupy")
    cupy.cuda = ModuleType("cupy.cuda")
    cupy.cuda.runtime = ModuleType("cupy.cuda.runtime")
    cupy.cuda.runtime.getDeviceCount = refuse
    return cupy


@pytest.mark.parametrize("call", NEEDS_GPU)
def test_without_cupy_the_extra_is_named(
    call: Any, no_backend: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(AssertionError, match=r"not compiled with CUDA.*\.\[cuda12\].*\.\[cuda13\]"):
        call()


@pytest.mark.parametrize("call", NEEDS_GPU)
def test_without_gpu_the_driver_is_named(
    call: Any, no_backend: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cupy", without_driver())
    with pytest.raises(RuntimeError, match=r"No CUDA GPUs are available.*InsufficientDriver"):
        call()


@pytest.mark.parametrize("module", [None, without_driver()])
def test_what_needs_no_gpu_works_without_one(
    module: Any, no_backend: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cupy", module)
    assert not autograd.cuda.is_available()
    assert autograd.cuda.device_count() == 0
    autograd.cuda.manual_seed(1)
    autograd.cuda.manual_seed_all(1)
    autograd.cuda.empty_cache()
    assert autograd.ones(2).to("cpu").device == autograd.device("cpu")
