"""Every array library keeps the contract: the names and parameters that operations rely on."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from autograd.backend.cupy_backend import CupyBackend
from autograd.backend.kernels.contract import Backend
from autograd.backend.kernels.cupy_kernels import CupyChains
from autograd.backend.kernels.numpy_kernels import NumpyChains
from autograd.backend.numpy_backend import NUMPY

CONTRACT = {n: f for n, f in vars(Backend).items() if inspect.isfunction(f) and n[0] != "_"}
BACKENDS = [pytest.param(NUMPY, id="NumPy"), pytest.param(CupyBackend, id="CuPy")]


def parameters(function: Callable[..., Any]) -> list[tuple[str, Any, Any]]:
    found = inspect.signature(function).parameters.values()
    return [(p.name, p.kind, p.default) for p in found if p.name != "self"]


@pytest.mark.parametrize("name", CONTRACT)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_has_the_function(backend: Any, name: str) -> None:
    assert parameters(inspect.getattr_static(backend, name)) == parameters(CONTRACT[name])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_says_where_its_arrays_lie(backend: Any) -> None:
    assert backend.device_type in ("cpu", "cuda")


def test_every_fused_function_is_in_the_contract() -> None:
    shared = {name for name in vars(NumpyChains) if name in vars(CupyChains) and name[0] != "_"}
    assert shared <= CONTRACT.keys()
