"""The kernels, loaded, and programs that they run."""

from __future__ import annotations

import ctypes
import functools
import os

import numpy as np

from autograd.backend import NUMPY
from autograd.compiled.build import BuildError, compiler_name, shared_library
from autograd.compiled.instructions import GROUP, INSTRUCTION, STAGE

I64, POINTER = ctypes.c_int64, ctypes.c_void_p


class Record(ctypes.Structure):
    """A program, as the kernels take it."""

    _fields_ = [
        ("instructions", POINTER), ("groups", POINTER), ("stages", POINTER), ("slots", POINTER),
        ("scratch", POINTER), ("stop", ctypes.c_int),
    ]  # fmt: skip


@functools.cache
def load() -> Library:
    """Return the kernels, compiled at first use; BuildError if they can't be, with the reason."""
    path = shared_library()
    try:
        return Library(str(path))
    except OSError as error:
        raise BuildError(f"the compiled kernels can't be loaded: {error}") from None


class Library:
    """The kernels, loaded."""

    def __init__(self, path: str) -> None:
        """Load a file that was compiled from `kernels.c`."""
        library = ctypes.CDLL(path)
        facts = (I64 * 7)()
        library.describe(facts)
        sizes = [t.itemsize for t in (INSTRUCTION, GROUP, STAGE)] + [ctypes.sizeof(Record)]
        if list(facts[:4]) != sizes:
            raise OSError(f"'{path}' has structures of {list(facts[:4])} bytes, not {sizes}")
        self.strip, self.tile, self.lanes = facts[4:7]
        self.run = library.run
        self.run.argtypes, self.run.restype = [POINTER, I64, I64, ctypes.c_int], I64
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=library.forget_threads)

    @property
    def is_fast(self) -> bool:
        """Whether the processor has vectors wide enough to be faster than NumPy at any size."""
        return self.lanes >= 8

    @property
    def compiler(self) -> str:
        """The compiler's name and version."""
        return compiler_name()


class Program:
    """The tables of one program, which live as long as it."""

    def __init__(
        self, library: Library, instructions: np.ndarray, groups: np.ndarray, stages: np.ndarray,
        scratch: int, slots: np.ndarray, threads: int,
    ) -> None:  # fmt: skip
        """`scratch`: bytes for each of the threads; `slots`: the addresses of the arrays."""
        self._scratch = [np.zeros(scratch + 64, np.uint8) for _ in range(threads)]
        addresses = [-(-NUMPY.address(s) // 64) * 64 for s in self._scratch]
        self._tables = [instructions, groups, stages, slots, np.array(addresses, np.uint64)]
        self._record = Record(*map(NUMPY.address, self._tables), 0)
        self._run, self._reference = library.run, ctypes.addressof(self._record)
        self._threads = threads

    @property
    def stopped(self) -> int:
        """Why the latest run must be looked at: bits of NOT_FINITE and OUT_OF_BOUNDS, or 0."""
        return self._record.stop

    def run(self, first: int, end: int) -> int:
        """Run stages; return the one before which it stopped, or `end`."""
        return self._run(self._reference, first, end, self._threads)
