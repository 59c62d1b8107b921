"""Shows what each variant has learned: a table as text, JSON or Markdown, and the page's figure."""

import json
import statistics
from collections.abc import Sequence
from itertools import compress
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.table import Table

from sac.plots.curves import Curve
from sac.plots.figure import Labels, check_output, draw_curves, save, style
from scripts.benchmarks.family import (
    BEST,
    PLAIN,
    TASKS,
    VARIANTS,
    PeerLine,
    Result,
    Variant,
    known_peers,
    known_times,
    result,
    study_config,
)
from scripts.benchmarks.learning import Lines
from scripts.benchmarks.learning_report import curve_of
from scripts.benchmarks.process import ROOT
from scripts.benchmarks.report import TEXT_WIDTH, markdown

FIGURE = ROOT / ".github" / "images" / "variants.png"
PROSE = ("source", "what it changes", "take it when")  # which a terminal has no room for
PEERS = "peers on Pendulum-v1"


def table(lines: Lines) -> list[list[str]]:
    """Return the headings and the rows."""
    times, peer_lines = known_times(), list(known_peers().values())
    tasks = [f"{task.env_id} at {task.steps:,}" for task in TASKS.values()]
    rows = [["variant", *PROSE, "ms a step", *tasks, PEERS]]
    for variant in VARIANTS:
        name = variant.name
        prose = [f"arXiv:{variant.source}", variant.change, variant.when]
        time = times[name].text if name in times else ""
        cells = [_cell(task, name, lines) for task in TASKS]
        rows.append([name, *prose, time, *cells, _peers(variant, peer_lines)])
    return rows


def _cell(task: str, variant: str, lines: Lines) -> str:
    """Return the median return, its minutes, and what came in the minutes that plain SAC takes."""
    found = result(f"{task}/{variant}", lines)
    if found is None:
        return ""
    minutes = "" if found.minutes is None else f" in {found.minutes:.0f} min"
    seeds = len(found.lines)
    missing = f", {seeds} of {TASKS[task].seeds} seeds" if seeds < TASKS[task].seeds else ""
    plain = result(f"{task}/{PLAIN}", lines) if variant in BEST and variant != PLAIN else None
    return f"{found.median:,.0f}{minutes}{_in_time_of(plain, found)}{missing}"


def _in_time_of(plain: Result | None, found: Result) -> str:
    if plain is None or plain.minutes is None:
        return ""
    value = found.after(plain.minutes)
    return "" if value is None else f"; {value:,.0f} in {plain.minutes:.0f}"


def _peers(variant: Variant, lines: Sequence[PeerLine]) -> str:
    own = [line for line in lines if line.variant == variant.name]
    theirs = {
        peer: [line.mean_return for line in own if line.peer == peer] for peer in variant.peers
    }
    return "; ".join(
        f"{peer} {statistics.median(returns):,.0f} (worst {min(returns):,.0f})"
        for peer, returns in theirs.items()
        if returns
    )


def print_text(rows: Sequence[Sequence[str]], stream: TextIO) -> None:
    """Print what was measured."""
    is_shown = [heading not in PROSE for heading in rows[0]]
    shown = Table(*compress(rows[0], is_shown))
    for row in rows[1:]:
        shown.add_row(*compress(row, is_shown))
    Console(file=stream, width=None if stream.isatty() else TEXT_WIDTH).print(shown)


def to_json(rows: Sequence[Sequence[str]]) -> str:
    """Return one JSON object on one line."""
    return json.dumps({"rows": [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]})


def to_markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return the table of a page."""
    return markdown(rows[0], [[f"`{name}`", *cells] for name, *cells in rows[1:]])


def draw(lines: Lines, path: Path = FIGURE) -> None:
    """Draw the curves of those that learn longest, or raise SACError."""
    check_output(path)
    panels: dict[str, list[Curve]] = {}
    for name, task in TASKS.items():
        for variant in BEST if task.variants == BEST else ():
            study = f"{name}/{variant}"
            if (found := result(study, lines)) is not None:
                curve = curve_of(variant, study_config(study), found.lines)
                panels.setdefault(task.env_id, []).append(curve)
    labels = Labels("steps", "evaluation return", "mean of the seeds, 95 % bootstrap interval")
    if panels:
        with style():
            save(draw_curves(panels, labels), path)
