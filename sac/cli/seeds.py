"""The train command with --seeds: its options, and what it prints at the end."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sac.cli.parser import CommandParser, value_type
from sac.cli.summary import more_steps, quoted, result_lines, typed_commands, typed_run
from sac.config import Config, EnvConfig
from sac.config.fields import count
from sac.config.schema import SEED_LIMIT
from sac.errors import ConfigError, SACError
from sac.run.layout import figure_name
from sac.run.origin import needs_trust
from sac.terminal.interrupt import SIGNAL_STATUS
from sac.terminal.output import say

if TYPE_CHECKING:
    from sac.sweep.processes import Run

OPTIONS = ("--seeds", "--workers")


def add_seeds_options(parser: CommandParser) -> None:
    """Add the options by which one command trains several seeds."""
    parser.add_argument(
        "--seeds",
        type=_seeds,
        metavar="N,N,...",
        help="Train each of these seeds in a process of its own, and draw them all in one figure.",
    )
    parser.add_argument(
        "--workers",
        type=value_type("--workers", int, count("Trainings at a time.", at_most=1000)),
        metavar="N",
        help="With --seeds, how many train at a time. (default: the number of processors)",
    )


def _seeds(text: str) -> list[int]:
    one = value_type("--seeds", int, count("Seed.", at_least=0, at_most=SEED_LIMIT))
    seeds = [one(part) for part in text.split(",")]
    if repeated := {seed for seed in seeds if seeds.count(seed) > 1}:
        raise ConfigError(f"--seeds: {min(repeated)} appears more than once")
    return seeds


def train_seeds(
    config: Config, seeds: Sequence[int], workers: int | None, argv: Sequence[str], prog: str
) -> int:
    """Train `config` once for each seed; return the exit status, that of the first run that failed.

    Each process reads the configuration again, from the train command's `argv`.
    """
    from sac.sweep.plan import plan_seeds  # here, so that --help stays quick
    from sac.sweep.processes import train_in_processes

    program = [sys.argv[0]] if prog.endswith(".py") else ["-m", "sac", "train"]
    command = [sys.executable, *program, *_without_seeds(argv)]
    runs, interrupted_by = train_in_processes(plan_seeds(config, seeds, workers, command))
    commands = typed_commands(prog)
    say("\n".join(_ending(run, commands, config.env) for run in runs), sys.stdout)
    if left := [seed for seed, run in zip(seeds, runs, strict=True) if run.status is None]:
        own = shlex.join(_without_seeds(argv))
        typed = f"{commands['train']} {own} --seeds {','.join(map(str, left))}"
        say(f"To train what was not started:\n  {typed}", sys.stdout)
    if interrupted_by is not None:
        return SIGNAL_STATUS + interrupted_by
    results = {seed: run.result for seed, run in zip(seeds, runs, strict=True)}
    _draw({seed: Path(r.run_directory) for seed, r in results.items() if r is not None})
    return next((run.status for run in runs if run.status), 0)


def _without_seeds(argv: Sequence[str]) -> list[str]:
    kept: list[str] = []
    tokens = iter(argv)
    for token in tokens:
        if token in OPTIONS:
            next(tokens, None)
        elif not token.startswith(tuple(f"{name}=" for name in OPTIONS)):
            kept.append(token)
    return kept


def _ending(run: "Run", commands: Mapping[str, str], env: EnvConfig) -> str:
    """Return how a run ended, and how to go on where it was cut short."""
    if run.status is None:
        return f"{run.label}: not started"
    folder, more = run.run_directory, ""
    if run.result is not None:
        lines, more = result_lines(run.result), more_steps(run.result)
    else:
        lost = "finished, but its report is lost: is the disk full?"
        known = [] if folder is None else [f"Run directory: {quoted(folder)}"]
        lines = [run.outcome if run.status else lost, *known]
    text = f"{run.label}: {'; '.join(lines)}"
    if run.status == 0 or folder is None:
        return text
    typed = typed_run(folder, needs_trust=needs_trust(folder, env))
    return f"{text}\n  {commands['train']} --resume {typed}{more}"


def _draw(run_directories: Mapping[int, Path]) -> None:
    """Draw the learning curves of all runs beside them, or say why that is not possible."""
    if not run_directories:
        return
    from sac.plots import PlotSettings, plot

    seed, first = next(iter(run_directories.items()))
    output = first.with_name(figure_name(first.name, seed))
    try:
        for warning in plot(list(run_directories.values()), output, PlotSettings()):
            print(f"warning: {warning}", file=sys.stderr)
    except SACError as error:
        print(f"No figure: {error}", file=sys.stderr)
    else:
        say(f"Figure: {output}", sys.stdout)
