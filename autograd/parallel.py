"""Two parts of one computation at the same time: a thread beside the caller's.

NumPy lets go of Python's lock inside a matrix product and a pass over a large array, so two threads
that call it share the work of two processors. What is computed is cut into parts by its size alone,
never by who is free: the results have the same bits with one thread and with two, whichever of them
takes which part.

BLAS has threads of its own, which come to less: they wait for one another after every product, and
all that lies between the products is left to one. While parts run, BLAS keeps to one thread.
"""

from __future__ import annotations

import ctypes
import importlib
import itertools
import os
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any

import numpy as np

Part = Callable[[], Any]
# Names of OpenBLAS's functions as NumPy's wheels, other builds and distributions have them.
BLAS_NAMES = (
    "scipy_openblas_{}_num_threads64_",
    "scipy_openblas_{}_num_threads",
    "openblas_{}_num_threads64_",
    "openblas_{}_num_threads",
)


class Blas:
    """The number of threads that OpenBLAS uses; another BLAS cannot be told, and is left alone."""

    def __init__(self) -> None:
        """Find its functions in the library that NumPy has loaded."""
        self._get: Any = None
        self._set: Any = None
        try:
            extension = importlib.import_module("numpy._core._multiarray_umath").__file__
            library = ctypes.PyDLL(extension)
        except (ImportError, OSError):
            return
        for name in BLAS_NAMES:
            if hasattr(library, name.format("set")):
                self._get = getattr(library, name.format("get"))
                self._set = getattr(library, name.format("set"))
                return

    @property
    def is_known(self) -> bool:
        """Whether it can be told."""
        return self._set is not None

    @property
    def threads(self) -> int:
        """How many threads a product may use now."""
        return int(self._get()) if self.is_known else 1

    @threads.setter
    def threads(self, number: int) -> None:
        if self.is_known:
            self._set(number)


class _Job:
    """Parts to run, handed out one by one; `next` of a counter is safe between threads."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts
        self.results: list[Any] = [None] * len(parts)
        self.numbers = itertools.count()
        self.error: BaseException | None = None
        self.is_left = threading.Lock()  # held until the other thread takes no more parts
        self.is_left.acquire()

    def work(self) -> int:
        """Run parts until none is left; returns how many this thread has run."""
        for done in itertools.count():
            number = next(self.numbers)
            if number >= len(self.parts):
                return done
            try:
                self.results[number] = self.parts[number]()
            except BaseException as error:  # goes to the caller, in whichever thread it came up
                self.error = self.error or error
        raise AssertionError("itertools.count ended")


class Crew:
    """The caller's thread and one more, which starts at the first need and sleeps in between."""

    def __init__(self) -> None:
        """Start no thread yet."""
        self.blas = Blas()
        self._jobs: SimpleQueue[_Job] | None = None
        self._process = 0
        self._threads: int | None = None

    @property
    def threads(self) -> int:
        """Threads that share the work: as many as BLAS has been given, at most two."""
        if self._threads is None:
            self._threads = self.blas.threads
        return self._threads

    @threads.setter
    def threads(self, number: int) -> None:
        self._threads = number

    def run(self, parts: Sequence[Part]) -> list[Any]:
        """What the parts return, run in any order or at once; raises what one of them raises."""
        if self.threads < 2 or len(parts) < 2:
            return [part() for part in parts]
        before, self.blas.threads = self.blas.threads, 1
        try:
            job = _Job(parts)
            self._queue().put(job)
            if job.work() < len(parts):
                job.is_left.acquire()
        finally:
            self.blas.threads = before
        if job.error is not None:
            raise job.error
        return job.results

    def _queue(self) -> SimpleQueue[_Job]:
        # A process that was forked has the queue, but not the thread.
        if self._jobs is None or self._process != os.getpid():
            self._jobs, self._process = SimpleQueue(), os.getpid()
            threading.Thread(target=_serve, args=[self._jobs], name="autograd", daemon=True).start()
        return self._jobs


def _serve(jobs: SimpleQueue[_Job]) -> None:
    np.seterr(all="ignore")  # as the engine does around operations; this holds for this thread
    while True:
        job = jobs.get()
        job.work()
        job.is_left.release()
        del job  # so that its arrays are free while this thread waits
