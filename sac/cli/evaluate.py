"""The evaluate command: episodes of trained policies, as a table, as CSV or as lines of JSON."""

import argparse
import csv
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sac.cli.parser import CommandParser, take_environment_arguments
from sac.cli.runs import BEST_OR_LAST, add_run_options, check_runs, for_each_run
from sac.config import EvaluationConfig
from sac.config.fields import count
from sac.errors import ConfigError, install_command

if TYPE_CHECKING:
    from sac.evaluation.evaluate import EvaluationResult

DESCRIPTION = """Play episodes with trained policies and report their returns, with a column for
each run. --env.kwargs.NAME VALUE passes an argument to the environment."""


def evaluate_command(argv: Sequence[str], prog: str) -> int:
    """Evaluate the runs that `argv` names and return the exit status; SACError if that fails."""
    argv, environment_arguments = take_environment_arguments(argv)
    arguments = _parser(prog).parse_args(argv)
    check_runs(arguments)
    overrides: dict[str, Any] = {} if arguments.env_id is None else {"id": arguments.env_id}
    if arguments.render is not None:
        environment_arguments = {"render_mode": arguments.render, **environment_arguments}
    if environment_arguments:
        overrides["kwargs"] = environment_arguments
    if arguments.video is not None:
        _check_film(arguments)
    from sac.evaluation.evaluate import evaluate  # here, so that --help and refusals stay quick

    results = for_each_run(
        arguments,
        evaluate,
        env_overrides=overrides,
        deterministic=not arguments.stochastic,
        num_envs=arguments.num_envs if arguments.render is None else 1,
        max_steps=arguments.max_steps,
        with_random=arguments.random,
        video=arguments.video,
    )
    _print(results, arguments.format)
    if arguments.video is not None and arguments.format is None:
        print(f"Film: {arguments.video}")
    return 0


def _check_film(arguments: argparse.Namespace) -> None:
    if len(arguments.paths) > 1:
        raise ConfigError("--video films one run: give a single RUN")
    if arguments.render is not None:
        raise ConfigError("--video and --render draw in different ways: give only one of them")


def _parser(prog: str) -> CommandParser:
    parser = CommandParser(prog, DESCRIPTION)
    add_run_options(parser, BEST_OR_LAST, episodes=20)
    parser.add_number(
        "--num_envs", count("Environments that play side by side.", at_most=10_000), 1
    )
    max_steps = count("Steps after which an episode is cut where the environment has no limit.")
    parser.add_number("--max_steps", max_steps, EvaluationConfig.max_steps)
    parser.add_argument(
        "--env.id",
        dest="env_id",
        metavar="ID",
        help="Play another environment whose spaces fit the policy, without the run's env.kwargs. "
        "(default: the run's own)",
    )
    parser.add_flag("--stochastic", "Sample actions, not the most likely ones.")
    parser.add_flag("--random", "Also play as many episodes with random actions.")
    parser.add_argument(
        "--render", choices=("human",), help="Show the episodes in a window, one at a time."
    )
    parser.add_argument(
        "--video",
        type=Path,
        metavar="FILE",
        help="Film an episode to FILE (.mp4 or .gif), with step and return drawn in. Needs the "
        f"packages of {install_command('video')}.",
    )
    formats = parser.add_mutually_exclusive_group()
    for name, help in (
        ("json", "Print one JSON object on one line for each run."),
        ("csv", "Print a header and one line of CSV for each run."),
    ):
        formats.add_argument(
            f"--{name}", dest="format", action="store_const", const=name, help=help
        )
    return parser


def _print(results: Sequence["EvaluationResult"], format: str | None) -> None:
    for result in results:
        if strange := sum(not math.isfinite(value) for value in result.returns):
            text = f"{result.run}: {strange} of {result.episodes} returns are no finite numbers"
            print(f"warning: {text}", file=sys.stderr)
    match format:
        case "json":
            for result in results:
                print(json.dumps(_finite(result.to_dict()), allow_nan=False))
        case "csv":
            rows = [row for result in results for row in _with_random(result)]
            writer = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        case None:
            from sac.cli.evaluation_table import print_table

            print_table(results)


def _finite(value: Any) -> Any:
    """Return JSON values with null for what JSON has no number for."""
    match value:
        case dict():
            return {name: _finite(item) for name, item in value.items()}
        case list():
            return [_finite(item) for item in value]
        case float() if not math.isfinite(value):
            return None
    return value


def _with_random(result: "EvaluationResult") -> list[dict[str, Any]]:
    rows = [{"policy": "trained", **result.summary()}]
    if result.random_policy is not None:
        rows.append({"policy": "random", **result.random_policy.summary()})
    return rows
