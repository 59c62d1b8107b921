"""Groups runs into settings, and their seeds into curves with intervals."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sac.config import Config
from sac.config.keys import list_keys, nearest, value_at
from sac.errors import ConfigError
from sac.evaluation.statistics import STATISTICS, Interval, bootstrap_interval
from sac.plots.runs import Run

GRID_POINTS = 200  # of a curve whose runs did not log at the same x
LONGEST_LABEL = 40  # letters: half the width of a figure
ENVIRONMENT_KEYS = ("env", "env.id", "env.name")
# Keys that may differ between runs of one setting.
NO_SETTING = {
    "seed",
    "name",
    "device",
    *ENVIRONMENT_KEYS,
    "env.num_envs",
    "env.ray_address",
    "env.step_timeout",
    "train.buffer_device",
    "train.compile",
    "train.on_divergence",
    "train.total_steps",
} | {
    key.name
    for key in list_keys(Config)
    if key.name.startswith(("evaluation.", "checkpoint.", "logging."))
}


@dataclass(frozen=True)
class Group:
    """Runs that differ only in their seeds."""

    label: str
    runs: list[Run]


@dataclass(frozen=True)
class Curve:
    """A statistic over the seeds of a group: `center` and its interval at `x`, each (n,)."""

    label: str
    seeds: int
    x: np.ndarray
    center: np.ndarray
    band: Interval
    last_values: np.ndarray  # (seeds,), each at the last x


def group_runs(runs: Sequence[Run], group_by: Sequence[str] | None) -> dict[str, list[Group]]:
    """Return the groups of each environment, in the order of their settings.

    `group_by` holds dotted keys of the configuration, perhaps also `env`, which splits the runs
    anyway. None takes every key of the algorithm and the environment in which the runs of an
    environment differ; where that makes long labels, as of runs with several presets, the names of
    the runs are the labels if they tell the groups apart. ConfigError for an unknown key.
    """
    grouped = {}
    for environment in dict.fromkeys(map(_environment, runs)):
        own = [run for run in runs if _environment(run) == environment]
        keys = _differing_keys(own) if group_by is None else _checked_keys(group_by)
        settings: list[tuple[list[Any], list[Run]]] = []
        for run in own:
            tree = run.config.to_dict()
            values = [value_at(tree, key) for key in keys]
            known = next((members for found, members in settings if found == values), None)
            if known is None:
                settings.append((values, [run]))
            else:
                known.append(run)
        ordered = sorted(settings, key=lambda setting: list(map(_order, setting[0])))
        labels = _labels(keys, [values for values, _ in ordered])
        groups = [
            Group(label, members) for label, (_, members) in zip(labels, ordered, strict=True)
        ]
        grouped[environment] = _with_short_labels(groups) if group_by is None else groups
    return grouped


def _labels(keys: Sequence[str], settings: Sequence[Sequence[Any]]) -> list[str]:
    """Return a text for the values of each setting; with all digits where six tell none apart."""
    for text in (_text, repr):
        labels = [
            ", ".join(
                f"{_short(key, keys)} {text(value)}".strip()
                for key, value in zip(keys, values, strict=True)
            )
            for values in settings
        ]
        if len(set(labels)) == len(labels):
            break
    return labels


def _with_short_labels(groups: list[Group]) -> list[Group]:
    if all(len(group.label) <= LONGEST_LABEL for group in groups):
        return groups
    named: dict[str, Group] = {}
    for group in groups:
        name, *others = {run.config.name for run in group.runs}
        if name is None or others or name in named:
            return groups
        named[name] = replace(group, label=name)
    return [named[name] for name in sorted(named)]


def _environment(run: Run) -> str:
    return run.config.env.name or run.config.env.id


def without_repeats(group: Group) -> tuple[Group, list[Run]]:
    """Return the group with one run per seed, the longest, and a list of the others.

    The same seed and setting give the same run again, which is no further evidence.
    """
    by_seed: dict[int, Run] = {}
    for run in sorted(group.runs, key=lambda run: (run.x[-1], run.path.name)):
        by_seed[run.config.seed] = run
    kept = [by_seed[seed] for seed in sorted(by_seed)]
    return replace(group, runs=kept), [run for run in group.runs if run not in kept]


def aggregate(group: Group, statistic: str, smooth: int) -> Curve:
    """Return the statistic over the seeds of a group and its 95 % bootstrap interval.

    The curve ends where the shortest run does. Runs that did not log at the same x are interpolated
    linearly.
    """
    runs = group.runs
    x = _common_x(runs, min(run.x[-1] for run in runs))
    values = [np.interp(x, run.x, moving_average(run.values, smooth)) for run in runs]
    return _over_seeds(group.label, x, np.array(values), statistic)


def aggregate_last(group: Group, statistic: str, smooth: int) -> Curve:
    """Return the same of each seed's own last value, wherever it is: a curve of one point."""
    x = max(run.x[-1:] for run in group.runs)
    values = [moving_average(run.values, smooth)[-1:] for run in group.runs]
    return _over_seeds(group.label, x, np.array(values), statistic)


def _over_seeds(label: str, x: np.ndarray, values: np.ndarray, statistic: str) -> Curve:
    """Return the curve of values (seeds, n) at x (n,)."""
    function = STATISTICS[statistic]
    band = bootstrap_interval(values, function)
    return Curve(label, len(values), x, function(values), band, values[:, -1])


def moving_average(values: np.ndarray, window: int) -> np.ndarray:
    """Return the mean of each value and of up to `window - 1` values before it, but none after."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - window)
    return (sums[ends] - sums[starts]) / (ends - starts)


def _common_x(runs: Sequence[Run], end: float) -> np.ndarray:
    first = runs[0].x[runs[0].x <= end]
    if all(np.array_equal(run.x[run.x <= end], first) for run in runs):
        return first
    start = max(run.x[0] for run in runs)
    return np.linspace(min(start, end), end, GRID_POINTS)


def _checked_keys(group_by: Sequence[str]) -> list[str]:
    known = [key.name for key in list_keys(Config)]
    for key in group_by:
        if key not in (*known, *ENVIRONMENT_KEYS) and not key.startswith("env.kwargs."):
            raise ConfigError(
                f"--group-by: unknown key {key!r}, the nearest is {nearest(key, known)}"
            )
    return [key for key in group_by if key not in ENVIRONMENT_KEYS]


def _differing_keys(runs: Iterable[Run]) -> list[str]:
    first, *others = [run.config.to_dict() for run in runs]
    return [
        key.name
        for key in list_keys(Config)
        if key.name not in NO_SETTING
        and any(value_at(tree, key.name) != value_at(first, key.name) for tree in others)
    ]


def _short(key: str, keys: Sequence[str]) -> str:
    """Return the last part of a key, if no other key has the same; nothing for `name`."""
    if key == "name":
        return ""
    last = key.rpartition(".")[2]
    return key if sum(other.rpartition(".")[2] == last for other in keys) > 1 else last


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)


def _order(value: Any) -> tuple[int, float, str]:
    """Return a sort key by which numbers come by size and before texts."""
    is_number = isinstance(value, int | float)
    return (0, float(value), "") if is_number else (1, 0.0, _text(value))
