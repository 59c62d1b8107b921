"""The C++ of a kernel, compiled for the host by its own compiler, once for a session."""

from __future__ import annotations

import atexit
import ctypes
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

HEADER = Path(__file__).with_name("cuda_host.h")
FLAGS = ("-std=c++17", "-O1", "-ffp-contract=off", "-fPIC", "-w")
TYPES = {
    "f8": "double", "f4": "float", "f2": "float16", "i8": "long long", "i4": "int", "i2": "short",
    "i1": "signed char", "u8": "unsigned long long", "u4": "unsigned int",
    "u2": "unsigned short", "u1": "unsigned char", "b1": "bool",
}  # fmt: skip


class NoCompiler(RuntimeError):
    """This machine has no C++ compiler."""


class Argument(ctypes.Structure):
    """An array or a number, as the compiled loop takes it."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("size", ctypes.c_longlong),
        ("ndim", ctypes.c_longlong),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("contiguous", ctypes.c_longlong),
    )


def compiler() -> str | None:
    """The machine's C++ compiler."""
    return shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")


@functools.cache
def folder() -> Path:
    """Where the compiled kernels of this process lie; it goes away with the process.

    The header has been compiled there: without that it would take most of a kernel's time.
    """
    made = Path(tempfile.mkdtemp(prefix="kernels-"))
    atexit.register(_remove, made, os.getpid())
    header = Path(shutil.copy(HEADER, made))
    _compile("-x", "c++-header", "-o", f"{header}.gch", str(header))
    return made


def _remove(made: Path, owner: int) -> None:
    if os.getpid() == owner:  # and no child that was forked from it, as workers are
        shutil.rmtree(made, ignore_errors=True)


@functools.cache
def compiled(source: str) -> ctypes.CDLL:
    """The library of a source that includes the header by itself."""
    name = hashlib.sha256(source.encode()).hexdigest()[:32]
    code, library = folder() / f"{name}.cpp", folder() / f"{name}.so"
    code.write_text(f'#include "{HEADER.name}"\n{source}')
    _compile("-shared", "-x", "c++", "-o", str(library), str(code))
    loaded = ctypes.CDLL(str(library))
    loaded.wrong_accesses.restype = ctypes.c_longlong
    return loaded


def _compile(*arguments: str) -> None:
    program = compiler()
    if program is None:
        raise NoCompiler("no C++ compiler (c++, g++ or clang++) to compile the kernels with")
    done = subprocess.run(
        [program, *FLAGS, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        source = Path(arguments[-1]).read_text()
        raise RuntimeError(f"a kernel does not compile:\n{done.stderr}\n{source}")


def type_name(dtype: np.dtype) -> str:
    """The type of C++ that holds an element."""
    return TYPES[f"{dtype.kind}{dtype.itemsize}"]


def argument(host: np.ndarray) -> Argument:
    """The argument for an array; the caller keeps it alive through the call."""
    keep = (ctypes.c_longlong * (2 * max(host.ndim, 1)))(*host.shape, *host.strides)
    start = ctypes.addressof(keep)
    result = Argument(
        host.__array_interface__["data"][0],
        host.size,
        host.ndim,
        start,
        start + ctypes.sizeof(ctypes.c_longlong) * host.ndim,
        host.flags.c_contiguous,
    )
    result.keep = keep
    return result
