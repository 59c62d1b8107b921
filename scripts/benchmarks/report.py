"""Show what was measured, and on which machine: a table, and one line of JSON."""

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table

from sac.disk.files import replace_file
from scripts.benchmarks.bench import Report
from scripts.benchmarks.harness import Sample
from scripts.benchmarks.process import ROOT

README = ROOT / "README.md"
PAGE = ROOT / "scripts" / "README.md"  # of all that was measured
CONFIGS_PAGE = ROOT / "configs" / "README.md"
TEXT_WIDTH = 150  # of a table in a file or a pipe


def machine(threads: int, device: str) -> dict[str, Any]:
    """Return what a reader must know of the machine to judge the numbers."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "date": today(),
        "processor": processor(),
        "processors": os.cpu_count(),
        "threads": threads,
        "device": device,
        "load": load,
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": version("numpy"),
    }


def today() -> str:
    """Return the date."""
    return datetime.now(UTC).date().isoformat()


def print_json(report: Report, about: Mapping[str, Any]) -> None:
    """Print the medians, their ratios and what they were measured on as one line of JSON."""
    rows = [row.to_json() for row in report.rows]
    measured_on = {"machine": dict(about), "versions": report.versions}
    print(json.dumps({"rows": rows, "gemm_multiple": report.gemm_multiple, **measured_on}))


def print_table(report: Report, about: Mapping[str, Any], stream: TextIO) -> None:
    """Print the rows with their spread, then what they were measured on."""
    table = Table("work", "peer", "unit", title="medians \\[and quartiles]")
    for heading in ("ours", "peer's", "ours / peer's"):
        table.add_column(heading, justify="right")
    for row in report.rows:
        ratio = "" if row.ratio_to_peer is None else f"{row.ratio_to_peer:.2f}"
        # Below a millisecond the digits that differ would stand far behind the point.
        scale, unit = (1e3, "us") if row.unit == "ms" and row.ours.median < 1 else (1, row.unit)
        ours, theirs = _shown(row.ours, scale), _shown(row.theirs, scale)
        table.add_row(row.work, row.peer or "", unit, ours, theirs, ratio)
    console = Console(file=stream)
    if not console.is_terminal:
        console = Console(file=stream, width=TEXT_WIDTH)
    console.print(table)
    if report.gemm_multiple is not None:
        console.print(f"update over its own matrix products: {report.gemm_multiple:.2f}")
    for side, versions in report.versions.items():
        console.print(f"{side}: " + ", ".join(f"{k} {v}" for k, v in versions.items()))
    console.print(", ".join(f"{key} {value}" for key, value in about.items()))


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of a page."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def write_section(command: str, text: str, path: Path = README) -> None:
    """Put a text between the marks of the command that writes it."""
    begin, end = f"<!-- scripts/benchmark.py {command} writes this -->\n", "<!-- up to here -->"
    before, found, rest = path.read_text(encoding="utf-8").partition(begin)
    assert found, f"{path} has no place for what {command} writes"
    after = rest.partition(end)[2]
    replace_file(path, f"{before}{begin}\n{text}\n{end}{after}".encode())


def _shown(sample: Sample | None, scale: float) -> str:
    if sample is None:
        return ""
    median = f"{sample.median * scale:.4g}"
    if len(sample.values) == 1:
        return median
    first, third = (f"{value * scale:.4g}" for value in sample.quartiles)
    return f"{median} \\[{first} {third}]"


def processor() -> str:
    """Return the name of this machine's processor."""
    file = Path("/proc/cpuinfo")
    if file.exists():
        for line in file.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
