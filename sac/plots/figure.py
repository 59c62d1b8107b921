"""Draws curves with matplotlib: a panel for each environment, in colours for everybody's eyes."""

import io
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sac.disk import files
from sac.errors import ConfigError, SACError, install_command
from sac.plots.curves import Curve

FORMATS = ("png", "svg", "pdf")
# Okabe and Ito's palette (jfly.uni-koeln.de/color), without its yellow, too light on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LINE_STYLES = ("-", "--", ":", "-.")  # the next one when all colours are used
DOTS_PER_INCH = 150
WIDTH = 8.0  # inches: with the font sizes below, legible at the 800 pixels of a README
LETTERS = 12  # of a label, in an inch
SAMPLE = 10  # letters: the width of the line that stands before a label in a legend
LINE_HEIGHT = 0.17  # inches, of a label
STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlesize": 10,
    "lines.linewidth": 1.8,
    "grid.color": "#e5e5e5",
    "legend.fontsize": 9,
    "legend.frameon": False,
    "svg.hashsalt": "sac",  # the same figure gives the same bytes
    "pdf.fonttype": 42,  # keeps text as text
}


@dataclass(frozen=True)
class Labels:
    """Texts on the axes and below the figure."""

    x: str
    y: str
    note: str  # what lines and bands mean


def check_output(path: Path) -> None:
    """Raise ConfigError if no figure can be written to `path`, SACError without matplotlib."""
    if path.suffix.lower().removeprefix(".") not in FORMATS:
        raise ConfigError(
            f"--output: expected a name that ends in {', '.join(FORMATS)}, got '{path}'"
        )
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"--output: the folder '{path.parent}' does not exist")
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError:
        raise SACError(
            f"a figure needs matplotlib, which is not installed: {install_command('plots')}"
        ) from None


@contextmanager
def style() -> Iterator[None]:
    """Give the block our style for figures that it draws and saves; then restore the user's."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def draw_curves(panels: Mapping[str, Sequence[Curve]], labels: Labels) -> Any:
    """Return a matplotlib Figure of learning curves, a panel for each environment.

    Panels that have the same labels share one legend, and a label looks the same in each of them.
    """
    height = 3.9 if len(panels) == 1 else 2.7
    names = list(dict.fromkeys(curve.label for curves in panels.values() for curve in curves))
    if len(panels) > 1 and len(names) == max(map(len, panels.values())):
        looks = dict(zip(names, _looks(len(names)), strict=True))
        figure, axes = new_figure(len(panels), height)
        for axis, (environment, curves) in zip(axes, panels.items(), strict=True):
            _draw_panel(axis, environment, curves, [looks[curve.label] for curve in curves])
        if names != [""]:
            _share_legend(figure, names)
        return _finish_figure(figure, labels)
    panels = _wrapped(panels, _letters(len(panels)) - SAMPLE)
    # Long labels would cover the curves: they stand below, and the figure is higher by them.
    is_below = any(_lines(curve) > 1 for curves in panels.values() for curve in curves)
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "borderaxespad": 3}
    lines = max(sum(map(_lines, curves)) for curves in panels.values()) if is_below else 0
    figure, axes = new_figure(len(panels), height + LINE_HEIGHT * lines)
    for axis, (environment, curves) in zip(axes, panels.items(), strict=True):
        _draw_panel(axis, environment, curves, _looks(len(curves)))
        if len(curves) > 1 or curves[0].label:
            axis.legend(**place if is_below else {})
    return _finish_figure(figure, labels)


def _draw_panel(
    axis: Any, title: str, curves: Sequence[Curve], looks: Sequence[tuple[str, str]]
) -> None:
    for curve, (color, line_style) in zip(curves, looks, strict=True):
        marker = "o" if len(curve.x) == 1 else None  # a line with one point is invisible
        axis.plot(curve.x, curve.center, line_style, color=color, marker=marker, label=curve.label)
        if curve.seeds > 1:
            axis.fill_between(curve.x, *curve.band, color=color, alpha=0.2, lw=0)
    axis.set_title(title)
    axis.set_xlim(left=0)
    axis.xaxis.set_major_formatter(_thousands)


def _share_legend(figure: Any, names: Sequence[str]) -> None:
    """Make room above the panels for one legend of these names."""
    letters = int(LETTERS * WIDTH)
    longest = min(letters, SAMPLE + max(map(len, names)))
    columns = min(len(names), letters // longest)
    texts = [textwrap.fill(name, letters - SAMPLE) for name in names]
    lines = {line.get_label(): line for axis in figure.axes for line in axis.lines}
    place = {"loc": "outside upper center", "ncols": columns}
    figure.legend([lines[name] for name in names], texts, **place)
    rows = -(-len(names) // columns) * max(1 + text.count("\n") for text in texts)
    figure.set_figheight(figure.get_figheight() + LINE_HEIGHT * (rows + 1))


def draw_final(panels: Mapping[str, Sequence[Curve]], labels: Labels) -> Any:
    """Return a matplotlib Figure of the last values: seeds, statistic and interval."""
    most = max(len(curves) for curves in panels.values())
    panels = _wrapped(panels, int(0.4 * _letters(len(panels))))
    lines = max(_lines(curve) for curves in panels.values() for curve in curves)
    row_height = max(0.4, LINE_HEIGHT * (lines + 1))
    figure, axes = new_figure(len(panels), 0.7 + row_height * most)
    for axis, (environment, curves) in zip(axes, panels.items(), strict=True):
        rows = range(len(curves))
        for row, curve, (color, _) in zip(rows, curves, _looks(len(curves)), strict=True):
            low, high = curve.band.low[-1], curve.band.high[-1]
            axis.plot(curve.last_values, [row] * curve.seeds, "o", color=color, alpha=0.35, mew=0)
            axis.plot([low, high], [row, row], color=color, lw=6, alpha=0.35)
            axis.plot([curve.center[-1]], [row], "|", color=color, ms=18, mew=2.5)
        axis.set_title(environment)
        axis.set_yticks(rows, [curve.label for curve in curves])
        axis.set_ylim(len(curves) - 0.4, -0.6)
        axis.grid(visible=False, axis="y")
    return _finish_figure(figure, labels)


def save(figure: Any, path: Path) -> None:
    """Write a figure in one atomic step, or raise SACError; equal figures give equal bytes."""
    kind = path.suffix.lower().removeprefix(".")
    # Without the date, which would differ.
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    content = io.BytesIO()
    figure.savefig(content, format=kind, dpi=DOTS_PER_INCH, metadata=metadata)
    try:
        files.replace_file(path, content.getvalue())
    except OSError as error:
        raise SACError(f"Can't write '{path}': {error.strerror}.") from error


def new_figure(panels: int, panel_height: float) -> tuple[Any, list[Any]]:
    """Return a figure with so many panels, and these; heights in inches."""
    from matplotlib.figure import Figure  # not pyplot, which needs a display and keeps global state

    columns = _columns(panels)
    rows = -(-panels // columns)
    figure = Figure(figsize=(WIDTH, panel_height * rows + 0.6), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes[panels:]:
        axis.remove()
    return figure, list(axes[:panels])


def _columns(panels: int) -> int:
    return min(panels, 2 if panels in (2, 4) else 3)


def _letters(panels: int) -> int:
    """Return how many letters are as wide as one of so many panels."""
    return int(LETTERS * WIDTH / _columns(panels))


def _wrapped(panels: Mapping[str, Sequence[Curve]], letters: int) -> dict[str, list[Curve]]:
    """Return the panels with no line of a label longer than `letters`."""
    return {
        environment: [replace(curve, label=textwrap.fill(curve.label, letters)) for curve in curves]
        for environment, curves in panels.items()
    }


def _lines(curve: Curve) -> int:
    return 1 + curve.label.count("\n")


def _finish_figure(figure: Any, labels: Labels) -> Any:
    figure.supxlabel(f"{labels.x}\n{labels.note}", fontsize=10)
    figure.supylabel(labels.y, fontsize=10)
    return figure


def _looks(count: int) -> list[tuple[str, str]]:
    return [
        (COLORS[i % len(COLORS)], LINE_STYLES[i // len(COLORS) % len(LINE_STYLES)])
        for i in range(count)
    ]


def _thousands(step: float, position: int) -> str:
    return f"{step:g}" if step < 1000 else f"{step / 1000:g}k" if step < 1e6 else f"{step / 1e6:g}M"
