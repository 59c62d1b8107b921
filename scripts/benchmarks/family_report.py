"""Shows what each variant has learned: a table as text, JSON or Markdown, and the page's figure."""

import json
import statistics
from collections.abc import Iterator, Sequence
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


def table(lines: Lines) -> list[list[str]]:
    """Return the headings and the rows."""
    times, peer_lines = known_times(), list(known_peers().values())
    tasks = [f"{task.env_id} at {task.steps:,}" for task in TASKS.values()]
    rows = [["variant", *PROSE, "ms a step", *tasks]]
    for variant in VARIANTS:
        name = variant.name
        prose = [f"arXiv:{variant.source}", variant.change, variant.when]
        time = times[name].text if name in times else ""
        cells = [
            "; ".join([*_ours(task, name, lines), *_peers(task, variant, peer_lines)])
            for task in TASKS
        ]
        rows.append([name, *prose, time, *cells])
    return rows


def _ours(task: str, variant: str, lines: Lines) -> Iterator[str]:
    """Yield the median return and its minutes, then what came in the minutes of plain SAC."""
    found = result(f"{task}/{variant}", lines)
    if found is None:
        return
    minutes = "" if found.minutes is None else f" in {found.minutes:.0f} min"
    seeds = len(found.lines)
    missing = f", {seeds} of {TASKS[task].seeds} seeds" if seeds < TASKS[task].seeds else ""
    yield f"{found.median:,.0f}{minutes}{missing}"
    plain = result(f"{task}/{PLAIN}", lines) if variant in BEST and variant != PLAIN else None
    if plain is not None and plain.minutes is not None:
        in_its_time = found.after(plain.minutes)
        if in_its_time is not None:
            yield f"{in_its_time:,.0f} in {plain.minutes:.0f}"


def _peers(task: str, variant: Variant, lines: Sequence[PeerLine]) -> Iterator[str]:
    """Yield the median return of each peer and, of several seeds, its worst."""
    for peer in variant.peers:
        key = (task, variant.name, peer)
        found = [line.mean_return for line in lines if (line.task, line.variant, line.peer) == key]
        worst = f" (worst {min(found):,.0f})" if len(found) > 1 else ""
        if found:
            yield f"{peer} {statistics.median(found):,.0f}{worst}"


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
