"""The export command: a trained policy as one file for other programs."""

from collections.abc import Sequence
from pathlib import Path

from sac.cli.parser import CommandParser
from sac.cli.runs import BEST_OR_LAST, add_checkpoint_option
from sac.errors import install_command

DESCRIPTION = f"""Write a trained policy to one file, which maps a batch of raw observations to
deterministic actions in the environment's units, and check that it agrees with the agent.
ONNX needs {install_command("onnx")}; the numpy format is safetensors, with a reader of 30 lines in
sac/export/reader.py."""


def export_command(argv: Sequence[str], prog: str) -> int:
    """Export the policy that `argv` names and return the exit status; SACError if that fails."""
    arguments = _parser(prog).parse_args(argv)
    from sac.export import export  # here, so that --help and refusals stay quick

    options = vars(arguments)
    print(export(options.pop("path"), options.pop("output"), **options))
    return 0


def _parser(prog: str) -> CommandParser:
    parser = CommandParser(prog, DESCRIPTION)
    parser.add_argument(
        "path", type=Path, metavar="RUN", help="Run directory, or a checkpoint in one."
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("policy.onnx"),
        metavar="FILE",
        help="File to write; its ending, onnx or safetensors, chooses the format. "
        "(default: policy.onnx)",
    )
    parser.add_argument(
        "--format",
        choices=("onnx", "numpy"),
        help="Format, whatever the ending of FILE. (default: by the ending)",
    )
    add_checkpoint_option(parser, BEST_OR_LAST)
    return parser
