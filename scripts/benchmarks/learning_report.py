"""Shows what was learned: a table as text, JSON or Markdown, and the README's figure."""

import json
import statistics
from collections.abc import Sequence
from itertools import compress
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from rich.console import Console
from rich.table import Table

from sac.config import Config
from sac.plots.curves import Curve, Group, aggregate
from sac.plots.figure import Labels, check_output, draw_curves, save, style
from sac.plots.runs import Run
from scripts.benchmarks.learning import Line, Row, decimals
from scripts.benchmarks.process import ROOT
from scripts.benchmarks.report import TEXT_WIDTH, markdown

FIGURE = ROOT / ".github" / "images" / "learning_curves.png"
HEADINGS = (
    "environment", "steps", "seeds", "lowest", "median", "aim: every seed, median", "met",
    "processor time", "tuning seeds", "elsewhere",
)  # fmt: skip
DETAILS = ("processor time", "tuning seeds")  # which the README leaves out


def print_text(rows: Sequence[Row], stream: TextIO) -> None:
    """Print a table."""
    table = Table(*HEADINGS)
    for row in rows:
        table.add_row(*_cells(row))
    console = Console(file=stream)
    if not console.is_terminal:
        console = Console(file=stream, width=TEXT_WIDTH)
    console.print(table)


def to_json(rows: Sequence[Row]) -> str:
    """Return one JSON object on one line."""
    return json.dumps({"rows": [_document(row) for row in rows]})


def to_markdown(rows: Sequence[Row], without: Sequence[str] = ()) -> str:
    """Return the table of a page, without the columns of these headings."""
    is_kept = [heading not in without for heading in HEADINGS]
    lines = [list(compress(cells, is_kept)) for cells in (HEADINGS, *map(_cells, rows))]
    return markdown(lines[0], lines[1:])


def draw(rows: Sequence[Row], path: Path = FIGURE) -> None:
    """Draw the learning curves of the rows that have any, or raise SACError."""
    check_output(path)
    panels = {row.config.env.id: [curve_of("", row.config, row.lines)] for row in rows if row.lines}
    labels = Labels(
        "steps", "evaluation return", "mean of the table's seeds, 95 % bootstrap interval"
    )
    if panels:
        with style():
            save(draw_curves(panels, labels), path)


def curve_of(label: str, config: Config, lines: Sequence[Line]) -> Curve:
    """Return the mean curve of the seeds of a configuration."""
    return aggregate(Group(label, [_run(config, line) for line in lines]), "mean", smooth=1)


def _run(config: Config, line: Line) -> Run:
    steps, values, _ = np.array(line.curve, np.float64).T
    return Run(Path(line.config), config, steps, values)


def _cells(row: Row) -> list[str]:
    goal, places = row.goal, decimals(row.goal)
    seeds = f"0 to {goal.seeds - 1}" if goal.seeds > 1 else "0"
    aim = "none" if goal.aim is None else f"{goal.aim.every:,g}, {goal.aim.median:,g}"
    lowest = median = met = time = ""
    if row.lines:
        lowest, median = f"{row.lowest:,.{places}f}", f"{row.median:,.{places}f}"
        met = {True: "yes", False: "no", None: ""}[row.is_met]
        time = _duration([line.processor_seconds for line in row.lines])
    if len(row.lines) < goal.seeds:
        run = ", ".join(str(line.seed) for line in row.lines) or "none"
        seeds, met = f"{run} (of {seeds})", "not yet known" if row.lines else "not run"
    return [
        row.config.env.id, f"{row.config.train.total_steps:,}", seeds, lowest, median,
        aim, met, time, _tuning(row), goal.elsewhere,
    ]  # fmt: skip


def _tuning(row: Row) -> str:
    """Return the returns of the seeds by which the settings were chosen, and the seeds."""
    returns = ", ".join(f"{line.mean_return:,.{decimals(row.goal)}f}" for line in row.tuning)
    return f"{returns} ({', '.join(str(line.seed) for line in row.tuning)})" if returns else ""


def _duration(measured: Sequence[float | None]) -> str:
    """Return the median of what is known."""
    known = [seconds for seconds in measured if seconds is not None]
    if not known:
        return ""
    seconds = statistics.median(known)
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _document(row: Row) -> dict[str, Any]:
    return {
        "environment": row.config.env.id,
        "config": row.goal.config,
        "steps": row.config.train.total_steps,
        "returns": {line.seed: line.mean_return for line in (*row.lines, *row.tuning)},
        "seconds": {line.seed: line.seconds for line in row.lines},
        "lowest": row.lowest if row.lines else None,
        "median": row.median if row.lines else None,
        "aim": None if row.goal.aim is None else row.goal.aim._asdict(),
        "met": row.is_met,
    }
