"""Whole processes: train and memory, from the start of Python to the saved policy."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from scripts.benchmarks.bench import Bench
from scripts.benchmarks.harness import Sample, rows_against
from scripts.benchmarks.process import OURS, ROOT, Finished, run_program

LEARNING_STARTS = 100  # the peers' default
BUFFER_SIZE = 1_000_000
MEGABYTE = 1e6


@dataclass(frozen=True)
class Task:
    """A training that all sides do alike."""

    env: str
    steps: int
    batch_size: int = 256
    hidden_sizes: tuple[int, ...] = (256, 256)

    @property
    def name(self) -> str:
        """How the table calls it."""
        sizes = "x".join(map(str, self.hidden_sizes))
        return f"{self.env}, {self.steps:,} steps, batch {self.batch_size}, {sizes}"


TRAININGS = (
    Task("Pendulum-v1", 10_000),
    Task("Pendulum-v1", 10_000, 100, (64, 64)),
    Task("HalfCheetah-v5", 20_000),
)
MEMORY_TASK = Task("HalfCheetah-v5", 300)


def train(bench: Bench) -> None:
    """Seconds from the start of the process to the saved policy."""
    for task in TRAININGS:
        samples = {side: Sample([]) for side in bench.sides}
        for repetition in range(bench.repetitions(3)):
            for side in bench.sides:
                bench.announce(f"train {task.name}: {side}, repetition {repetition + 1}")
                finished = _run(bench, side, task, full_buffer=False)
                samples[side].values.append(finished.seconds * 1e3)
        bench.report.rows += rows_against(f"train {task.name}", samples)


def memory(bench: Bench) -> None:
    """Peak resident memory of a training whose buffer is full from the start."""
    name = f"peak memory, {MEMORY_TASK.env}, {BUFFER_SIZE:,} transitions stored"
    samples = {side: Sample([]) for side in bench.sides}
    for _ in range(bench.repetitions(1)):
        for side in bench.sides:
            bench.announce(f"{name}: {side}")
            finished = _run(bench, side, MEMORY_TASK, full_buffer=True)
            samples[side].values.append(finished.peak_bytes / MEGABYTE)
    bench.report.rows += rows_against(name, samples, unit="MB")


def _run(bench: Bench, side: str, task: Task, *, full_buffer: bool) -> Finished:
    folder, device = bench.folder(), bench.options.device
    if side == OURS:
        arguments = train_arguments(folder, _settings(task), device)
        if full_buffer:
            arguments = ["-m", "scripts.benchmarks.workers.our_memory", *arguments[1:]]
    else:
        arguments = [
            "-m", "workers.peer_train", side, "--env", task.env, "--steps", str(task.steps),
            "--batch-size", str(task.batch_size), "--hidden-sizes", *map(str, task.hidden_sizes),
            "--buffer-size", str(BUFFER_SIZE), "--device", device, "--save", str(folder / "model"),
            *(["--full-buffer"] if full_buffer else []),
        ]  # fmt: skip
    return run_program(bench.place(side), arguments, folder)


def _settings(task: Task) -> dict[str, Any]:
    """Return what makes our training do what a peer's does by default."""
    return {
        "env": {"id": task.env},
        "agent": {"hidden_sizes": list(task.hidden_sizes)},
        "train": {
            "total_steps": task.steps,
            "learning_starts": LEARNING_STARTS,
            "batch_size": task.batch_size,
            "buffer_size": BUFFER_SIZE,
        },
    }


def train_arguments(folder: Path, settings: dict[str, Any], device: str) -> list[str]:
    """Return the arguments of a training that evaluates once, at its end, and saves there."""
    steps = settings["train"]["total_steps"]
    config = settings | {
        "evaluation": {"every_steps": 0, "episodes": 1},
        "checkpoint": {"every_steps": steps, "keep": 1},
        "logging": {"root": str(folder / "runs")} | settings.get("logging", {}),
        "device": device,
    }
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(config))
    return [str(ROOT / "scripts" / "train.py"), "--config", str(file)]
