"""The number of threads that updates, and NumPy's BLAS, use."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sac.config import Config

SMALL_PRODUCT = 2**21  # multiplications: twice those of a batch of 256 in a layer of 64 by 64
# Environment variables by which users set the number, one for each library.
BLAS_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "GOTO_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
OPENBLAS_MOST = 64  # threads of the OpenBLAS in NumPy's wheels, at most


def processors() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def has_small_products(config: Config) -> bool:
    """Return whether an update's matrix products are too short to be worth a second thread."""
    agent = config.agent
    widest = max([*agent.hidden_sizes, *(agent.critic_hidden_sizes or ()), 1])
    return config.train.batch_size * widest**2 <= SMALL_PRODUCT


def update_threads() -> int:
    """Return how many threads a compiled update may use: one for each processor.

    Its threads share small tasks, so beside other busy processes two are no worse than one; and a
    look at what else runs would hold for that moment alone. A number that the user has set by an
    environment variable, the smallest of them, stands.
    """
    texts = [os.environ.get(name, "") for name in BLAS_VARIABLES]
    chosen = [int(text) for text in texts if text.isascii() and text.isdigit()]
    return max(1, min(chosen)) if chosen else processors()


@contextmanager
def blas_threads_for(config: Config, *, is_compiled: bool) -> Iterator[None]:
    """Use one thread during the block if the matrix products left to BLAS are small.

    Those of a compiled update are not BLAS's. A number that the user has set by an environment
    variable, or lowered by threadpoolctl, is kept.
    The number is that of the process: trainings in several threads of one process share it.
    """
    if not (is_compiled or has_small_products(config)) or any(
        name in os.environ for name in BLAS_VARIABLES
    ):
        yield
        return
    from threadpoolctl import ThreadpoolController

    blas = ThreadpoolController().select(user_api="blas")
    if any(_is_limited(library) for library in blas.info()):
        yield
        return
    with blas.limit(limits=1):
        yield


def _is_limited(library: dict[str, Any]) -> bool:
    """Return whether somebody has lowered a library's number of threads from its default."""
    # MKL uses one thread per core, which may be two processors.
    default = processors() // (2 if library["internal_api"] == "mkl" else 1)
    return library["num_threads"] < min(default, OPENBLAS_MOST)
