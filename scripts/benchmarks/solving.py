"""`benchmark.py solve`: seconds from the start of the process until an evaluation shows success.

Ours trains with the shipped configuration, SB3 and SBX with the settings of SB3's Zoo, RLtools with
its own, which are for Pendulum. All evaluate as often and as long as our configuration says, which
counts, and end with the first evaluation that reaches what the README's table asks of every seed. A
side that does not get there within the configuration's steps counts with its full time.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sac.config import Config
from scripts.benchmarks.learning import GOALS, load_config
from scripts.benchmarks.process import (
    OURS,
    ROOT,
    WORKERS,
    BenchmarkError,
    Place,
    kept_to_processors,
    python_path,
    run_program,
)
from scripts.benchmarks.report import PAGE, TEXT_WIDTH, markdown, processor, write_section

LINES = ROOT / "scripts" / "benchmarks" / "solving.jsonl"
SEEDS = (0, 1, 2)
PEERS = {"sb3": "SB3", "sbx": "SBX", "rltools": "RLtools"}  # and what the table calls them
# Of which configuration, by which sides, and until which return, if not the table's.
TASKS = {
    "pendulum": (OURS, "sb3", "sbx", "rltools"),
    "cartpole": (OURS,),  # the peers' SAC knows no discrete actions
    "lunar_lander_continuous": (OURS, "sb3", "sbx"),
    "half_cheetah": (OURS, "sb3", "sbx"),
}
TARGETS = {goal.config: goal.aim.every for goal in GOALS if goal.aim is not None}
TARGETS["half_cheetah"] = 3000.0
HEADINGS = (
    "until an evaluation reaches", OURS, *PEERS.values(), *(f"ours/{n}" for n in PEERS.values())
)  # fmt: skip
DESCRIPTION = """Measure how long the shipped configurations take, from the start of the process,
until an evaluation reaches what the README's table asks of every seed; SB3 and SBX with the
settings of SB3's Zoo, where --peer-python is given; and RLtools with its own, where
--rltools-python is. What scripts/benchmarks/solving.jsonl holds is not measured again. The machine
should do nothing else."""


@dataclass(frozen=True)
class Solved:
    """How long a side took with a seed."""

    config: str
    side: str
    seed: int
    target: float
    seconds: float
    step: int | None  # of the evaluation that reached the target; None: none did
    date: str
    machine: str

    @property
    def key(self) -> tuple[str, str, int, float]:
        """What was measured."""
        return self.config, self.side, self.seed, self.target


def solve(argv: Sequence[str]) -> int:
    """Measure what `argv` asks for and is not known yet, and print a table."""
    arguments = _parser().parse_args(argv)
    wanted = list(TASKS) if arguments.only is None else arguments.only.split(",")
    if unknown := sorted(set(wanted) - set(TASKS)):
        raise BenchmarkError(f"--only: expected names of {', '.join(TASKS)}; got {unknown[0]}")
    pythons = {
        OURS: sys.executable,
        "sb3": arguments.peer_python,
        "sbx": arguments.peer_python,
        "rltools": arguments.rltools_python,
    }
    known = {solved.key for solved in read(arguments.lines)}
    for name in wanted:
        for seed in SEEDS:
            for side in TASKS[name]:
                python = pythons[side]
                if python is not None and (name, side, seed, TARGETS[name]) not in known:
                    print(f"{name}, seed {seed}: {side}", file=sys.stderr)
                    solved = _measure(name, side, seed, python)
                    with open(arguments.lines, "a", encoding="utf-8") as file:
                        file.write(json.dumps(asdict(solved)) + "\n")
    table = medians(read(arguments.lines))
    shown = Table(*HEADINGS)
    for cells in table:
        shown.add_row(*cells)
    Console(width=None if sys.stdout.isatty() else TEXT_WIDTH).print(shown)
    if arguments.lines == LINES:
        write_section("solve", to_markdown(table), PAGE)
    return 0


def to_markdown(table: Sequence[Sequence[str]]) -> str:
    """Return the page's table."""
    return markdown(HEADINGS, table) if table else "Not measured yet.\n"


def read(path: Path = LINES) -> list[Solved]:
    """Return what was measured."""
    if not path.exists():
        return []
    return [Solved(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def _measure(name: str, side: str, seed: int, python: str) -> Solved:
    config, target = load_config(name), TARGETS[name]
    path = ROOT if side == OURS else WORKERS
    if side == OURS:
        program = ["-m", "scripts.benchmarks.workers.our_solving", "--config", name]
    elif side == "rltools":
        program = ["-m", "workers.rltools_solving", *_peer_arguments(config)]
    else:
        program = ["-m", "workers.peer_solving", side, "--config", name, *_peer_arguments(config)]
    program += ["--seed", str(seed), "--target", str(target)]
    with tempfile.TemporaryDirectory() as folder:
        # RLtools keeps its compiled code in the temporary folder.
        variables = {"TMPDIR": folder} if side == "rltools" else {}
        place = Place(python, path, threads=1, device="cpu", variables=variables)
        if side == "rltools":  # as it is compiled once for all runs, that is not counted
            run_program(place, [*program, "--compile-only"], Path(folder))
        with kept_to_processors(1):  # JAX has no other limit
            finished = run_program(place, program, Path(folder))
    step = json.loads(finished.output.splitlines()[-1])["step"]
    today = datetime.now(UTC).date().isoformat()
    seconds = round(finished.seconds, 2)
    return Solved(name, side, seed, target, seconds, step, today, processor())


def _peer_arguments(config: Config) -> list[str]:
    return [
        "--env", config.env.id, "--steps", str(config.train.total_steps),
        "--every-steps", str(config.evaluation.every_steps),
        "--episodes", str(config.evaluation.episodes),
    ]  # fmt: skip


def medians(measured: Sequence[Solved]) -> list[list[str]]:
    """Return the table's cells: task, seconds of each side, and ours as a share of each peer's."""
    table = []
    for name in TASKS:
        known = [e for e in measured if (e.config, e.target) == (name, TARGETS[name])]
        by_side = {s: [each for each in known if each.side == s] for s in (OURS, *PEERS)}
        if not by_side[OURS]:
            continue
        title = f"{load_config(name).env.id} to {TARGETS[name]:,g}"
        cells = [_cell(found) for found in by_side.values()]
        shares = [_share(by_side[OURS], by_side[peer]) for peer in PEERS]
        table.append([title, *cells, *shares])
    return table


def _seconds(found: Sequence[Solved]) -> float:
    return statistics.median(each.seconds for each in found)


def _share(ours: Sequence[Solved], theirs: Sequence[Solved]) -> str:
    """Return ours as a share of theirs, by the seeds that both have."""
    seeds = {each.seed for each in ours} & {each.seed for each in theirs}
    pair = [[each for each in side if each.seed in seeds] for side in (ours, theirs)]
    return f"{_seconds(pair[0]) / _seconds(pair[1]):.2f}" if seeds else ""


def _cell(found: Sequence[Solved]) -> str:
    """Return the median seconds, how many seeds did not get there, and which are yet to run."""
    if not found:
        return ""
    remarks = []
    if short := sum(each.step is None for each in found):
        remarks.append(f"{short} of {len(found)} seeds never")
    if len(found) < len(SEEDS):
        remarks.append(f"{len(found)} of {len(SEEDS)} seeds run")
    return f"{_seconds(found):.1f} s" + (f" ({'; '.join(remarks)})" if remarks else "")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmark.py solve", description=DESCRIPTION, allow_abbrev=False
    )
    parser.add_argument("--only", metavar="NAMES", help=f"Of {', '.join(TASKS)}.")
    for option, what in (
        ("peer", "an environment with SB3 and SBX"),
        ("rltools", "RLtools' environment"),
    ):
        parser.add_argument(
            f"--{option}-python", type=python_path, metavar="PATH", help=f"Python of {what}."
        )
    parser.add_argument("--lines", type=Path, default=LINES, metavar="FILE", help="Of results.")
    return parser
