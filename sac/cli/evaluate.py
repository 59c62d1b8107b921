"""The evaluate command: episodes of trained policies, as a table, as CSV or as lines of JSON."""

import argparse
import csv
import json
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sac.cli.parser import CommandParser, take_environment_arguments, value_type
from sac.config import check_device
from sac.config.fields import count
from sac.config.schema import SEED_LIMIT
from sac.errors import CheckpointError, ConfigError

if TYPE_CHECKING:
    from sac.evaluation.evaluate import EvaluationResult

DESCRIPTION = """Play episodes with trained policies and report their returns, with a column for
each run. --env.kwargs.NAME VALUE passes an argument to the environment."""


def evaluate_command(argv: Sequence[str], prog: str) -> int:
    """Evaluate the runs that `argv` names and return the exit status; SACError if that fails."""
    argv, environment_arguments = take_environment_arguments(argv)
    arguments = _parser(prog).parse_args(argv)
    check_device(arguments.device)
    for path in arguments.paths:
        if not os.path.exists(path):  # unlike Path.exists, False for a name too long
            raise CheckpointError(f"{path} does not exist: expected a run directory")
    overrides: dict[str, Any] = {} if arguments.env_id is None else {"id": arguments.env_id}
    if environment_arguments:
        overrides["kwargs"] = environment_arguments
    num_envs = arguments.num_envs
    if arguments.render == "human":
        overrides["kwargs"] = {"render_mode": "human", **environment_arguments}
        num_envs = 1
    if arguments.video is not None:
        _check_film(arguments)
    from sac.evaluation.evaluate import evaluate  # here, so that --help and refusals stay quick

    results = []
    # What environments print must not end up in the JSON that another program reads.
    with redirect_stdout(sys.stderr):
        for path in arguments.paths:
            result = evaluate(
                path,
                env_overrides=overrides,
                episodes=arguments.episodes,
                seed=arguments.seed,
                checkpoint=str(arguments.checkpoint),
                deterministic=not arguments.stochastic,
                num_envs=num_envs,
                device=arguments.device,
                with_random=arguments.random,
                video=arguments.video,
                trust=arguments.trust,
            )
            results.append(result)
    _print(results, "json" if arguments.json else "csv" if arguments.csv else "table")
    return 0


def _check_film(arguments: argparse.Namespace) -> None:
    if len(arguments.paths) > 1:
        raise ConfigError("--video films one run: give a single RUN")
    if arguments.render is not None:
        raise ConfigError("--video and --render draw in different ways: give only one of them")


def _parser(prog: str) -> CommandParser:
    parser = CommandParser(prog, DESCRIPTION)
    parser.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="RUN",
        help="Run directories, or checkpoints in them.",
    )
    numbers = {
        "episodes": (20, count("Episodes to play.", at_most=10**6)),
        "seed": (0, count("Seed of the environments.", at_least=0, at_most=SEED_LIMIT)),
        "num_envs": (1, count("Environments that play side by side.", at_most=10_000)),
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
        "--checkpoint",
        type=value_type("--checkpoint", Literal["best", "last"] | int, count("Step.", at_least=0)),
        default="best",
        metavar="WHICH",
        help="The best checkpoint, the last, or the one of a step. (default: best)",
    )
    parser.add_argument(
        "--env.id",
        dest="env_id",
        metavar="ID",
        help="Play another environment whose spaces fit the policy, without the run's env.kwargs. "
        "(default: the run's own)",
    )
    parser.add_argument(
        "--device", default="auto", help="auto, cpu, cuda or cuda:N. (default: auto)"
    )
    parser.add_argument(
        "--trust", action="store_true", help="Import the modules that the run's config names."
    )
    parser.add_argument(
        "--stochastic", action="store_true", help="Sample actions, not the most likely ones."
    )
    parser.add_argument(
        "--random", action="store_true", help="Also play as many episodes with random actions."
    )
    parser.add_argument(
        "--render", choices=("human",), help="Show the episodes in a window, one at a time."
    )
    parser.add_argument(
        "--video",
        type=Path,
        metavar="FILE",
        help="Film an episode to FILE (.mp4 or .gif), with step and return drawn in. Needs the "
        'packages of pip install -e ".[video]".',
    )
    _add_formats(parser)
    return parser


def _add_formats(parser: CommandParser) -> None:
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument(
        "--json", action="store_true", help="Print one JSON object on one line for each run."
    )
    formats.add_argument(
        "--csv", action="store_true", help="Print a header and one line of CSV for each run."
    )


def _print(results: Sequence["EvaluationResult"], kind: str) -> None:
    match kind:
        case "json":
            for result in results:
                print(json.dumps(result.to_dict()))
        case "csv":
            rows = [row for result in results for row in _with_random(result)]
            writer = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        case "table":
            from sac.cli.evaluation_table import print_table

            print_table(results)


def _with_random(result: "EvaluationResult") -> list[dict[str, Any]]:
    rows = [{"policy": "trained", **result.summary()}]
    if result.random_policy is not None:
        rows.append({"policy": "random", **result.random_policy.summary()})
    return rows
