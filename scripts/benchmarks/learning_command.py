"""`benchmark.py learn`: trains what has no line yet, and shows what was learned."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sac.errors import SACError
from sac.sweep.plan import THREAD_VARIABLES, Plan
from sac.sweep.processes import train_in_processes
from sac.terminal.interrupt import SIGNAL_STATUS
from scripts.benchmarks.learning import GOALS, LINES, Goal, Lines, load_config, rows
from scripts.benchmarks.learning_report import DETAILS, draw, print_text, to_json, to_markdown
from scripts.benchmarks.process import ROOT, BenchmarkError, processors
from scripts.benchmarks.report import PAGE, write_section

DESCRIPTION = """Train the shipped configurations with each seed of the README's table, as far as
scripts/benchmarks/learning.jsonl has no line of that yet, and write the table and its figure. An
interrupted command goes on where it stopped when it is given again."""


def learn(argv: Sequence[str]) -> int:
    """Do what `argv` says and return the exit status; BenchmarkError if it can't be done."""
    arguments = _parser().parse_args(argv)
    lines = Lines(arguments.lines)
    goals = _goals(arguments.only)
    status = 0
    if not arguments.no_train:
        status = _train(_missing(goals, arguments.seeds, lines), lines, arguments)
    found = rows(goals, lines)
    print_text(found, sys.stderr if arguments.json else sys.stdout)
    if arguments.json:
        print(to_json(found))
    if arguments.lines == LINES:
        _write(lines)
    return status


def _goals(only: str | None) -> list[Goal]:
    names = {goal.config for goal in GOALS}
    wanted = names if only is None else set(only.split(","))
    if unknown := wanted - names:
        raise BenchmarkError(
            f"--only: expected names of {', '.join(sorted(names))}; got {', '.join(unknown)}"
        )
    return [goal for goal in GOALS if goal.config in wanted]


def _missing(
    goals: Sequence[Goal], seeds: Sequence[int] | None, lines: Lines
) -> list[tuple[str, int]]:
    """Return the names of configurations and the seeds that have no line that holds."""
    return [
        (goal.config, seed)
        for goal in goals
        for known in [lines.of(goal.config, load_config(goal.config))]
        for seed in (range(goal.seeds) if seeds is None else seeds)
        if seed not in known
    ]


def _train(missing: Sequence[tuple[str, int]], lines: Lines, arguments: argparse.Namespace) -> int:
    """Train; return 0, or the exit status of the first that failed or of an interruption."""
    program = [sys.executable, "-m", "scripts.benchmarks.workers.our_learning"]
    places = ["--runs", str(arguments.runs.absolute()), "--lines", str(arguments.lines.absolute())]
    commands = {
        f"{name} seed {seed}": [*program, "--config", name, "--seed", str(seed), *places]
        for name, seed in missing
    }
    # The number of threads changes the last bits of matrix products: one is what any machine has.
    variables = dict.fromkeys(THREAD_VARIABLES, "1") | {"PYTHONPATH": str(ROOT)}
    runs, interrupted_by = train_in_processes(Plan(commands, arguments.workers, variables))
    if interrupted_by is not None:
        return SIGNAL_STATUS + interrupted_by
    return next((run.status for run in runs if run.status), 0)


def _write(lines: Lines) -> None:
    """Write the tables and the figure, which show all goals."""
    found = rows(GOALS, lines)
    write_section("learn", to_markdown(found, without=DETAILS))
    write_section("learn", to_markdown(found), PAGE)
    try:
        draw(found)
    except SACError as error:
        print(f"No figure: {error}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmark.py learn", description=DESCRIPTION, allow_abbrev=False
    )
    parser.add_argument("--only", metavar="NAMES", help="Of these configs, such as acrobot,hopper.")
    parser.add_argument(
        "--seeds", type=_seeds, metavar="N,N,...", help="Seeds to train. (default: the table's)"
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=processors(),
        metavar="N",
        help="Trainings at a time. (default: all processors, here %(default)s)",
    )
    parser.add_argument("--no-train", action="store_true", help="Show what is known.")
    parser.add_argument(
        "--runs",
        type=Path,
        default=ROOT / "runs" / "learning",
        metavar="FOLDER",
        help="Where run directories are made, and looked for to go on. (default: runs/learning)",
    )
    parser.add_argument(
        "--lines",
        type=Path,
        default=LINES,
        metavar="FILE",
        help="Another file of results; the pages' tables and figure are left alone.",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="Print one JSON object on one line, and the table on standard error.",
    )
    return parser


def _seeds(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]
