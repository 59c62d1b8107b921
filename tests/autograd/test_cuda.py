"""Devices where there is no GPU: what is missing is said, and how to get it."""

import json
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import backend
from autograd.engine.capture import Captured
from autograd.gpu import Upload
from tests.cupy_standin import counting, without_synchronization
from tests.on_devices import standin_gpu

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


def test_uploads_are_one_copy_each_that_nobody_waits_for() -> None:
    """Of sizes that grow, so that pinned memory is replaced while earlier batches are in use."""
    rng = np.random.default_rng(0)
    batches = [
        [rng.random((n, 3), np.float32), rng.integers(0, 9, (n, 1)), np.arange(n) % 2 == 0]
        for n in (1, 2, 50, 3, 400, 400)
    ]
    with standin_gpu():
        upload = Upload("cuda")
        with counting() as counts, without_synchronization():
            tensors = [upload(batch) for batch in batches]
        assert (counts.to_device, counts.kernels) == (len(batches), [])
        for batch, found in zip(batches, tensors, strict=True):
            for array, tensor in zip(batch, found, strict=True):
                assert tensor.is_cuda
                host = tensor.numpy(force=True)
                assert host.dtype == array.dtype
                np.testing.assert_array_equal(host, array)


def test_captured_function_draws_from_the_default_generator_of_a_gpu() -> None:
    """Which is made while the function is watched, goes on, and can be seeded anew."""
    with standin_gpu():
        captured = Captured(lambda x: x + autograd.randn(4, device="cuda"), [])
        x = autograd.zeros(4, device="cuda")
        streams = []
        for _ in range(2):
            autograd.manual_seed(5)
            streams.append([captured(x).tolist() for _ in range(3)])
        assert captured.reason == ""
        assert streams[0] == streams[1]
        assert len({tuple(draw) for draw in streams[0]}) == 3


def test_a_generators_state_from_another_device_gives_other_numbers_that_follow_from_it() -> None:
    with standin_gpu():
        devices = "cpu", "cuda"
        states = [autograd.Generator(d).manual_seed(5).state_dict() for d in devices]
        for device, state in zip(devices, reversed(states), strict=True):
            first, second = autograd.Generator(device), autograd.Generator(device)
            for generator in (first, second):
                generator.load_state_dict(json.loads(json.dumps(state)))
            drawn = [autograd.rand(4, generator=g, device=device).tolist() for g in (first, second)]
            own = autograd.Generator(device).manual_seed(5)
            assert drawn[0] == drawn[1]
            assert drawn[0] != autograd.rand(4, generator=own, device=device).tolist()
        with pytest.raises(RuntimeError, match="no state of a Generator"):
            wrong = {"bit_generator": "Philox4x32-10", "key": -1, "counter": 0}
            autograd.Generator("cuda").load_state_dict({"seed": 1, "bit_generator": wrong})
