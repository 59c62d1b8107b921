"""The trials of a sweep: Optuna proposes parameters and prunes, each trial is trained."""

import logging
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from numpy.random import SeedSequence

from sac.config import Config
from sac.errors import ConfigError, SACError, install_command
from sac.seeding import integer_seed
from sac.sweep.folder import (
    PRUNED_FILE,
    STUDY_FILE,
    Comparison,
    SweepFolder,
    TrialRow,
    begin_run,
    evaluations_of,
    trial_config,
)
from sac.sweep.processes import INTERRUPTED, LOST, Run
from sac.sweep.space import Space
from sac.terminal import reports

STUDY_NAME = "sweep"
MAX_STARTS = 4  # of a run that is lost, with its node


@dataclass
class _Trial:
    """A trial that is being trained."""

    number: int
    optuna: Any  # optuna.trial.Trial
    parameters: dict[str, Any]
    waiting: list[Run]
    running: list[Run] = field(default_factory=list)
    done: list[Run] = field(default_factory=list)
    evaluations: dict[str, dict[int, float]] = field(default_factory=dict)  # by the run's label
    reported: set[int] = field(default_factory=set)  # steps at which evaluations were due
    is_pruned: bool = False

    @property
    def has_failed(self) -> bool:
        """Whether one of its runs ended with an error."""
        return any(run.status not in (0, *INTERRUPTED) for run in self.done)

    @property
    def last_step(self) -> int:
        """The step of the latest evaluation."""
        return max(max(found) for found in self.evaluations.values())


class Trials:
    """Gives the runs of a sweep to a supervisor, until there are enough; its `Jobs`."""

    def __init__(
        self,
        folder: SweepFolder,
        space: Space,
        comparison: Comparison,
        *,
        trials: int,
        timeout: float | None = None,
    ) -> None:
        """Open the study of an open folder, or go on with it; SACError without Optuna.

        `trials`: of the whole sweep, with those that were made before. `timeout`: seconds after
        which no new one begins.
        """
        self.folder, self.space, self.comparison = folder, space, comparison
        self.wanted, self._until = trials, None if timeout is None else time.monotonic() + timeout
        self.optuna = load_optuna()
        self.study = self._open()
        self._going: dict[str, _Trial] = {}  # by the labels of runs
        self._starts: dict[str, int] = {}
        self._queue = [begun for trial in self._trials("RUNNING") for begun in self._begun(trial)]

    def _open(self) -> Any:
        optuna, comparison = self.optuna, self.comparison
        storage = f"sqlite:///{self.folder.path.absolute() / STUDY_FILE}"
        pruners = optuna.pruners
        pruner = {
            "median": lambda: pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=0),
            "asha": lambda: pruners.SuccessiveHalvingPruner(),
            "none": pruners.NopPruner,
        }[comparison.pruner]()
        # Whatever the folder is called by now, its study is the only one.
        known = optuna.get_all_study_names(storage)
        return optuna.create_study(
            storage=storage,
            study_name=known[0] if known else STUDY_NAME,
            direction="maximize",
            pruner=pruner,
            load_if_exists=True,
        )

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Raise SACError where study or table can't be written, such as on a full disk."""
        try:
            yield
        except (OSError, self.optuna.exceptions.StorageInternalError) as error:
            reason = getattr(error, "strerror", None) or error.__cause__ or error
            raise SACError(
                f"Can't write into '{self.folder.path}': {reason}. Each training is saved: once "
                "that is mended, the same command goes on."
            ) from error

    def _seed_sampler(self, number: int) -> None:
        """Make what is drawn for a trial the same, however often the sweep was interrupted."""
        seed = integer_seed(SeedSequence((self.comparison.sampler_seed, number)))
        self.study.sampler = self.optuna.samplers.TPESampler(seed=seed)

    # -- what the supervisor asks ---------------------------------------------------------

    def next(self) -> Run | None:
        """Return a run to start now, if there is one."""
        while not self._queue:
            number = len(self._trials())
            is_late = self._until is not None and time.monotonic() >= self._until
            if number >= self.wanted or is_late:
                return None
            self._seed_sampler(number)
            optuna_trial = self.study.ask()
            self._queue += self._tried(optuna_trial, self.space.suggest(optuna_trial))
        trial = self._queue[0]
        run = trial.waiting.pop(0)
        if not trial.waiting:
            self._queue.pop(0)
        trial.running.append(run)
        self._starts[run.label] = self._starts.get(run.label, 0) + 1
        return run

    def reported(self, run: Run, report: reports.Report) -> None:
        """Tell Optuna of an evaluation once all seeds of the trial have made it."""
        if not isinstance(report, reports.Evaluated):
            return
        trial = self._going[run.label]
        trial.evaluations.setdefault(run.label, {})[report.step] = report.mean_return
        due, last = self._due_step(trial, report.step), self._last_step(trial)
        values = [
            {self._due_step(trial, step): value for step, value in found.items()}.get(due)
            for found in trial.evaluations.values()
        ]
        is_whole = len(values) == len(self.comparison.seeds) and None not in values
        if is_whole and due not in trial.reported:
            trial.reported.add(due)
            trial.optuna.report(fmean(v for v in values if v is not None), due)
            trial.is_pruned |= due < last and trial.optuna.should_prune()

    def _due_step(self, trial: _Trial, step: int) -> int:
        """Return the step that an evaluation was due at.

        It is made later where several environments step at once, or an episode ends first; trials
        and seeds are compared by when theirs were due.
        """
        every = trial.parameters.get(
            "evaluation.every_steps", self.space.config.evaluation.every_steps
        )
        last = self._last_step(trial)
        return last if step >= last or every == 0 else step // every * every

    def _last_step(self, trial: _Trial) -> int:
        return trial.parameters.get("train.total_steps", self.space.config.train.total_steps)

    def is_over(self, run: Run) -> bool:
        """Return whether a run's trial is pruned, or has failed with another seed."""
        trial = self._going[run.label]
        return trial.is_pruned or trial.has_failed

    def ended(self, run: Run) -> str:
        """Tell Optuna of a trial whose runs have all ended."""
        trial = self._going[run.label]
        trial.running.remove(run)
        if run.status == LOST and self._starts[run.label] < MAX_STARTS:
            run.status = None
            trial.waiting.append(run)
            if trial not in self._queue:
                self._queue.insert(0, trial)
            return "lost with its machine: begins again from its last checkpoint, if that is there"
        trial.done.append(run)
        if trial.is_pruned or trial.has_failed:
            trial.waiting.clear()
            self._queue = [other for other in self._queue if other is not trial]
        if trial.running or trial.waiting:
            return "pruned" if trial.is_pruned else run.outcome
        return self._conclude(trial, run)

    def _conclude(self, trial: _Trial, run: Run) -> str:
        state = self.optuna.trial.TrialState
        if trial.is_pruned:
            self.study.tell(trial.number, state=state.PRUNED)
            self._mark_pruned(trial)
            outcome = f"pruned after {trial.last_step:,} steps"
        elif trial.has_failed:
            self.study.tell(trial.number, state=state.FAIL)
            outcome = run.outcome
        elif any(each.status != 0 for each in trial.done):
            return run.outcome  # interrupted: the same command goes on with it
        else:
            value = self._value(trial)
            if value is None:
                self.study.tell(trial.number, state=state.FAIL)
                outcome = "failed: its evaluations are lost"
            else:
                self.study.tell(trial.number, value)
                outcome = f"done: {value:.2f}"
        self.write()
        return outcome

    def _value(self, trial: _Trial) -> float | None:
        """Return the mean over the seeds of what counts of each; None where one is not known."""
        found = []
        for directory in self._directories(trial.number):
            # A run that had ended before it could be told of has nothing more to report.
            returns = evaluations_of(directory) or trial.evaluations.get(directory.name, {})
            if not returns:
                return None
            is_best = self.comparison.metric == "best"
            found.append(max(returns.values()) if is_best else returns[max(returns)])
        return fmean(found)

    def _mark_pruned(self, trial: _Trial) -> None:
        text = f"Pruned by the sweep {self.folder.path.name} after {trial.last_step} steps.\n"
        for directory in self._directories(trial.number):
            if directory.is_dir():
                (directory / PRUNED_FILE).write_text(text, encoding="utf-8")

    # -- trials ---------------------------------------------------------------------------

    def _trials(self, *states: str) -> list[Any]:
        kinds = self.optuna.trial.TrialState
        wanted = tuple(kinds[name] for name in states) or None
        found: list[Any] = self.study.get_trials(deepcopy=False, states=wanted)
        return found

    def _tried(self, optuna_trial: Any, parameters: dict[str, Any]) -> list[_Trial]:
        """Return a trial in a list; where its keys do not agree it fails, and there is none."""
        optuna_trial.set_user_attr("parameters", parameters)
        try:
            return [self._prepared(optuna_trial, parameters)]
        except ConfigError as error:
            optuna_trial.set_user_attr("error", str(error))
            self.study.tell(optuna_trial, state=self.optuna.trial.TrialState.FAIL)
            print(f"trial {optuna_trial.number} can't be: {error}", file=sys.stderr)
            return []

    def _begun(self, frozen: Any) -> list[_Trial]:
        """Return a trial that an earlier command left unfinished, with the returns of its runs."""
        self._seed_sampler(frozen.number)
        optuna_trial = self.optuna.trial.Trial(self.study, frozen._trial_id)
        parameters = frozen.user_attrs.get("parameters") or self.space.suggest(optuna_trial)
        begun = self._tried(optuna_trial, parameters)
        for trial in begun:
            trial.reported |= set(frozen.intermediate_values)
            found = {path.name: evaluations_of(path) for path in self._directories(trial.number)}
            trial.evaluations = {name: returns for name, returns in found.items() if returns}
        return begun

    def _prepared(self, optuna_trial: Any, parameters: dict[str, Any]) -> _Trial:
        """Make the run directories of a trial, and return it; ConfigError where keys disagree."""
        seeds = self.comparison.seeds
        configs = [trial_config(self.space.config, parameters, seed) for seed in seeds]
        runs = []
        for directory, config in zip(self._directories(optuna_trial.number), configs, strict=True):
            try:
                begin_run(directory, config)
            except OSError as error:
                raise SACError(f"Can't write into '{directory}': {error.strerror}.") from error
            command = (sys.executable, "-m", "sac", "train", "--resume", str(directory))
            runs.append(Run(directory.name, command=command))
        trial = _Trial(optuna_trial.number, optuna_trial, parameters, runs)
        for run in runs:
            self._going[run.label] = trial
        return trial

    def _directories(self, number: int) -> list[Path]:
        return self.folder.run_directories(number, self.comparison.seeds)

    # -- what was found -------------------------------------------------------------------

    def rows(self) -> list[TrialRow]:
        """Return all trials, the best first, then those without a value."""
        rows = [
            TrialRow(
                trial.number,
                {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}.get(
                    trial.state.name, "running"
                ),
                trial.value if trial.state.name == "COMPLETE" else None,
                trial.user_attrs.get("parameters", {}),
                [directory.name for directory in self._directories(trial.number)],
            )
            for trial in self._trials()
        ]
        return sorted(rows, key=lambda row: (row.value is None, -(row.value or 0), row.number))

    def best_config(self) -> tuple[TrialRow, Config] | None:
        """Return the best trial and its configuration; None where none is complete."""
        rows = self.rows()
        if not rows or rows[0].value is None:
            return None
        seed = self.comparison.seeds[0]
        return rows[0], trial_config(self.space.config, rows[0].parameters, seed)

    def importances(self) -> Mapping[str, float]:
        """Return the share of the differences that each key explains; empty where too few ran.

        By PED-ANOVA (Watanabe et al. 2023, arXiv:2304.10255).
        """
        if len(self._trials("COMPLETE")) < 4:
            return {}
        importance = self.optuna.importance
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of experimental features
            try:
                # The default of Optuna 4 needs scikit-learn.
                evaluator = importance.PedAnovaImportanceEvaluator()
                found: dict[str, float] = importance.get_param_importances(
                    self.study, evaluator=evaluator
                )
            except (RuntimeError, ValueError):  # no key was in all of them, or none made a change
                return {}
        return found

    def write(self) -> None:
        """Write the table and the best configuration."""
        keys = [dimension.key for dimension in self.space.dimensions]
        self.folder.write_rows(self.rows(), keys)
        if (best := self.best_config()) is not None:
            self.folder.write_best(best[1], best[0])


def load_optuna() -> Any:
    """Return the package; SACError, with the command that installs it, where it is not there."""
    try:
        import optuna
    except ImportError as error:
        raise SACError(f"a sweep needs Optuna ({error}): {install_command('optuna')}") from error
    optuna.logging.set_verbosity(logging.WARNING)
    return optuna
