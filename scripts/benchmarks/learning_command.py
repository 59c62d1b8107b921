"""`benchmark.py learn`: trains what has no line yet, and shows what was learned."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sac.errors import SACError
from scripts.benchmarks.learning import GOALS, LINES, Goal, Lines, load_config, rows
from scripts.benchmarks.learning_report import DETAILS, draw, print_text, to_json, to_markdown
from scripts.benchmarks.process import ROOT, BenchmarkError, processors
from scripts.benchmarks.report import PAGE, write_section
from scripts.benchmarks.trainings import missing, train_missing

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
        wanted = [(goal.config, load_config(goal.config), range(goal.seeds)) for goal in goals]
        todo = missing(wanted, arguments.seeds, lines)
        status = train_missing(todo, arguments.lines, arguments.runs, arguments.workers)
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
