"""The command line: `python -m sac COMMAND` and the scripts of the same names."""

import argparse
import sys
from collections.abc import Callable, Sequence

from sac.cli.configs import configs_command
from sac.cli.doctor import doctor_command
from sac.cli.evaluate import evaluate_command
from sac.cli.export import export_command
from sac.cli.parser import CommandParser
from sac.cli.plot import plot_command
from sac.cli.record import record_command
from sac.cli.sweep import sweep_command
from sac.cli.train import train_command
from sac.errors import SACError
from sac.terminal.output import lasting_output, open_standard_files

COMMANDS: dict[str, Callable[[Sequence[str], str], int]] = {
    "train": train_command,
    "sweep": sweep_command,
    "evaluate": evaluate_command,
    "plot": plot_command,
    "export": export_command,
    "record": record_command,
    "doctor": doctor_command,
    "configs": configs_command,
}
DESCRIPTION = """Soft Actor-Critic: train, sweep, evaluate, plot, export, record, and diagnose runs;
list the shipped configurations."""
USAGE_ERROR = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells report it
CLOSED_PIPE = 141  # 128 + SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run `python -m sac ...` and return its exit status."""
    parser = CommandParser("python -m sac", DESCRIPTION)
    parser.add_argument("command", nargs="?", choices=COMMANDS, help="`COMMAND --help` tells more")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    try:
        parsed = parser.parse_args(argv)
    except SACError as error:
        return _refuse(error)
    if parsed.command is None:
        parser.print_help()
        return 0
    return run_command(parsed.command, parsed.arguments, f"python -m sac {parsed.command}")


def run_command(name: str, argv: Sequence[str], prog: str) -> int:
    """Run one command under the name `prog` and return the exit status: 2 for a user's error."""
    open_standard_files()
    with lasting_output() as output:
        try:
            status = COMMANDS[name](argv, prog)
        except SACError as error:
            status = _refuse(error)
        except OSError as error:
            if not _is_of_files(error):
                raise
            status = _refuse(_in_words(error))
        except KeyboardInterrupt:
            status = INTERRUPTED
        output.flush()
        if isinstance(output.error, BrokenPipeError):  # as `| head` leaves one
            return status or CLOSED_PIPE
        if output.error is not None:
            return _refuse(f"the results could not be printed: {output.error}")
    return status


def _is_of_files(error: OSError) -> bool:
    """Return whether a user can put an error right: one of files, and none of an environment."""
    has_notes = hasattr(error, "__notes__")  # which say where an environment failed
    return error.errno is not None and not has_notes and not isinstance(error, ConnectionError)


def _in_words(error: OSError) -> str:
    place = "" if error.filename is None else f"Can't use '{error.filename}': "
    return f"{place}{error.strerror}."


def _refuse(error: SACError | str) -> int:
    print(f"error: {error}", file=sys.stderr)
    return USAGE_ERROR
