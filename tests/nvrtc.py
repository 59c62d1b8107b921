"""NVIDIA's compiler of kernels, from its wheel: it needs no GPU to compile for one."""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ARCHITECTURE = "sm_90"
NDARRAY, INDEXER, SCALAR = 1, 2, 3  # what CuPy calls the kinds of arguments of a kernel


@functools.cache
def _library() -> ctypes.CDLL:
    """The compiler; skips the test where its wheel is not installed."""
    wheel: Any = pytest.importorskip(
        "nvidia.cuda_nvrtc", reason="nvidia-cuda-nvrtc-cu12 is not installed"
    )
    pytest.importorskip(
        "nvidia.cuda_runtime", reason="nvidia-cuda-runtime-cu12, with CUDA's headers, is missing"
    )
    return ctypes.CDLL(str(min(Path(wheel.__path__[0]).glob("lib/libnvrtc.so*"))))


def source(kernel: Any, name: str, letters: dict[str, str]) -> str:
    """What CuPy would compile for strided arrays, where letters stand for these dtypes."""
    import cupy
    from cupy._core import _kernel, core

    made = cupy.ElementwiseKernel(
        kernel.in_params, kernel.out_params, kernel.operation, name, preamble=kernel.preamble
    )
    arguments = []
    for parameter in made.params[:-1]:  # the last one is the indexer
        dtype = np.dtype(letters[parameter.ctype] if parameter.dtype is None else parameter.dtype)
        is_array = parameter.raw or parameter.dtype is None
        kind = (
            (NDARRAY, cupy.ndarray, dtype, 2, False) if is_array else (SCALAR, int, dtype, 0, True)
        )
        arguments.append(_kernel._ArgInfo(*kind, True))
    arguments.append(_kernel._ArgInfo(INDEXER, object, None, 2, True, True))
    types = _kernel._TypeMap(tuple((letter, np.dtype(d)) for letter, d in letters.items()))
    code = _kernel._get_elementwise_kernel_code(
        tuple(arguments), types, made.params, made.operation, name, made.preamble
    )
    return "".join(f"#include <{header}>\n" for header in core._cupy_header_list) + code


def errors(code: str) -> str:
    """What the compiler says of a source, "" where it compiles."""
    from cupy._core import core

    library, program = _library(), ctypes.c_void_p()
    made = library.nvrtcCreateProgram(
        ctypes.byref(program), code.encode(), b"kernel.cu", 0, None, None
    )
    assert made == 0, made
    options = [f"--gpu-architecture={ARCHITECTURE}", *core.assemble_cupy_compiler_options(())]
    failed = library.nvrtcCompileProgram(
        program, len(options), (ctypes.c_char_p * len(options))(*(o.encode() for o in options))
    )
    size = ctypes.c_size_t()
    library.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    library.nvrtcGetProgramLog(program, log)
    library.nvrtcDestroyProgram(ctypes.byref(program))
    return (log.value.decode() or "failed") if failed else ""
