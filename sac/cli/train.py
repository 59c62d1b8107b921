"""The train command: from a file, options or an earlier run to a Config, then to the trainer."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sac.cli.parser import CommandParser, add_config_options, parse_config_options
from sac.cli.seeds import BLAS_THREADS, SIGNAL_STATUS, add_seeds_options, train_seeds
from sac.config import Config
from sac.errors import ConfigError
from sac.metrics.findings import read_findings

USAGE = "%(prog)s (--config FILE | --resume RUN | --env.id ID) [--KEY VALUE ...]"
DESCRIPTION = """Train a Soft Actor-Critic agent. Every key of the configuration file is an option
too, and wins over the file. Whole numbers may be written 1e4."""


def train_command(argv: Sequence[str], prog: str) -> int:
    """Train as `argv` says and return the exit status; SACError where that cannot be done."""
    parser = CommandParser(prog, DESCRIPTION, USAGE)
    parser.add_argument("--config", type=Path, metavar="FILE", help="YAML file of the keys below.")
    parser.add_argument(
        "--resume", type=Path, metavar="RUN", help="Run directory to go on with, where it stopped."
    )
    parser.add_argument(
        "--trust",
        action="store_true",
        help="With --resume, import the modules that the run's config.yaml names.",
    )
    parser.add_argument(
        "--print_config", action="store_true", help="Print the resolved configuration and exit."
    )
    add_seeds_options(parser)
    add_config_options(parser)
    arguments, overrides = parse_config_options(parser, argv)
    _check_seeds(arguments, overrides)
    config = _resolve(arguments.config, arguments.resume, overrides)
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
    from sac.terminal.progress import print_summary  # here, so that --help and a refusal stay quick
    from sac.training.train import train

    if arguments.resume is not None:
        result = train(None, resume=arguments.resume, overrides=overrides, trust=arguments.trust)
    else:
        result = train(config)
    print_summary(
        result.run_directory,
        step=result.step,
        total_steps=result.total_steps,
        evaluation=result.evaluation,
        findings=len(read_findings(result.run_directory)),
        commands=_typed_commands(prog),
    )
    return 0 if result.interrupted_by is None else SIGNAL_STATUS + result.interrupted_by


def _check_seeds(arguments: argparse.Namespace, overrides: dict[str, Any]) -> None:
    """Raise ConfigError for options that say nothing together with --seeds, or without it."""
    if arguments.seeds is None:
        if arguments.workers is not None:
            raise ConfigError("--workers says how many of --seeds train at a time: give --seeds")
        return
    if arguments.resume is not None:
        raise ConfigError("--resume goes on with one run, with its own seed: leave out --seeds")
    if arguments.print_config or "seed" in overrides:
        other = "--print_config" if arguments.print_config else "--seed"
        raise ConfigError(f"{other} is about one seed: leave out --seeds")


def _typed_commands(prog: str) -> dict[str, str]:
    """How the user starts the commands that come next: by their scripts or by the module."""
    from sac.terminal.progress import MODULE_COMMANDS, shown_path

    if not prog.endswith(".py"):
        return MODULE_COMMANDS
    script = shown_path(Path(sys.argv[0]))
    return {name: f"python {script.replace(prog, f'{name}.py')}" for name in MODULE_COMMANDS}


def _resolve(file: Path | None, run: Path | None, overrides: dict[str, Any]) -> Config:
    if file is not None and run is not None:
        raise ConfigError("--resume goes on with the run's own configuration: leave out --config")
    if run is not None:
        return Config.load(_run_config(run), overrides)
    if file is not None:
        return Config.load(file, overrides)
    return Config.from_dict(overrides)


def _run_config(run: Path) -> Path:
    if not os.path.isdir(run):  # unlike Path.is_dir, it has an answer for a name too long
        raise ConfigError(f"cannot resume {run}: there is no such run directory")
    if not os.path.isfile(run / "config.yaml"):
        raise ConfigError(f"cannot resume {run}: no config.yaml in it, so it is no run directory")
    return run / "config.yaml"
