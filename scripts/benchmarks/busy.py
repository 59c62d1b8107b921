"""Updates on a machine that others use, too."""

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice

from scripts.benchmarks.bench import OUR_WORKER, Bench
from scripts.benchmarks.harness import WARM_UP_CALLS, Row, Sample
from scripts.benchmarks.process import OURS, Worker

BUSY_PROCESSES = 4
REPETITIONS = 15
CALLS = 10  # in each turn
SIZES = {
    "observation_size": 17,
    "action_size": 6,
    "batch_size": 256,
    "hidden_sizes": [256, 256],
    "transitions": 100_000,
    "device": "cpu",
}
# Ends by itself when the benchmark, its parent, does, even where that is killed.
BUSY = """
import os, sys
while os.getppid() == int(sys.argv[1]):
    for _ in range(100_000):
        pass
"""


def busy(bench: Bench) -> None:
    """Single updates beside busy processes: their median and 95th percentile, by threads."""
    name = f"update 17/6, batch 256, 256x256 beside {BUSY_PROCESSES} busy processes"
    bench.announce(name)
    threads = bench.options.threads
    # As many as ours chooses where nobody else is yet, or as it chooses beside the others.
    many, chosen, one = (f"{OURS}, {n}" for n in (f"{threads} threads", "its choice", "1 thread"))
    in_numpy, one_in_numpy = f"in NumPy, {threads} threads", "in NumPy, 1 thread"
    with ExitStack() as stack:
        begin = partial(_begin, stack, bench)
        workers = {
            many: begin(many, threads, "auto"),
            one: begin(one, 1, "auto"),
            in_numpy: begin(in_numpy, threads, "never"),
            one_in_numpy: begin(one_in_numpy, 1, "never"),
        }
        stack.enter_context(busy_processes(BUSY_PROCESSES))
        workers[chosen] = begin(chosen, None, "auto")
        samples = _singles(workers, bench.repetitions(REPETITIONS))
    for side, alone in ((many, one), (chosen, one), (in_numpy, one_in_numpy)):
        bench.report.rows += _rows(name, side, alone, samples)


def _begin(stack: ExitStack, bench: Bench, name: str, threads: int | None, compile: str) -> Worker:
    """Start a worker and let it choose its threads, as it does once, if it is given no number."""
    place = replace(bench.place(OURS), threads=threads)
    worker = stack.enter_context(Worker(name, place, OUR_WORKER, bench.folder()))
    worker.prepare(name, "update", {**SIZES, "compile": compile})
    worker.measure(name, WARM_UP_CALLS)
    return worker


def _rows(name: str, side: str, alone: str, samples: dict[str, Sample]) -> list[Row]:
    ours, theirs = samples[side], samples[alone]
    slowest = Sample([statistics.quantiles(ours.values, n=20, method="inclusive")[-1]])
    return [
        Row(f"{name}, {side}", "ms", ours, alone, theirs),
        Row(f"{name}, {side}: 95th percentile", "ms", slowest, f"{alone}: median", theirs),
    ]


def _singles(workers: dict[str, Worker], repetitions: int) -> dict[str, Sample]:
    """Return the milliseconds of single updates, in turns of which each begins with another."""
    names = list(workers)
    values: dict[str, list[float]] = {name: [] for name in names}
    for repetition in range(repetitions):
        first = repetition % len(names)
        for name in islice(names * 2, first, first + len(names)):
            values[name] += [1e3 * s for s in workers[name].measure_each(name, CALLS)]
    return {name: Sample(sample) for name, sample in values.items()}


@contextmanager
def busy_processes(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Keep so many processes computing during the block; none is left after it."""
    with ExitStack() as stack:
        processes = []
        for _ in range(count):
            command = [sys.executable, "-c", BUSY, str(os.getpid())]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.kill)
            processes.append(process)
        yield processes
