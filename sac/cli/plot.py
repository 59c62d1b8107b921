"""The plot command: learning curves or final performance of runs, as a picture."""

import sys
from collections.abc import Sequence
from pathlib import Path

from sac.cli.parser import CommandParser
from sac.config.fields import count
from sac.errors import install_command

DESCRIPTION = f"""Draw learning curves of runs over environment steps or wall time: a panel for each
environment and a curve for each setting, with the mean (or interquartile mean) over seeds and its
95 % bootstrap interval. Needs matplotlib: {install_command("plots")}."""


def plot_command(argv: Sequence[str], prog: str) -> int:
    """Draw the runs that `argv` names and return the exit status; SACError if that fails."""
    arguments = _parser(prog).parse_args(argv)
    from sac.plots import PlotSettings, plot  # here, so that --help and refusals stay quick

    settings = vars(arguments)
    paths, output = settings.pop("paths"), settings.pop("output")
    for warning in plot(paths, output, PlotSettings(**settings)):
        print(f"warning: {warning}", file=sys.stderr)
    print(output)
    return 0


def _parser(prog: str) -> CommandParser:
    parser = CommandParser(prog, DESCRIPTION)
    parser.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="RUN",
        help="Run directories, or folders such as runs, of which all runs are drawn.",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("curves.png"),
        metavar="FILE",
        help="Picture to write; its ending, png, svg or pdf, is its format. (default: curves.png)",
    )
    parser.add_argument(
        "--metric",
        default="eval/mean_return",
        metavar="COLUMN",
        help="Column of metrics.csv, such as rollout/episode_return. (default: eval/mean_return)",
    )
    parser.add_argument(
        "--x",
        choices=("steps", "time"),
        default="steps",
        help="Environment steps, or wall time as TensorBoard's event files record it: training, "
        "evaluations and checkpoints, but not the pause before a resume. (default: steps)",
    )
    parser.add_argument(
        "--group-by",
        "--group_by",
        type=lambda text: [key for key in text.split(",") if key],
        metavar="KEY,...",
        help="Dotted keys of the configuration, such as env,agent.gamma: runs with the same values "
        "are seeds of one curve. (default: all keys in which the runs of an environment differ; "
        "where these are many, as with presets, name labels the curves if it tells them apart)",
    )
    smooth = count("Draw the mean of each value and the N - 1 before it; the axis says so.")
    parser.add_number("--smooth", smooth, 1)
    parser.add_argument(
        "--statistic",
        choices=("mean", "iqm"),
        default="mean",
        help="Statistic over seeds: the mean, or the interquartile mean, which leaves out the best "
        "and the worst quarter. (default: mean)",
    )
    parser.add_flag(
        "--final",
        "Draw each seed's last value, with their statistic and interval, instead of curves.",
    )
    return parser
