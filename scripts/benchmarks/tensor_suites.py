"""The cost of tensors: autograd against bare NumPy and torch, and what no_grad saves."""

from scripts.benchmarks.bench import Bench
from scripts.benchmarks.harness import Row, Sample
from scripts.benchmarks.process import OURS
from scripts.benchmarks.workers.tensors import SMALL, SMALL_OPS

MODES = {"no_grad": "no_grad", "recorded": "recorded", "backward": "with backward"}
REPETITIONS = 21
SMALL_BLOCK_SECONDS = 0.05
BLOCK_SECONDS = 0.3
MLP = {"batch": 256, "width": 256}
MEGABYTE = 1e6

NO_GRAD_WORKS = {
    "policy, 16 batches of 1,024": ("no_grad_evaluation", {"batches": 16, "batch_size": 1024}),
    "SAC target, batch 256": ("no_grad_target", {"batch_size": 256}),
    "SGD step, 3 layers of 256": ("no_grad_step", {"width": 256}),
}
# What a work is examined for: the field, how the table calls it, its unit, the unit's size.
EXAMINED = (
    ("peak_bytes", "peak memory", "MB", MEGABYTE),
    ("kept_bytes", "memory kept with the result", "MB", MEGABYTE),
    ("nodes", "nodes", "nodes", 1),
)


def autograd(bench: Bench) -> None:
    """Small operations as multiples of the NumPy call, and an MLP's forward and backward."""
    for op in SMALL_OPS:
        name = f"{op} of {SMALL} elements"
        bench.announce(name)
        works = {"numpy": (OURS, "bare_small_op", {"op": op})}
        works |= {mode: (OURS, "small_op", {"op": op, "mode": mode}) for mode in MODES}
        if bench.options.torch_python is not None:
            works |= {
                f"torch {mode}": ("torch", "small_op", {"op": op, "mode": mode}) for mode in MODES
            }
        samples = bench.compare(works, REPETITIONS, SMALL_BLOCK_SECONDS)
        for mode, words in MODES.items():
            for peer, key in (("numpy", "numpy"), ("torch", f"torch {mode}")):
                if key in samples:
                    row = Row(f"{name}, {words}", "ms", samples[mode], peer, samples[key])
                    bench.report.rows.append(row)
    _mlp(bench)


def _mlp(bench: Bench) -> None:
    name = "MLP forward and backward, 3 layers of 256, batch 256"
    bench.announce(name)
    works = {OURS: (OURS, "mlp", MLP), "numpy": (OURS, "bare_mlp", MLP)}
    if bench.options.torch_python is not None:
        works["torch"] = ("torch", "mlp", MLP)
    samples = bench.compare(works, REPETITIONS, BLOCK_SECONDS)
    peers = {"numpy": "bare numpy", "torch": "torch"}
    bench.report.rows += [
        Row(name, "ms", samples[OURS], peers[key], samples[key]) for key in samples if key != OURS
    ]


def no_grad(bench: Bench) -> None:
    """Time, memory and nodes of works under no_grad against the same recorded."""
    worker = bench.worker(OURS)
    for name, (work, sizes) in NO_GRAD_WORKS.items():
        bench.announce(name)
        works = {
            key: (OURS, work, {**sizes, "recorded": key == "recorded"})
            for key in ("no_grad", "recorded")
        }
        samples = bench.compare(works, REPETITIONS, BLOCK_SECONDS)
        with bench.prepared(works):
            found = {key: worker.examine(key) for key in works}
        rows = [Row(name, "ms", samples["no_grad"], "recorded", samples["recorded"])]
        for field, words, unit, scale in EXAMINED:
            ours, theirs = (Sample([found[key][field] / scale]) for key in works)
            rows.append(Row(f"{name}: {words}", unit, ours, "recorded", theirs))
        bench.report.rows += rows
