"""The doctor command: what is wrong with a run, in words, with numbers and a remedy."""

import json
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sac.cli.parser import CommandParser
from sac.cli.runs import LAST, add_run_options, check_runs, for_each_run

if TYPE_CHECKING:
    from sac.diagnosis.run import Report

DESCRIPTION = """Look for what is wrong with a run: a policy no better than random actions,
entropy that never reaches its target, alpha that runs away, saturated actions, Q values far from
discounted returns, dead units, exploding or vanishing gradients, observations on very different
scales, rewards that are too large or too rare, action bounds that are far too wide, terminations
stored as truncations, an environment that fails Gymnasium's checker, updates and environment steps
that wait for one another. It also says of what it is too early to tell. It reads metrics.csv and
the last checkpoint, plays a few episodes and changes nothing. The exit status is 0 unless --strict
is given."""
FOUND = 1
TITLES = {"fine": "Fine:", "early": "Too early to judge:", "unknown": "Unknown:"}
MAX_WIDTH = 100


def doctor_command(argv: Sequence[str], prog: str) -> int:
    """Examine the runs that `argv` names and return the exit status; SACError if that fails."""
    parser = CommandParser(prog, DESCRIPTION)
    add_run_options(parser, LAST, episodes=10)
    parser.add_flag("--json", "Print one JSON object on one line for each run.")
    parser.add_flag("--strict", f"Exit with status {FOUND} if anything is found.")
    arguments = parser.parse_args(argv)
    check_runs(arguments)
    from sac.diagnosis.run import diagnose  # here, so that --help and refusals stay quick

    reports = for_each_run(arguments, diagnose)
    for report in reports:
        print(json.dumps(report.to_dict()) if arguments.json else "\n".join(_lines(report)))
    is_ill = any(report.illnesses for report in reports)
    return FOUND if arguments.strict and is_ill else 0


def _lines(report: "Report") -> Iterator[str]:
    found = len(report.illnesses)
    count = f"{found} finding{'s' * (found > 1)}" if found else "nothing wrong found"
    early = ", ".join(name for name, r in report.results.items() if r.state == "early")
    more = f"; too early to judge: {early}" if early else ""
    yield f"{report.run}: {count} at step {report.step:,}{more}"
    if report.note:
        yield from _wrapped(report.note, "  ")
    for name in report.illnesses:
        result = report.results[name]
        yield ""
        yield from _wrapped(f"{name}: {result.text}", "! ")
        yield from _wrapped(f"Remedy: {result.remedy}.", "  ")
    for state, title in TITLES.items():
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
