"""The record command: episodes of a trained policy as a Minari data set."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from sac.cli.parser import CommandParser
from sac.cli.runs import BEST_OR_LAST, add_policy_options, check_runs, for_each_run
from sac.config import EvaluationConfig
from sac.config.fields import count
from sac.errors import install_command

DESCRIPTION = f"""Play episodes with a trained policy and write them as a Minari data set, which
train.demonstrations and minari read. Needs {install_command("minari")}."""


def record_command(argv: Sequence[str], prog: str) -> int:
    """Record what `argv` names and return the exit status; SACError if that fails."""
    parser = CommandParser(prog, DESCRIPTION)
    parser.add_argument("path", type=Path, metavar="RUN", help="Run directory, or a checkpoint.")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FOLDER", help="Folder to make."
    )
    add_policy_options(parser, BEST_OR_LAST, episodes=100)
    max_steps = count("Steps after which an episode is cut where the environment has no limit.")
    parser.add_number("--max_steps", max_steps, EvaluationConfig.max_steps)
    parser.add_flag("--stochastic", "Sample actions, not the most likely ones.")
    arguments = parser.parse_args(argv)
    arguments.paths = [arguments.path]
    check_runs(arguments)
    from sac.share.episodes import record  # here, so that --help and refusals stay quick

    output, deterministic = arguments.output, not arguments.stochastic
    more = {"deterministic": deterministic, "max_steps": arguments.max_steps}
    for written in for_each_run(arguments, partial(record, output=output), **more):
        print(written)
    return 0
