"""Figures of runs: learning curves or final performance over seeds, with bootstrap intervals."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sac.errors import SACError
from sac.plots.curves import (
    Curve,
    Group,
    aggregate,
    aggregate_last,
    group_runs,
    without_repeats,
)
from sac.plots.figure import Labels, check_output, draw_curves, draw_final, save, style
from sac.plots.runs import Run, find_runs, read_run

__all__ = ["PlotSettings", "plot"]

NAMES = {"eval/mean_return": "evaluation return", "rollout/episode_return": "training return"}
STATISTIC_NAMES = {"mean": "mean", "iqm": "interquartile mean"}
TIME_UNITS = (("hours", 3600), ("minutes", 60), ("seconds", 1))


@dataclass(frozen=True)
class PlotSettings:
    """What a figure shows."""

    metric: str = "eval/mean_return"  # a column of metrics.csv
    x: str = "steps"  # or "time": the wall time of training, evaluations and checkpoints
    # Dotted keys: runs with the same values are seeds of one curve. None: all keys that differ.
    group_by: Sequence[str] | None = None
    smooth: int = 1  # number of values in the moving average; 1: none
    statistic: str = "mean"  # over seeds; or "iqm"
    final: bool = False  # each seed's last value, whatever x is, instead of curves

    @property
    def is_over_time(self) -> bool:
        """Whether runs are read over wall time, which says nothing of how long one learned."""
        return self.x == "time" and not self.final


def plot(paths: Sequence[Path], output: Path, settings: PlotSettings) -> list[str]:
    """Draw the runs at and below `paths` to a file, or raise SACError; return warnings."""
    check_output(output)
    runs, warnings = _read(paths, settings)
    panels: dict[str, list[Curve]] = {}
    for environment, groups in group_runs(runs, settings.group_by).items():
        for group in groups:
            kept, repeats = without_repeats(group)
            warnings += [f"{run.path}: {_repeated(run)}" for run in repeats]
            warnings += _cut_short(kept, settings)
            over_seeds = aggregate_last if settings.final else aggregate
            curve = over_seeds(kept, settings.statistic, settings.smooth)
            panels.setdefault(environment, []).append(curve)
    with style():
        save(_figure(panels, settings), output)
    return warnings


def _read(paths: Sequence[Path], settings: PlotSettings) -> tuple[list[Run], list[str]]:
    runs: list[Run] = []
    found, errors = find_runs(paths)
    for path in found:
        try:
            runs.append(read_run(path, settings.metric, over_time=settings.is_over_time))
        except SACError as error:
            errors.append(str(error))
    if not runs:
        others = f" (and so on, {len(errors)} in all)" if len(errors) > 1 else ""
        raise SACError(f"no run can be drawn: {errors[0]}{others}")
    return runs, [f"{error}: left out" for error in errors]


def _repeated(run: Run) -> str:
    text = "left out, another run has its seed"
    if run.config.env.id:
        return text
    return f"{text}; if they are of other tasks, tell these apart by env.name in the config.yaml"


def _cut_short(group: Group, settings: PlotSettings) -> list[str]:
    """Return a warning if one run is so short that it changes much of what is drawn."""
    shortest = min(group.runs, key=lambda run: run.x[-1])
    longest = max(group.runs, key=lambda run: run.x[-1])
    if shortest.x[-1] > 0.9 * longest.x[-1]:
        return []
    unit = "s" if settings.is_over_time else "steps"
    effect = "its curve is drawn as far as all of its seeds go"
    if settings.final:
        effect = "its last value counts beside those of longer runs"
    return [f"{shortest.path} ends at {shortest.x[-1]:g} of {longest.x[-1]:g} {unit}: {effect}"]


def _figure(panels: dict[str, list[Curve]], settings: PlotSettings) -> Any:
    curves = [curve for own in panels.values() for curve in own]
    most = max(curve.seeds for curve in curves)
    same = all(curve.seeds == most for curve in curves)
    note = f"{STATISTIC_NAMES[settings.statistic]} over {f'{most} ' if same else ''}seeds"
    note = "1 seed" if most == 1 else f"{note}, 95 % bootstrap interval"
    if not same:
        panels = {environment: _with_seeds(own) for environment, own in panels.items()}
    quantity = NAMES.get(settings.metric, settings.metric)
    if settings.smooth > 1:
        quantity += f" (moving average of {settings.smooth})"
    if settings.final:
        return draw_final(panels, Labels(x=f"final {quantity}", y="", note=f"{note}; dots: seeds"))
    if settings.x == "steps":
        return draw_curves(panels, Labels(x="environment steps", y=quantity, note=note))
    longest = max(curve.x[-1] for curve in curves)
    unit, seconds = next(((u, s) for u, s in TIME_UNITS if longest >= 3 * s), TIME_UNITS[-1])
    scaled = {
        environment: [replace(curve, x=curve.x / seconds) for curve in own]
        for environment, own in panels.items()
    }
    return draw_curves(scaled, Labels(x=f"wall time ({unit})", y=quantity, note=note))


def _with_seeds(curves: Sequence[Curve]) -> list[Curve]:
    counts = [f"{curve.seeds} seed{'s' * (curve.seeds > 1)}" for curve in curves]
    return [
        replace(curve, label=f"{curve.label} ({count})" if curve.label else count)
        for curve, count in zip(curves, counts, strict=True)
    ]
