"""Trains what has no line yet, several at a time, each in a process of its own."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from sac.config import Config
from sac.sweep.plan import THREAD_VARIABLES, Plan
from sac.sweep.processes import train_in_processes
from sac.terminal.interrupt import SIGNAL_STATUS
from scripts.benchmarks.learning import Lines
from scripts.benchmarks.process import ROOT

Study = tuple[str, Config, Iterable[int]]  # its name in the lines, and its seeds


def missing(
    wanted: Iterable[Study], seeds: Sequence[int] | None, lines: Lines
) -> list[tuple[str, int]]:
    """Return the names and the seeds, or `seeds` instead, that have no line that holds."""
    return [
        (name, seed)
        for name, config, own_seeds in wanted
        for known in [lines.of(name, config)]
        for seed in (own_seeds if seeds is None else seeds)
        if seed not in known
    ]


def train_missing(
    todo: Sequence[tuple[str, int]], lines: Path, runs: Path, workers: int | None
) -> int:
    """Train; return 0, or the exit status of the first that failed or of an interruption."""
    program = [sys.executable, "-m", "scripts.benchmarks.workers.our_learning"]
    places = ["--runs", str(runs.absolute()), "--lines", str(lines.absolute())]
    commands = {
        f"{name} seed {seed}": [*program, "--config", name, "--seed", str(seed), *places]
        for name, seed in todo
    }
    # The number of threads changes the last bits of matrix products: one is what any machine has.
    variables = dict.fromkeys(THREAD_VARIABLES, "1") | {"PYTHONPATH": str(ROOT)}
    trained, interrupted_by = train_in_processes(Plan(commands, workers or 1, variables))
    if interrupted_by is not None:
        return SIGNAL_STATUS + interrupted_by
    return next((run.status for run in trained if run.status), 0)
