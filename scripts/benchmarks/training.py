"""Whole processes: train and memory, from the start of Python to the saved policy."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from scripts.benchmarks.bench import Bench
from scripts.benchmarks.harness import Sample, alternate, rows_against
from scripts.benchmarks.process import OURS, ROOT, Finished, run_program

LEARNING_STARTS = 100  # the default of SB3 and SBX
BUFFER_SIZE = 1_000_000
MEGABYTE = 1e6
REPETITIONS = 2  # half an hour with two peers


@dataclass(frozen=True)
class Task:
    """A training that all sides do alike."""

    env: str
    steps: int
    batch_size: int = 256
    hidden_sizes: tuple[int, ...] = (256, 256)
    peers: tuple[str, ...] = ("sb3", "sbx", "rltools")  # that can do it

    @property
    def name(self) -> str:
        """How the table calls it."""
        sizes = "x".join(map(str, self.hidden_sizes))
        return f"{self.env}, {self.steps:,} steps, batch {self.batch_size}, {sizes}"


TRAININGS = (
    Task("Pendulum-v1", 10_000, 100, (64, 64)),
    Task("HalfCheetah-v5", 20_000, peers=("sb3", "sbx")),
)
MEMORY_TASK = Task("HalfCheetah-v5", 300, peers=("sb3", "sbx"))


def train(bench: Bench) -> None:
    """Seconds from the start of the process to the saved policy, and the memory that it took."""
    for task in TRAININGS:
        sides = _sides(bench, task)
        peaks: dict[str, list[float]] = {side: [] for side in sides}

        def measure(side: str, task: Task = task, peaks: dict[str, list[float]] = peaks) -> float:
            bench.announce(f"train {task.name}: {side}, repetition {len(peaks[side]) + 1}")
            finished = _run(bench, side, task, full_buffer=False)
            peaks[side].append(finished.peak_bytes / MEGABYTE)
            return finished.seconds

        if "rltools" in sides:
            bench.announce("RLtools' compilation, which is not counted")
            run_program(bench.place("rltools"), _rltools_arguments(task, steps=0), bench.folder())
        turns = {side: lambda calls, side=side, run=measure: run(side) for side in sides}
        calls = dict.fromkeys(sides, 1)
        samples = alternate(turns, bench.repetitions(REPETITIONS), calls)
        bench.report.rows += rows_against(f"train {task.name}", samples)
        memory = {side: Sample(values) for side, values in peaks.items()}
        bench.report.rows += rows_against(f"peak memory of train {task.name}", memory, unit="MB")


def memory(bench: Bench) -> None:
    """Peak resident memory of a training whose buffer is full from the start."""
    name = f"peak memory, {MEMORY_TASK.env}, {BUFFER_SIZE:,} transitions stored"
    samples = {side: Sample([]) for side in _sides(bench, MEMORY_TASK)}
    for _ in range(bench.repetitions(1)):
        for side, sample in samples.items():
            bench.announce(f"{name}: {side}")
            finished = _run(bench, side, MEMORY_TASK, full_buffer=True)
            sample.values.append(finished.peak_bytes / MEGABYTE)
    bench.report.rows += rows_against(name, samples, unit="MB")


def _sides(bench: Bench, task: Task) -> list[str]:
    return [OURS, *(peer for peer in bench.options.peers if peer in task.peers)]


def _run(bench: Bench, side: str, task: Task, *, full_buffer: bool) -> Finished:
    folder = bench.folder()
    if side == OURS:
        arguments = train_arguments(folder, _settings(task), bench.options.device)
        if full_buffer:
            arguments = ["-m", "scripts.benchmarks.workers.our_memory", *arguments[1:]]
    elif side == "rltools":
        arguments = _rltools_arguments(task, task.steps)
    else:
        arguments = _peer_arguments(side, task, bench.options.device, full_buffer=full_buffer)
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


def _peer_arguments(side: str, task: Task, device: str, *, full_buffer: bool) -> list[str]:
    return [
        "-m", "workers.peer_train", side, "--env", task.env, "--steps", str(task.steps),
        "--batch-size", str(task.batch_size), "--hidden-sizes", *map(str, task.hidden_sizes),
        "--learning-starts", str(LEARNING_STARTS), "--buffer-size", str(BUFFER_SIZE),
        "--device", device, *(["--full-buffer"] if full_buffer else []),
    ]  # fmt: skip


def _rltools_arguments(task: Task, steps: int) -> list[str]:
    """`steps` to take of the task's; none compiles what the others then find compiled."""
    assert len(set(task.hidden_sizes)) == 1
    return [
        "-m", "workers.rltools_train", "--env", task.env, "--total-steps", str(task.steps),
        "--steps", str(steps), "--batch-size", str(task.batch_size),
        "--layers", str(len(task.hidden_sizes)), "--width", str(task.hidden_sizes[0]),
    ]  # fmt: skip
