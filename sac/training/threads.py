"""How many threads NumPy's BLAS takes while an agent trains."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sac.config import Config

SMALL_PRODUCT = 2**21  # multiplications: a batch of 256 through a layer of 64 by 64 is half of it
# What a user sets before NumPy is imported, each library its own.
BLAS_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "GOTO_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
OPENBLAS_MOST = 64  # threads that the OpenBLAS in NumPy's wheels is built for


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def has_small_products(config: Config) -> bool:
    """Return whether waking a second thread takes longer than the products of an update do."""
    widest = max([*config.agent.hidden_sizes, 1])
    return config.train.batch_size * widest**2 <= SMALL_PRODUCT


@contextmanager
def blas_threads_for(config: Config) -> Iterator[None]:
    """Let small products run on one thread for as long as the block lasts.

    What the user has chosen stands: by an environment variable, or by threadpoolctl.
    """
    if not has_small_products(config) or any(name in os.environ for name in BLAS_VARIABLES):
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
    """Return whether a library has fewer threads than it takes by itself.

    MKL takes one for each core, of which each may be two processors.
    """
    by_itself = processors() // (2 if library["internal_api"] == "mkl" else 1)
    return library["num_threads"] < min(by_itself, OPENBLAS_MOST)
