"""The devices that a test runs on: the CPU, CuPy's stand-in, and with `-m gpu` a real GPU."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CPU, STANDIN = pytest.param("cpu"), pytest.param("standin")
GPU = pytest.param("gpu", marks=pytest.mark.gpu)


@contextmanager
def standin_gpu() -> Iterator[None]:
    """GPUs, for a while: two of the stand-in's."""
    from autograd import backend, random
    from tests.cupy_standin import installed

    with installed():
        held: list[tuple[dict[Any, Any], dict[Any, Any]]] = [
            (known, dict(known)) for known in (backend.loaded, random._on_gpus)
        ]
        try:
            for known, _ in held:
                known.clear()
            yield
        finally:
            for known, before in held:
                known.clear()
                known.update(before)


def skip_without_gpu() -> None:
    """Skip the test, with the reason, where there is no GPU that CuPy can use."""
    import autograd

    try:
        autograd.zeros(1, device="cuda")
    except (AssertionError, RuntimeError) as error:
        pytest.skip(f"no GPU: {error}")


@contextmanager
def device_of(kind: str) -> Iterator[str]:
    """The name of a device of that kind: cpu, standin or gpu; skips where there is none."""
    if kind == "standin":
        from tests.cupy_standin.host_compiler import compiler

        if compiler() is None:
            pytest.skip("no C++ compiler (c++, g++ or clang++) to compile the GPU's kernels with")
        with standin_gpu():
            yield "cuda"
    else:
        if kind == "gpu":
            skip_without_gpu()
        yield "cpu" if kind == "cpu" else "cuda"


@contextmanager
def no_waiting(device: str) -> Iterator[None]:
    """Fail where the host waits for the device: for a CPU, nowhere."""
    if device == "cpu":
        yield
        return
    import cupy
    import cupyx

    from tests.cupy_standin import without_synchronization
    from tests.cupy_standin.modules import modules

    if cupy is modules()["cupy"]:
        with without_synchronization():
            yield
        return
    with warnings.catch_warnings():
        # CuPy warns that it can't find every wait: those that it finds will do.
        warnings.filterwarnings("ignore", message="cupyx.allow_synchronize", category=UserWarning)
        with cupyx.allow_synchronize(False):
            yield
