"""The doctor command: what is wrong with a run, in words, with numbers and a remedy."""

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sac.cli.parser import CommandParser, value_type
from sac.config import check_device
from sac.config.fields import count
from sac.config.schema import SEED_LIMIT
from sac.errors import CheckpointError

if TYPE_CHECKING:
    from sac.diagnosis.run import Report

DESCRIPTION = """Look for what is wrong with a run: entropy that never reaches its target, alpha
that runs away, saturated actions, Q values far from discounted returns, dead units, exploding or
vanishing gradients, observations on very different scales, rewards that are too large or too rare,
action bounds that are far too wide, terminations stored as truncations, an environment that fails
Gymnasium's checker, updates and environment steps that wait for one another. It reads metrics.csv
and the last checkpoint, plays a few episodes and changes nothing. The exit status is 0 unless
--strict is given."""
FOUND = 1
MAX_WIDTH = 100


def doctor_command(argv: Sequence[str], prog: str) -> int:
    """Examine the runs that `argv` names and return the exit status; SACError if that fails."""
    arguments = _parser(prog).parse_args(argv)
    check_device(arguments.device)
    for path in arguments.paths:
        if not os.path.isdir(path):  # unlike Path.is_dir, False for a name that is too long
            raise CheckpointError(f"{path} is not a folder: expected a run directory")
    from sac.diagnosis.run import diagnose  # here, so that --help and refusals stay quick

    reports = []
    # What environments print must not end up in the JSON that another program reads.
    with redirect_stdout(sys.stderr):
        for path in arguments.paths:
            report = diagnose(
                path,
                checkpoint=str(arguments.checkpoint),
                episodes=arguments.episodes,
                seed=arguments.seed,
                device=arguments.device,
                trust=arguments.trust,
            )
            reports.append(report)
    for report in reports:
        print(json.dumps(report.to_dict()) if arguments.json else "\n".join(_lines(report)))
    is_ill = any(report.illnesses for report in reports)
    return FOUND if arguments.strict and is_ill else 0


def _parser(prog: str) -> CommandParser:
    parser = CommandParser(prog, DESCRIPTION)
    parser.add_argument("paths", type=Path, nargs="+", metavar="RUN", help="Run directories.")
    parser.add_argument(
        "--checkpoint",
        type=value_type("--checkpoint", Literal["last"] | int, count("Step.", at_least=0)),
        default="last",
        metavar="WHICH",
        help="The last checkpoint, or the one of this step. (default: last)",
    )
    numbers = {
        "episodes": (10, count("Episodes to play, for the checks that need them.", at_most=10**6)),
        "seed": (0, count("Seed of those episodes.", at_least=0, at_most=SEED_LIMIT)),
    }
    for name, (default, option) in numbers.items():
        parser.add_argument(
            f"--{name}",
            type=value_type(f"--{name}", int, option),
            default=default,
            metavar="N",
            help=f"{option.help} (default: {default})",
        )
    parser.add_argument(
        "--device", default="auto", help="auto, cpu, cuda or cuda:N. (default: auto)"
    )
    parser.add_argument(
        "--trust", action="store_true", help="Import the modules that the run's config names."
    )
    parser.add_argument(
        "--json", action="store_true", help="Print one JSON object on one line for each run."
    )
    parser.add_argument(
        "--strict", action="store_true", help=f"Exit with status {FOUND} if anything is found."
    )
    return parser


def _lines(report: "Report") -> Iterator[str]:
    found = len(report.illnesses)
    count = f"{found} finding{'s' * (found > 1)}" if found else "nothing wrong found"
    yield f"{report.run}: {count} at step {report.step:,}"
    if report.note:
        yield from _wrapped(report.note, "  ")
    for name in report.illnesses:
        result = report.results[name]
        yield ""
        yield from _wrapped(f"{name}: {result.text}", "! ")
        yield from _wrapped(f"Remedy: {result.remedy}.", "  ")
    for state, title in (("fine", "Fine:"), ("unknown", "Unknown:")):
        own = {name: r for name, r in report.results.items() if r.state == state}
        if own:
            yield ""
            yield title
        for name, result in own.items():
            yield from _wrapped(f"{name}: {result.text}", "  ", "    ")


def _wrapped(text: str, start: str, further: str = "  ") -> list[str]:
    width = min(MAX_WIDTH, shutil.get_terminal_size().columns)
    return textwrap.wrap(
        text, width, initial_indent=start, subsequent_indent=further, break_long_words=False
    )
