"""A sweep's folder: what is searched, what was found, and a run directory for each trial.

<logging.root>/<sweep>/
    sweep.yaml        the configuration, the space, and how trials are compared
    study.db          Optuna's: parameters, evaluations and outcome of each trial
    trials.csv        the same as a table
    best.yaml         the configuration of the best trial, for train's --config
    importance.png    how much of the differences each key explains
    trial-<n>/        a run directory; trial-<n>-s<seed>/ where a trial has several seeds
"""

import csv
import io
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sac.config import Config
from sac.config.keys import list_keys, merge, nested, value_at
from sac.config.yaml_text import dump_yaml, read_yaml_mapping
from sac.disk.files import replace_file
from sac.disk.lock import RunLock
from sac.errors import ConfigError, SACError
from sac.metrics.table import read_columns
from sac.run.layout import CONFIG_FILE, METRICS_FILE
from sac.run.origin import sign
from sac.sweep.space import Space

SWEEP_FILE, STUDY_FILE, TRIALS_FILE = "sweep.yaml", "study.db", "trials.csv"
BEST_FILE, IMPORTANCE_FILE, PRUNED_FILE = "best.yaml", "importance.png", "pruned.txt"
SAVING_SECONDS = 60.0  # that a training whose sweep is gone has to save


@dataclass(frozen=True)
class Comparison:
    """What makes the trials of a sweep comparable."""

    metric: str  # last or best: which evaluation of a run counts
    pruner: str  # median, asha or none
    seeds: tuple[int, ...]  # of each trial
    sampler_seed: int


@dataclass(frozen=True)
class TrialRow:
    """A trial, for the table."""

    number: int
    state: str  # complete, pruned, failed, or running: what a next command goes on with
    value: float | None  # mean return over the seeds
    parameters: Mapping[str, Any]
    folders: Sequence[str]  # names of run directories


class SweepFolder:
    """The folder of one sweep, which one command at a time goes on with: it holds the lock."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self, space: Space, comparison: Comparison) -> bool:
        """Make the folder, or go on with it; return whether it was there.

        ConfigError where it holds a sweep that is not the same, with the first difference.
        """
        wanted = _document(space, comparison)
        file = self.path / SWEEP_FILE
        if file.exists():
            keys = [f"config.{key.name}" for key in list_keys(Config)]
            keys += [name for name in wanted if name != "config"]
            _check_same(self.path, "sweep", read_yaml_mapping(file), wanted, keys)
            return True
        if self.path.exists() and any(self.path.iterdir()):
            raise ConfigError(
                f"'{self.path}' holds other files: choose another --sweep for this sweep"
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            replace_file(file, dump_yaml(wanted).encode())
        except OSError as error:
            raise SACError(
                f"Can't make '{self.path}': {error.strerror}. Set logging.root to a folder that "
                "you may write to."
            ) from error
        return False

    def lock(self) -> RunLock:
        """Return what keeps other commands out; SACError, once it is entered, where one is in."""
        return RunLock(self.path, "sweep")

    def run_directories(self, number: int, seeds: Sequence[int]) -> list[Path]:
        """Return the run directories of a trial, one for each seed."""
        name = f"trial-{number:04d}"
        names = [name] if len(seeds) == 1 else [f"{name}-s{seed}" for seed in seeds]
        return [self.path / name for name in names]

    def write_rows(self, rows: Sequence[TrialRow], keys: Sequence[str]) -> None:
        """Write the table of the trials."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["trial", "state", "value", *keys, "run_directories"])
        for row in rows:
            values = [_cell(row.parameters[key]) if key in row.parameters else "" for key in keys]
            value = "" if row.value is None else row.value
            writer.writerow([row.number, row.state, value, *values, " ".join(row.folders)])
        replace_file(self.path / TRIALS_FILE, text.getvalue().encode())

    def write_best(self, config: Config, row: TrialRow) -> None:
        """Write the configuration of the best trial."""
        head = f"# Trial {row.number} of the sweep {self.path.name}: mean return {row.value:g}.\n"
        replace_file(self.path / BEST_FILE, (head + config.to_yaml()).encode())


def trial_config(config: Config, parameters: Mapping[str, Any], seed: int) -> Config:
    """Return the configuration of a trial with one seed; ConfigError where keys do not agree."""
    return config.merged(merge(nested(parameters), {"seed": seed}))


def begin_run(run_directory: Path, config: Config) -> None:
    """Make a run directory that `train --resume` begins with, or wait until it can go on.

    The training of a sweep that was killed may still be saving. SACError for a run that was begun
    with other settings.
    """
    file = run_directory / CONFIG_FILE
    if file.exists():
        _wait_until_free(run_directory)
        found, wanted = Config.load(file).to_dict(), config.to_dict()
        try:
            keys = [key.name for key in list_keys(Config)]
            _check_same(run_directory, "run", found, wanted, keys)
        except ConfigError as error:  # no fault of the trial's, which others might follow
            raise SACError(str(error)) from error
        return
    run_directory.mkdir(parents=True, exist_ok=True)
    sign(run_directory, config.env)
    replace_file(file, config.to_yaml().encode())


def _check_same(
    path: Path, kind: str, found: Mapping[str, Any], wanted: Mapping[str, Any], keys: Sequence[str]
) -> None:
    for key in keys:
        before, now = value_at(found, key), value_at(wanted, key)
        if before != now:
            raise ConfigError(
                f"'{path}' holds a {kind} with another {key.removeprefix('config.')}: "
                f"{json.dumps(before)}, now {json.dumps(now)}. Go on with what it had, or choose "
                "another --sweep"
            )


def _wait_until_free(run_directory: Path) -> None:
    until = time.monotonic() + SAVING_SECONDS
    while True:
        try:
            with RunLock(run_directory):
                return
        except SACError:
            if time.monotonic() >= until:
                raise
        time.sleep(0.2)


def evaluations_of(run_directory: Path) -> dict[int, float]:
    """Return the mean returns that a run has written, by step; none where it lies elsewhere."""
    file = run_directory / METRICS_FILE
    if not file.exists():
        return {}
    columns = read_columns(file)
    returns = columns.get("eval/mean_return")
    if returns is None:
        return {}
    pairs = zip(columns["step"].tolist(), returns.tolist(), strict=True)
    return {int(step): value for step, value in pairs if value == value}


def _document(space: Space, comparison: Comparison) -> dict[str, Any]:
    tree = space.config.to_dict()
    tree.pop("seed")
    compared = {**asdict(comparison), "seeds": list(comparison.seeds)}
    return {"config": tree, "space": space.document, **compared}


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict | bool) else value
