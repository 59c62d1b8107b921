"""Plans a sweep: which runs, how many at a time, and how each is started."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sac.config import Config
from sac.threads import BLAS_VARIABLES, has_small_products, processors

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Plan:
    """Trainings, by the names that the display gives them."""

    commands: Mapping[str, Sequence[str]]  # the command line of each
    workers: int  # trainings at a time
    variables: Mapping[str, str]  # environment variables of each process


def plan_seeds(
    config: Config, seeds: Sequence[int], workers: int | None, command: Sequence[str]
) -> Plan:
    """Plan one run of `config` for each seed; ConfigError if a seed is out of range.

    `command` trains, once `--seed N` is added. `workers` is the number of runs at a time; None: one
    for each processor.
    """
    for seed in seeds:
        config.merged({"seed": seed})
    workers = min(len(seeds), processors() if workers is None else workers)
    commands = {f"seed {seed}": [*command, "--seed", str(seed)] for seed in seeds}
    return Plan(commands, workers, thread_variables(config, workers))


def thread_variables(config: Config, workers: int) -> dict[str, str]:
    """Return the variables by which trainings share the processors, unless the user has chosen."""
    if any(name in os.environ for name in BLAS_VARIABLES):
        return {}
    # More threads than processors would wait for one another.
    threads = 1 if has_small_products(config) else max(1, processors() // workers)
    return dict.fromkeys(THREAD_VARIABLES, str(threads))
