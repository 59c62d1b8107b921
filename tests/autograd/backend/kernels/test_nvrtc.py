"""The kernels compile for a GPU, by NVIDIA's compiler within the code that CuPy writes round them.

It needs no GPU, but CuPy and the compiler's wheel: `pip install -e ".[test-cuda]"`.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from autograd.backend.kernels.cuda_source import KERNELS, Kernel
from tests import nvrtc

pytestmark = pytest.mark.cupy


def letters_of(kernel: Kernel) -> set[str]:
    """The letters that stand for a dtype among the parameters."""
    return set(re.findall(r"\b([A-Z])\b", f"{kernel.in_params}, {kernel.out_params}"))


CASES = [
    pytest.param(name, dtype, id=f"{name}-{dtype}" if dtype else name)
    for name, kernel in KERNELS.items()
    for dtype in (("f2", "f4", "f8") if letters_of(kernel) else ("",))
]


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_a_kernel_compiles_for_a_gpu(name: str, dtype: str) -> None:
    kernel: Any = KERNELS[name]
    letters = {letter: dtype for letter in letters_of(kernel)}
    assert nvrtc.errors(nvrtc.source(kernel, name, letters)) == ""


def test_the_compiler_refuses_what_is_wrong() -> None:
    wrong = Kernel("T x", "T y", "y = undeclared(x);")
    assert "undeclared" in nvrtc.errors(nvrtc.source(wrong, "wrong", {"T": "f4"}))
