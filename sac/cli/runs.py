"""What the commands that look at runs share: options, and a result for each run."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from sac.cli.parser import CommandParser, value_type
from sac.config import check_device
from sac.config.fields import count
from sac.config.schema import SEED_LIMIT
from sac.disk.places import folder_fault
from sac.errors import CheckpointError, ConfigError
from sac.run.layout import without_figures
from sac.terminal.output import lasting_output
from sac.terminal.results import kept_for_results

BEST_OR_LAST, LAST = Literal["best", "last"], Literal["last"]
TRUST = "Run the code that the run's config names, although you have not trained it here."
SHARED = ("episodes", "seed", "device", "trust")
Result = TypeVar("Result")


def add_checkpoint_option(parser: CommandParser, names: Any) -> None:
    """Add the choice of a checkpoint of a run: None, if not given, for the first of `names`."""
    words = get_args(names)
    convert = value_type("--checkpoint", names | int, count("Step.", at_least=0))
    parser.add_argument(
        "--checkpoint",
        type=lambda text: str(convert(text)),
        metavar="WHICH",
        help=f"The checkpoint of a run: {', '.join(words)} or a step. (default: {words[0]})",
    )


def add_run_options(parser: CommandParser, checkpoints: Any, episodes: int) -> None:
    """Add the runs, and the options by which episodes are played with their policies."""
    parser.add_argument(
        "paths", type=Path, nargs="+", metavar="RUN", help="Run directories, or checkpoints."
    )
    add_policy_options(parser, checkpoints, episodes)


def add_policy_options(parser: CommandParser, checkpoints: Any, episodes: int) -> None:
    """Add the options by which episodes are played with a policy."""
    add_checkpoint_option(parser, checkpoints)
    parser.add_number("--episodes", count("Episodes to play.", at_most=10**6), episodes)
    seed = count("Seed of the environments.", at_least=0, at_most=SEED_LIMIT)
    parser.add_number("--seed", seed, 0)
    parser.add_argument(
        "--device", default="auto", help="auto, cpu, cuda or cuda:N. (default: auto)"
    )
    parser.add_flag("--trust", TRUST)


def checkpoint_choice(checkpoint: str | None, paths: Sequence[Path]) -> dict[str, str]:
    """Return the choice as a keyword argument, if it was made; ConfigError where there is none."""
    if checkpoint is None:
        return {}
    from sac.run.checkpoint import is_checkpoint  # here, so that --help stays quick

    for path in filter(is_checkpoint, paths):
        raise ConfigError(
            f"--checkpoint {checkpoint} chooses among those of a run, and '{path}' is a checkpoint "
            "itself: leave out --checkpoint, or give the directory of its run"
        )
    return {"checkpoint": checkpoint}


def check_runs(arguments: Any) -> None:
    """Raise ConfigError or CheckpointError for a device or folder that there cannot be.

    Figures beside runs are left out of the arguments.
    """
    check_device(arguments.device)
    arguments.paths = without_figures(arguments.paths)
    for path in arguments.paths:
        if fault := folder_fault(path):
            raise CheckpointError(f"{path} {fault}: expected a run directory")


def for_each_run(arguments: Any, function: Callable[..., Result], **more: Any) -> list[Result]:
    """Return what a function of a run and the options makes of each run."""
    options = {name: getattr(arguments, name) for name in SHARED} | more
    options |= checkpoint_choice(arguments.checkpoint, arguments.paths)
    # What environments print must not end up in the JSON that another program reads, nor end it.
    with kept_for_results(), lasting_output():
        return [function(path, **options) for path in arguments.paths]
