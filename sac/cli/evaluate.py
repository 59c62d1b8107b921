"""The evaluate command: episodes of a trained policy, as a table or as one line of JSON."""

import json
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sac.cli.parser import CommandParser, value_type
from sac.config import check_device
from sac.config.fields import count
from sac.config.schema import SEED_LIMIT
from sac.errors import CheckpointError

if TYPE_CHECKING:
    from sac.evaluation import EvaluationResult

DESCRIPTION = "Play episodes with a trained policy and report their returns."


def evaluate_command(argv: Sequence[str], prog: str) -> int:
    """Evaluate as `argv` says and return the exit status; SACError where that cannot be done."""
    arguments = _parser(prog).parse_args(argv)
    check_device(arguments.device)
    if not os.path.exists(arguments.path):  # unlike Path.exists, false for a name too long
        raise CheckpointError(f"{arguments.path} does not exist, expected a run directory")
    from sac.evaluation import evaluate  # here, so that --help and a refusal stay quick

    # Environments that greet on stdout must not get between a program and its JSON.
    with redirect_stdout(sys.stderr):
        result = evaluate(
            arguments.path,
            episodes=arguments.episodes,
            seed=arguments.seed,
            checkpoint=str(arguments.checkpoint),
            deterministic=not arguments.stochastic,
            num_envs=arguments.num_envs,
            device=arguments.device,
        )
    if arguments.json:
        print(json.dumps(result.to_dict()))
    else:
        _print_table(result)
    return 0


def _parser(prog: str) -> CommandParser:
    parser = CommandParser(prog, DESCRIPTION)
    parser.add_argument(
        "path", type=Path, metavar="RUN", help="Run directory, or a checkpoint in it."
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
        help="The best, the last or that of a step. (default: best)",
    )
    parser.add_argument(
        "--device", default="auto", help="auto, cpu, cuda or cuda:N. (default: auto)"
    )
    parser.add_argument(
        "--stochastic", action="store_true", help="Sample actions instead of taking the likeliest."
    )
    parser.add_argument("--json", action="store_true", help="Print one JSON object on one line.")
    return parser


def _print_table(result: "EvaluationResult") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("return", "value", title=escape(f"{result.env}, {result.episodes} episodes"))
    rows = {
        "mean": f"{result.mean_return:.2f}",
        "standard deviation": f"{result.std_return:.2f}",
        "lowest": f"{result.min_return:.2f}",
        "highest": f"{result.max_return:.2f}",
        "mean length": f"{result.mean_length:.1f}",
        "checkpoint step": str(result.checkpoint_step),
    }
    for name, value in rows.items():
        table.add_row(name, value)
    Console().print(table)
