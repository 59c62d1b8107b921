"""Updates and actions of the agent: update, act, fill, vector."""

import csv
import statistics
from pathlib import Path
from typing import Any

from scripts.benchmarks.bench import Bench, Named
from scripts.benchmarks.family import VARIANTS, study_config
from scripts.benchmarks.harness import Row, Sample, rows_against
from scripts.benchmarks.process import OURS, run_program
from scripts.benchmarks.training import train_arguments

UPDATE_SIZES = ((17, 6, 256, 256), (3, 1, 64, 64), (348, 17, 256, 256))
DISCRETE_SIZES = ((4, 2, 64, 64), (4, 2, 256, 256))
IN_NUMPY = "ours in NumPy"  # the same, not compiled
IMAGE_SHAPES = ((84, 84, 3), (64, 64, 1))
TRANSITIONS = 100_000  # in the buffer that an update samples from
IMAGE_TRANSITIONS = 1000
REPETITIONS = 21
BLOCK_SECONDS = 0.3

# Name, environments, how they run, updates a step: at 0.125, eight take one update together.
VECTORS = (
    ("1 environment, 1 update a step", 1, "sync", 1.0),
    ("1 environment, 0.125 updates a step", 1, "sync", 0.125),
    ("8, sync, 0.125 updates a step", 8, "sync", 0.125),
    ("8, async, 0.125 updates a step", 8, "async", 0.125),
)
VECTOR_UPDATES = 1600
VECTOR_LEARNING_STARTS = 1000
VECTOR_LOG_EVERY = 400  # steps that a rate is taken over


def update(bench: Bench) -> None:
    """One update with its sampling, at the sizes of HalfCheetah, Pendulum and Humanoid."""
    for observations, actions, batch_size, width in UPDATE_SIZES:
        sizes: dict[str, Any] = {
            "observation_size": observations,
            "action_size": actions,
            "batch_size": batch_size,
            "hidden_sizes": [width, width],
        }
        arguments = sizes | {"transitions": TRANSITIONS, "device": bench.options.device}
        works = _with_numpy(bench, {side: (side, "update", arguments) for side in bench.sides})
        is_first = (observations, actions, batch_size, width) == UPDATE_SIZES[0]
        with_products = is_first and bench.options.device == "cpu"
        if with_products:
            works["products"] = (OURS, "update_products", sizes)
        name = f"update {observations}/{actions}, batch {batch_size}, {width}x{width}"
        bench.announce(name)
        samples = bench.compare(works, REPETITIONS, BLOCK_SECONDS)
        if with_products:
            products = samples.pop("products")
            bench.report.gemm_multiple = samples[OURS].median / products.median
            bench.report.rows.append(Row(name, "ms", samples[OURS], "its products alone", products))
        bench.report.rows += rows_against(name, samples)
    for observations, actions, batch_size, width in DISCRETE_SIZES:
        name = f"update {observations}/{actions} discrete, batch {batch_size}, {width}x{width}"
        bench.announce(name)
        arguments = {
            "observation_size": observations,
            "actions": actions,
            "batch_size": batch_size,
            "hidden_sizes": [width, width],
            "transitions": TRANSITIONS,
            "device": bench.options.device,
        }
        works = _with_numpy(bench, {OURS: (OURS, "discrete_update", arguments)})
        bench.report.rows += rows_against(name, bench.compare(works, REPETITIONS, BLOCK_SECONDS))


def images(bench: Bench) -> None:
    """One update with its sampling, of agents that see images; SB3's is its CnnPolicy."""
    for shape in IMAGE_SHAPES:
        name = f"update {'x'.join(map(str, shape))}/3, batch 128, 256x256"
        bench.announce(name)
        arguments = {
            "observation_shape": shape,
            "action_size": 3,
            "batch_size": 128,
            "transitions": IMAGE_TRANSITIONS,
            "device": bench.options.device,
        }
        works = {s: (s, "image_update", arguments) for s in bench.sides if s in (OURS, "sb3")}
        bench.report.rows += rows_against(name, bench.compare(works, REPETITIONS, BLOCK_SECONDS))


def variants(bench: Bench) -> None:
    """The updates of one environment step of each variant, beside the peers that have it."""
    for variant in VARIANTS:
        updates = int(study_config(f"pendulum/{variant.name}").train.updates_per_step)
        name = f"{variant.name}, {updates} update{'s' if updates > 1 else ''} 17/6, batch 256"
        bench.announce(name)
        arguments = {
            "variant": variant.name,
            "observation_size": 17,
            "action_size": 6,
            "transitions": TRANSITIONS,
            "updates": updates,
            "device": bench.options.device,
        }
        sides = [side for side in bench.sides if side == OURS or side in variant.peers]
        works = {side: (side, "variant_update", arguments) for side in sides}
        bench.report.rows += rows_against(name, bench.compare(works, REPETITIONS, BLOCK_SECONDS))


def _with_numpy(bench: Bench, works: dict[str, Named]) -> dict[str, Named]:
    """Return the works with one more: what ours does where it is not compiled."""
    side, work, arguments = works[OURS]
    if bench.options.device != "cpu":
        return works  # a GPU has kernels of its own
    return {**works, IN_NUMPY: (side, work, {**arguments, "compile": "never"})}


def act(bench: Bench) -> None:
    """A random action for one observation."""
    name = "act on one observation 17/6, 256x256"
    bench.announce(name)
    arguments = {
        "observation_size": 17,
        "action_size": 6,
        "hidden_sizes": [256, 256],
        "device": bench.options.device,
    }
    works = {side: (side, "act", arguments) for side in bench.sides}
    bench.report.rows += rows_against(name, bench.compare(works, REPETITIONS, BLOCK_SECONDS))


def fill(bench: Bench) -> None:
    """One update while the buffer holds 10,000 transitions and while it holds 1,000,000."""
    few, many = "10,000 transitions", "1,000,000 transitions"
    bench.announce(f"update with {few} and with {many} in the buffer")
    arguments = {
        "observation_size": 17,
        "action_size": 6,
        "batch_size": 256,
        "hidden_sizes": [256, 256],
        "device": bench.options.device,
    }
    works = {
        few: (OURS, "update", arguments | {"transitions": 10_000}),
        many: (OURS, "update", arguments | {"transitions": 1_000_000}),
    }
    samples = bench.compare(works, REPETITIONS, BLOCK_SECONDS)
    bench.report.rows.append(
        Row(f"update, {many} in the buffer", "ms", samples[many], f"ours, {few}", samples[few])
    )


def vector(bench: Bench) -> None:
    """Environment steps a second of 8 Pendulum that share updates, against 1 that does not."""
    place, samples = bench.place(OURS), {name: Sample([]) for name, *_ in VECTORS}
    for _ in range(bench.repetitions(3)):
        for name, num_envs, kind, updates_per_step in VECTORS:
            bench.announce(f"training on Pendulum-v1, {name}")
            folder = bench.folder()
            settings = {
                "env": {"id": "Pendulum-v1", "num_envs": num_envs, "vectorization": kind},
                "train": {
                    "total_steps": VECTOR_LEARNING_STARTS + int(VECTOR_UPDATES / updates_per_step),
                    "learning_starts": VECTOR_LEARNING_STARTS,
                    "updates_per_step": updates_per_step,
                },
                "logging": {"every_steps": VECTOR_LOG_EVERY},
            }
            run_program(place, train_arguments(folder, settings, bench.options.device), folder)
            samples[name].values.append(_steps_per_second(folder))
    single = VECTORS[0][0]
    for name in samples:
        work = f"Pendulum-v1, {name}"
        peer, theirs = (None, None) if name == single else (f"ours, {single}", samples[single])
        bench.report.rows.append(Row(work, "steps/s", samples[name], peer, theirs))


def _steps_per_second(folder: Path) -> float:
    """Return the median of the rates that the run itself logged while it was learning."""
    (file,) = folder.glob("runs/*/metrics.csv")
    with file.open(newline="") as lines:
        rates = [
            float(row["time/env_steps_per_second"])
            for row in csv.DictReader(lines)
            if int(row["step"]) > VECTOR_LEARNING_STARTS and row["time/env_steps_per_second"]
        ]
    return statistics.median(rates)
