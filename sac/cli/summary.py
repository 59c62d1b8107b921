"""What the train command prints at its end: where the run is, and which commands come next."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from sac.run.layout import FINDINGS_FILE
from sac.terminal.output import counted, say
from sac.terminal.reports import Result

# How the user starts the commands in a shell.
MODULE_COMMANDS = {name: f"python -m sac {name}" for name in ("train", "evaluate", "doctor")}


def print_summary(
    result: Result, commands: Mapping[str, str] = MODULE_COMMANDS, *, needs_trust: bool = False
) -> None:
    """Print where a run is, how far it got, and the commands to look at it and to continue it."""
    run = typed_run(result.run_directory, needs_trust=needs_trust)
    lines = [
        *result_lines(result),
        "Next:",
        *([f"  {commands['doctor']} {run}"] if result.findings else []),
        f"  tensorboard --logdir {quoted(Path(result.run_directory).parent)}",
        f"  {commands['evaluate']} {run}",
        f"  {commands['train']} --resume {run}{more_steps(result)}",
    ]
    say("\n".join(["", *lines]), sys.stdout)


def result_lines(result: Result) -> list[str]:
    """Return where a run is and how far it got."""
    lines = [
        f"Run directory: {quoted(Path(result.run_directory))}",
        f"Steps: {result.step:,} of {result.total_steps:,}",
    ]
    mean, best, at = result.mean_return, result.best_return, result.evaluated_step
    if mean is not None:
        where = "" if at in (None, result.step) else f" at step {at:,}"
        episodes = counted(result.episodes, "episode")
        lines.append(f"Mean return{where}: {mean:.2f} +- {result.std_return:.2f} over {episodes}")
    if best is not None and best != mean:
        lines.append(f"Best mean return: {best:.2f}, of the policy that evaluate plays")
    if result.findings:
        lines.append(f"Findings: {result.findings}, in {FINDINGS_FILE}")
    return lines


def more_steps(result: Result) -> str:
    """Return the option by which a run that is at its end goes on; empty for another."""
    if result.has_reached_goal and result.step < result.total_steps:
        return " --train.stop_at_return null"
    step, total_steps = result.step, result.total_steps
    return "" if step < total_steps else f" --train.total_steps {2 * max(step, total_steps)}"


def typed_run(run_directory: str | Path, *, needs_trust: bool) -> str:
    """Return a run as the user has to type it behind a command."""
    return quoted(Path(run_directory)) + needs_trust * " --trust"


def typed_commands(prog: str) -> Mapping[str, str]:
    """Return how the user starts the other commands: as scripts or through the module."""
    if not prog.endswith(".py"):
        return MODULE_COMMANDS
    script = shown_path(Path(sys.argv[0]))
    return {name: f"python {script.replace(prog, f'{name}.py')}" for name in MODULE_COMMANDS}


def quoted(path: Path) -> str:
    """Return a path as a user would type it in a shell."""
    return shlex.quote(shown_path(path))


def shown_path(path: Path) -> str:
    """Return a path, relative to the working directory if it is inside that."""
    absolute, here = path.resolve(), Path.cwd()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)
