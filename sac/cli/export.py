"""The export command: a trained policy as one file for other programs, or a folder with a card."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sac.cli.parser import CommandParser
from sac.cli.runs import BEST_OR_LAST, TRUST, add_checkpoint_option, checkpoint_choice
from sac.config.fields import count
from sac.errors import ConfigError, install_command

DESCRIPTION = f"""Write a trained policy to one file, which maps a batch of raw observations to
deterministic actions in the environment's units, and check that it agrees with the agent.
ONNX needs {install_command("onnx")}; the numpy format is safetensors, with a short reader in
sac/export/reader.py. With --card: write a folder for others, such as those of a model hub, with the
policy, what it was trained with, its curve and an evaluation."""
EPISODES = 20
OUTPUTS = {None: "policy.onnx", "onnx": "policy.onnx", "numpy": "policy.safetensors"}


def export_command(argv: Sequence[str], prog: str) -> int:
    """Export the policy that `argv` names and return the exit status; SACError if that fails."""
    options = vars(_parser(prog).parse_args(argv))
    path, output = options.pop("path"), options.pop("output")
    options |= checkpoint_choice(options.pop("checkpoint"), [path])
    of_card = {name: options.pop(name) for name in ("card", "episodes", "trust")}
    if of_card.pop("card"):
        return _card(path, output or Path("card"), options, of_card)
    if of_card["episodes"] is not None or of_card["trust"]:
        raise ConfigError("--episodes and --trust are about the evaluation in a --card: give it")
    from sac.export import export  # here, so that --help and refusals stay quick

    print(export(path, output or Path(OUTPUTS[options["format"]]), **options))
    return 0


def _card(path: Path, output: Path, options: dict[str, Any], of_card: dict[str, Any]) -> int:
    if options.pop("format") is not None:
        raise ConfigError("--format is that of one file: leave it out with --card")
    from sac.share.card import write_card

    episodes = EPISODES if of_card["episodes"] is None else of_card["episodes"]
    print(write_card(path, output, episodes=episodes, trust=of_card["trust"], **options))
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
        metavar="FILE",
        help="File to write; its ending, onnx or safetensors, chooses the format. With --card, the "
        "folder to make. (default: policy.onnx, policy.safetensors with --format numpy, or card)",
    )
    parser.add_argument(
        "--format",
        choices=("onnx", "numpy"),
        help="Format, whatever the ending of FILE. (default: by the ending)",
    )
    add_checkpoint_option(parser, BEST_OR_LAST)
    parser.add_flag("--card", "Write a folder with the policy and a model card (README.md).")
    number = count(f"Episodes of the card's evaluation; {EPISODES}, if not given.", at_most=10**6)
    parser.add_number("--episodes", number, None)
    parser.add_flag("--trust", f"For the card's evaluation: {TRUST}")
    return parser
