"""What a training pays beside its updates: the loop around them, checkpoints and logs."""

import json
from typing import Any

from scripts.benchmarks.bench import Bench
from scripts.benchmarks.harness import Row, Sample
from scripts.benchmarks.process import OURS, run_program

TRANSITIONS = 1_000_000
CHECKPOINT_EVERY = 10_000
CHECKPOINTS = 5
TRAINING_STEPS = 1000
LOGGED_STEPS = 4000
LOOP_STEPS = 3000
LOOPS = (("Pendulum-v1", 64, 64), ("HalfCheetah-v5", 256, 256))  # environment, width, batch
NO_GLUE = ("update", "environment", "acting")
MEGABYTE = 1e6


def checkpoint(bench: Bench) -> None:
    """Pauses and bytes of checkpoints while the buffer is full, as a share of a training's time."""
    name = (
        f"checkpoint of HalfCheetah's sizes, {TRANSITIONS:,} transitions, every "
        f"{CHECKPOINT_EVERY:,} steps"
    )
    bench.announce(name)
    found = _run(
        bench,
        "our_checkpoints",
        transitions=TRANSITIONS,
        every=CHECKPOINT_EVERY,
        checkpoints=bench.repetitions(CHECKPOINTS),
        training_steps=TRAINING_STEPS,
    )
    between = CHECKPOINT_EVERY * found["step_seconds"]
    pauses = found["pause_seconds"]
    shares = [100 * pause / (between + pause) for pause in pauses]
    written = [count / MEGABYTE for count in found["written_bytes"]]
    bench.report.rows += [
        Row(f"{name}: pause", "ms", Sample([pause * 1e3 for pause in pauses])),
        Row(f"{name}: share of the time", "%", Sample(shares)),
    ]
    if any(written):  # a file system in memory, or another than Linux's, does not tell
        bench.report.rows.append(Row(f"{name}: written", "MB", Sample(written)))


def logging(bench: Bench) -> None:
    """The share of a training's time that logging and the display of progress take."""
    name = f"logging of Pendulum-v1, default settings, {LOGGED_STEPS:,} steps: share of the time"
    bench.announce(name)
    repetitions = bench.repetitions(1)
    runs = [_run(bench, "our_logging", steps=LOGGED_STEPS) for _ in range(repetitions)]
    shares = [100 * run["logging_seconds"] / run["seconds"] for run in runs]
    bench.report.rows.append(Row(name, "%", Sample(shares)))


def loop(bench: Bench) -> None:
    """What each part of a step of the loop takes in a real training, and its glue together."""
    for env, width, batch_size in LOOPS:
        name = f"step of {env}, batch {batch_size}, {width}x{width}"
        bench.announce(name)
        runs = [
            _run(bench, "our_loop", env=env, width=width, batch_size=batch_size, steps=LOOP_STEPS)
            for _ in range(bench.repetitions(3))
        ]
        for run in runs:
            run["all but update, environment and acting"] = sum(
                seconds for part, seconds in run.items() if part not in NO_GLUE
            )
        bench.report.rows += [
            Row(f"{name}: {part}", "ms", Sample([run[part] * 1e3 for run in runs]))
            for part in runs[0]
        ]


def _run(bench: Bench, worker: str, **arguments: int | str) -> dict[str, Any]:
    """Return what a program of ours printed as its last line."""
    options = [str(word) for name, value in arguments.items() for word in (f"--{name}", value)]
    program = ["-m", f"scripts.benchmarks.workers.{worker}", *options]
    program += ["--device", bench.options.device]
    output = run_program(bench.place(OURS), program, bench.folder()).output
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found
