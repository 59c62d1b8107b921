"""Reads what a figure needs of run directories: configuration, one metric, and its times."""

import csv
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sac.config import Config
from sac.config.keys import nearest
from sac.disk.places import folder_fault
from sac.errors import ConfigError, SACError
from sac.metrics.events import FILE_PATTERN, do_without_tensorflow
from sac.run.layout import CONFIG_FILE, METRICS_FILE, without_figures

STEP = "step"


@dataclass(frozen=True)
class Run:
    """One metric of a run: `values` over `x`, in steps or seconds; both (n,), n > 0."""

    path: Path
    config: Config
    x: np.ndarray
    values: np.ndarray


def find_runs(paths: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """Return the run directories at and below `paths`, each once, and which folders can't be read.

    ConfigError if there is no run in one of `paths`, all of which could be read.
    """
    found: dict[Path, Path] = {}
    unreadable: dict[str, str] = {}  # by folder, for overlapping paths
    for path in without_figures(paths):
        if fault := folder_fault(path):
            raise ConfigError(f"{path} {fault}: expected a run directory or a folder of runs")
        faults: list[OSError] = []
        below = list(_runs_below(path, faults))
        unreadable |= {
            each.filename: f"{each.filename} can't be read: {each.strerror}" for each in faults
        }
        if not below and not faults:
            raise ConfigError(
                f"{path} is not a run directory and contains none: expected {CONFIG_FILE} and "
                f"{METRICS_FILE} in it"
            )
        found |= {run.resolve(): run for run in below}
    return list(found.values()), list(unreadable.values())


def _runs_below(path: Path, faults: list[OSError]) -> Iterable[Path]:
    for folder, names, file_names in os.walk(path, onerror=faults.append):
        if CONFIG_FILE in file_names or METRICS_FILE in file_names:
            names.clear()  # folders in a run, such as checkpoints, are not runs
            yield Path(folder)
        names.sort()


def read_run(path: Path, metric: str, *, over_time: bool = False) -> Run:
    """Read one metric of a run over steps, or seconds (`over_time`); SACError if that fails."""
    config = Config.load(path / CONFIG_FILE)
    steps, values = read_metric(path / METRICS_FILE, metric)
    x = elapsed_seconds(path, steps) if over_time else steps.astype(np.float64)
    return Run(path, config, x, values)


def read_metric(path: Path, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Return steps (n,) and values (n,) of one column, where its values are finite.

    The last row may be incomplete, after a crash or while the run is still writing it. SACError if
    the file can't be read, is damaged, or has no such values.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
    except FileNotFoundError:
        raise SACError(f"{path} does not exist") from None
    except OSError as error:
        raise SACError(f"{path} can't be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise SACError(f"{path} is damaged: {error}") from error
    _check_header(path, rows, metric)
    if len(rows[-1]) != len(rows[0]):
        del rows[-1]
    points = []
    for number, cells in enumerate(rows[1:], start=2):
        try:
            row = dict(zip(rows[0], cells, strict=True))
            if row[metric]:
                points.append((int(row[STEP]), float(row[metric])))
        except ValueError:
            raise SACError(
                f"{path} is damaged: line {number} is not a row of {len(rows[0])} numbers"
            ) from None
    points = [point for point in points if math.isfinite(point[1])]
    if not points:
        raise SACError(f"{path} has no value of {metric} (yet)")
    table = np.array(points, np.float64)
    return table[:, 0].astype(np.int64), table[:, 1]


def _check_header(path: Path, rows: Sequence[Sequence[str]], metric: str) -> None:
    if not rows:
        raise SACError(f"{path} is empty")
    header = rows[0]
    if header[0] != STEP or len(header) < 2:
        raise SACError(f"{path} is damaged: its first line names no columns after {STEP!r}")
    if metric not in header[1:]:
        raise SACError(
            f"{path} has no column {metric}, the nearest is {nearest(metric, header[1:])}"
        )


def elapsed_seconds(run_directory: Path, steps: np.ndarray) -> np.ndarray:
    """Return how long a run had been training, evaluating and saving at each of `steps` (n,).

    This is the wall time of its TensorBoard events; SACError if it has none. The pause before a
    resume does not count, nor does training after the checkpoint that was resumed from.
    """
    do_without_tensorflow()
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    known_steps, seconds, earlier_sessions = [0], [0.0], 0.0
    for path in sorted(run_directory.glob(FILE_PATTERN)):
        start = None  # of the session that wrote this file
        for event in LegacyEventFileLoader(str(path)).Load():
            if start is None:
                start = event.wall_time
            known_steps.append(max(event.step, known_steps[-1]))
            seconds.append(max(earlier_sessions + event.wall_time - start, seconds[-1]))
        earlier_sessions = seconds[-1]
    if known_steps[-1] == 0:
        raise SACError(f"{run_directory} has no event files ({FILE_PATTERN}) with times")
    last = np.searchsorted(known_steps, steps, side="right") - 1
    return np.array(seconds)[last]
