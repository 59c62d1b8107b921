"""Which runs a sweep makes, how many at a time, and how each is started."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sac.config import Config
from sac.training.threads import BLAS_VARIABLES, has_small_products, processors

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Plan:
    """A run for each seed."""

    seeds: Sequence[int]
    workers: int  # runs at a time
    command: Sequence[str]  # that trains, but for the seed
    variables: Mapping[str, str]  # set in the environment of each process

    def arguments(self, seed: int) -> list[str]:
        """Return the command line of a seed's run."""
        return [*self.command, "--seed", str(seed)]


def plan_seeds(
    config: Config, seeds: Sequence[int], workers: int | None, command: Sequence[str]
) -> Plan:
    """Return the plan for one run of `config` with each seed; ConfigError for a seed unfit for it.

    Args:
        config: Checked here, read again by each process.
        seeds: At least one.
        workers: Runs at a time; None: one for each processor.
        command: What trains one seed when `--seed N` follows.
    """
    for seed in seeds:
        config.merged({"seed": seed})
    available = processors()
    workers = min(len(seeds), available if workers is None else workers)
    # More threads than processors would wait for one another.
    threads = 1 if has_small_products(config) else max(1, available // workers)
    has_user_chosen = any(name in os.environ for name in BLAS_VARIABLES)
    variables = {} if has_user_chosen else dict.fromkeys(THREAD_VARIABLES, str(threads))
    return Plan(seeds, workers, command, variables)
