"""Actors that play by themselves on Ray (env.max_lag): what bounds them, and what the learner."""

import csv
import statistics
from pathlib import Path
from typing import Any

from scripts.benchmarks.bench import Bench
from scripts.benchmarks.harness import Row, Sample
from scripts.benchmarks.process import OURS, run_program
from scripts.benchmarks.training import train_arguments

ENVIRONMENT = "scripts.benchmarks.workers.sleeping:Sleeping-v0"
ACTORS = 8
STEPS_EACH = 1500  # of an actor, where actors bound
FEW_UPDATES, MANY_UPDATES = 0.02, 8.0  # for each step


def ray(bench: Bench) -> None:
    """Steps a second of 8 actors and of 1, and the learner's waiting, with steps of 5 ms."""
    single = Sample([])
    several, waiting = Sample([]), Sample([])
    for _ in range(bench.repetitions(3)):
        for actors, sample in ((1, single), (ACTORS, several)):
            bench.announce(f"{actors} actors, few updates")
            rows = _rows(bench, actors, FEW_UPDATES, lag=100, steps=STEPS_EACH * actors)
            sample.values.append(_median(rows, "time/env_steps_per_second"))
        bench.announce(f"{ACTORS} actors, many updates")
        lag = 4 * ACTORS * int(MANY_UPDATES)
        rows = _rows(bench, ACTORS, MANY_UPDATES, lag=lag, steps=3000)
        waiting.values.append(100 * _median(rows, "time/waiting"))
    work = f"{ACTORS} actors, {FEW_UPDATES:g} updates a step"
    bench.report.rows.append(Row(work, "steps/s", several, "ours, 1 actor", single))
    work = f"{ACTORS} actors, {MANY_UPDATES:g} updates a step, 64x64: the learner waits"
    bench.report.rows.append(Row(work, "%", waiting))


def _rows(
    bench: Bench, actors: int, updates_per_step: float, *, lag: int, steps: int
) -> list[dict[str, str]]:
    """Return what a training logged while it was learning."""
    folder = bench.folder()
    settings: dict[str, Any] = {
        "env": {
            "id": ENVIRONMENT,
            "num_envs": actors,
            "vectorization": "ray",
            "max_lag": lag,
        },
        "agent": {"hidden_sizes": [64, 64]},
        "train": {
            "total_steps": steps,
            "learning_starts": 200,
            "batch_size": 64,
            "updates_per_step": updates_per_step,
        },
        "logging": {"every_steps": max(100, steps // 20)},
    }
    run_program(bench.place(OURS), train_arguments(folder, settings, "cpu"), folder)
    return _logged(folder)


def _logged(folder: Path) -> list[dict[str, str]]:
    (file,) = folder.glob("runs/*/metrics.csv")
    with open(file, newline="", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["train/alpha"]]
    return rows[1:]  # in the first, updates are compiled


def _median(rows: list[dict[str, str]], column: str) -> float:
    return statistics.median(float(row[column]) for row in rows)
