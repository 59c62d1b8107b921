"""The export command: a trained policy as one file for other programs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from sac.cli.parser import CommandParser, value_type
from sac.config.fields import count

DESCRIPTION = """Write a trained policy into one file that takes a batch of raw observations and
returns the deterministic actions in the environment's units, after comparing it with the agent.
ONNX needs pip install -e ".[onnx]"; the numpy format is safetensors with a reader of 30 lines,
sac/export/reader.py."""


def export_command(argv: Sequence[str], prog: str) -> int:
    """Export as `argv` says and return the exit status; SACError where that cannot be done."""
    arguments = _parser(prog).parse_args(argv)
    from sac.export import export  # here, so that --help and a refusal stay quick

    exported = export(
        arguments.path,
        arguments.output,
        checkpoint=str(arguments.checkpoint),
        format=arguments.format,
    )
    print(exported)
    return 0


def _parser(prog: str) -> CommandParser:
    parser = CommandParser(prog, DESCRIPTION)
    parser.add_argument(
        "path", type=Path, metavar="RUN", help="Run directory, or a checkpoint in it."
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("policy.onnx"),
        metavar="FILE",
        help="File to write, whose ending, onnx or safetensors, says what kind. "
        "(default: policy.onnx)",
    )
    parser.add_argument(
        "--format",
        choices=("onnx", "numpy"),
        help="What to write, whatever the ending. (default: by the ending)",
    )
    parser.add_argument(
        "--checkpoint",
        type=value_type("--checkpoint", Literal["best", "last"] | int, count("Step.", at_least=0)),
        default="best",
        metavar="WHICH",
        help="The best, the last or that of a step. (default: best)",
    )
    return parser
