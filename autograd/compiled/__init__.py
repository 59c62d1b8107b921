"""Captured programs, compiled: kernels in C, run without Python between them.

`Compiler` is what a `Captured` takes as `compiler`. `kernels.c` has the kernels, `emitter` writes
instructions for them by running operations on arrays that only stand for others, `schedule` orders
these, and `writer` makes a function of it all.
"""

from autograd.compiled.build import BuildError
from autograd.compiled.compiler import Compiler
from autograd.compiled.library import Library, load

__all__ = ["BuildError", "Compiler", "Library", "load"]
