"""The train command: makes a Config from a file, options or an earlier run, and trains it."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sac.cli.parser import (
    CommandParser,
    add_config_options,
    parse_config_options,
    tell_overruled,
)
from sac.cli.runs import TRUST
from sac.cli.seeds import add_seeds_options, train_seeds
from sac.cli.summary import print_summary, typed_commands
from sac.config import Config
from sac.config.shipped import NO_PRESET, PRESETS, names
from sac.disk.places import folder_fault
from sac.errors import ConfigError
from sac.metrics.findings import read_findings
from sac.run.layout import CONFIG_FILE, GIVEN_AS_AN_OBJECT
from sac.run.origin import needs_trust
from sac.terminal import reports
from sac.terminal.interrupt import SIGNAL_STATUS

if TYPE_CHECKING:
    from sac.training.train import TrainResult

USAGE = "%(prog)s (--config FILE | --resume RUN | --env.id ID) [--KEY VALUE ...]"
DESCRIPTION = """Train a Soft Actor-Critic agent. Every key of the configuration file is also an
option, which overrides the file. Whole numbers may be written as 1e4."""


def train_command(argv: Sequence[str], prog: str) -> int:
    """Train what `argv` describes and return the exit status; SACError if that fails."""
    parser = CommandParser(prog, DESCRIPTION, USAGE)
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="YAML file of the keys below, or the name of a shipped one (python -m sac configs).",
    )
    parser.add_argument(
        "--preset",
        metavar="NAME",
        help=f"Settings of a variant, below those of FILE: {', '.join(names(PRESETS))}; or a file. "
        f"{NO_PRESET}: not the one that FILE names.",
    )
    parser.add_argument(
        "--resume", type=Path, metavar="RUN", help="Run directory to continue where it stopped."
    )
    parser.add_flag("--trust", f"With --resume: {TRUST}")
    parser.add_flag("--print_config", "Print the resolved configuration and exit.")
    add_seeds_options(parser)
    add_config_options(parser)
    arguments, overrides = parse_config_options(parser, argv)
    _check_seeds(arguments, overrides)
    if arguments.preset is not None:
        overrides["preset"] = arguments.preset
    config = _resolve(arguments.config, arguments.resume, overrides)
    if arguments.preset is not None and arguments.config is not None:
        tell_overruled(arguments.config, arguments.preset)
    if arguments.print_config:
        print(config.to_yaml(), end="")
        return 0
    if not config.env.id:
        raise ConfigError(
            "no environment: give --config FILE, --resume RUN or --env.id Pendulum-v1 "
            "(--help explains the options)"
        )
    if arguments.seeds is not None:
        return train_seeds(config, arguments.seeds, arguments.workers, argv, prog)
    from sac.training.train import train  # here, so that --help and refusals stay quick

    reports.end_with_reader()
    if arguments.resume is not None:
        trained = train(None, resume=arguments.resume, overrides=overrides, trust=arguments.trust)
    else:
        trained = train(config)
    result = _result(trained)
    if reports.is_read():
        reports.send(result)
    else:
        trust = needs_trust(trained.run_directory, config.env)
        print_summary(result, typed_commands(prog), needs_trust=trust)
    return 0 if trained.interrupted_by is None else SIGNAL_STATUS + trained.interrupted_by


def _result(trained: "TrainResult") -> reports.Result:
    run, evaluation = trained.run_directory, trained.evaluation
    returns: dict[str, Any] = {}
    if evaluation is not None:
        names = ("mean_return", "std_return", "episodes")
        returns = {name: getattr(evaluation, name) for name in names}
        returns["evaluated_step"] = evaluation.checkpoint_step
    return reports.Result(
        str(run),
        trained.step,
        trained.total_steps,
        len(read_findings(run)),
        **returns,
        has_reached_goal=trained.stopped is not None,
        best_return=trained.best_return,
    )


def _check_seeds(arguments: argparse.Namespace, overrides: dict[str, Any]) -> None:
    """Raise ConfigError for options that make no sense with --seeds, or without it."""
    if arguments.seeds is None:
        if arguments.workers is not None:
            raise ConfigError("--workers says how many of --seeds train at a time: give --seeds")
        return
    if arguments.resume is not None:
        raise ConfigError("--resume continues one run, with its own seed: leave out --seeds")
    if arguments.print_config or "seed" in overrides:
        other = "--print_config" if arguments.print_config else "--seed"
        raise ConfigError(f"{other} is about one seed: leave out --seeds")


def _resolve(file: Path | None, run: Path | None, overrides: dict[str, Any]) -> Config:
    if file is not None and run is not None:
        raise ConfigError("--resume continues with the run's own configuration: leave out --config")
    if run is None:
        return Config.from_dict(overrides) if file is None else Config.load(file, overrides)
    if "preset" in overrides:
        raise ConfigError("--resume continues with the run's own configuration: leave out --preset")
    if fault := folder_fault(run):
        raise ConfigError(f"cannot resume {run}: it {fault}; expected a run directory")
    # In a folder that can't be looked into there may be one: reading it says why it can't be read.
    if os.access(run, os.X_OK) and not os.path.isfile(run / CONFIG_FILE):
        raise ConfigError(
            f"cannot resume {run}: it contains no {CONFIG_FILE}, so it is not a run directory"
        )
    if not Config.load(run / CONFIG_FILE).env.id:
        raise ConfigError(GIVEN_AS_AN_OBJECT.format(run))
    return Config.load(run / CONFIG_FILE, overrides)
