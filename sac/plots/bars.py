"""A figure of named shares, as bars."""

from collections.abc import Mapping
from pathlib import Path

from sac.plots.figure import check_output, new_figure, save, style


def draw_bars(path: Path, shares: Mapping[str, float], label: str) -> None:
    """Write a figure with a bar for each name, the first on top; SACError if it can't be."""
    check_output(path)
    with style():
        figure, (axis,) = new_figure(1, 0.7 + 0.4 * len(shares))
        rows = range(len(shares))
        axis.barh(rows, list(shares.values()), height=0.6)
        axis.set_yticks(rows, list(shares))
        axis.set_xlim(0, 1)
        axis.invert_yaxis()
        axis.grid(visible=False, axis="y")
        axis.set_xlabel(label)
        save(figure, path)
