"""The saving of a run during training, which survives a disk that fails."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from sac.errors import CheckpointError, DiskError, DivergenceError
from sac.evaluation.evaluate import EvaluationStopped, NotFiniteEvaluation
from sac.metrics.logger import Logger
from sac.run.checkpoint import load_checkpoint
from sac.run.layout import BEST_FOLDER
from sac.training.run_state import EVALUATION, RunState, save_best


@dataclass
class Saver:
    """Saves a run's checkpoints and its best agent."""

    state: RunState
    run_directory: Path
    logger: Logger  # its numbers must be on the disk before the checkpoint of their step
    tell: Callable[[str], None]  # shows the user a line
    saved_step: int | None  # of the last checkpoint, at first the one that a run resumes from
    best_return: float | None = None  # of the agent under `best/`
    _best: Any = None  # an agent that is not on the disk yet
    _has_failed: bool = False

    def find_best(self) -> None:
        """Look for what is under `best/`, which may be of a step that the run went back from."""
        if (found := saved_best(self.run_directory)) is None:
            return
        self.best_return, step = found
        if self.best_return is None:
            self.best_return = self.state.counters.best_return
        elif step > self.state.counters.step:
            self.tell(
                f"best/ is of step {step:,}, from before the run went back, with a mean return of "
                f"{self.best_return:.2f}: it stays until an evaluation is as good"
            )

    def checkpoint(self) -> None:
        """Save all that the run needs to continue, once per step; DiskError if that fails.

        Everything must be finite: see `RunState.check_finite`.
        """
        step = self.state.counters.step
        if step == self.saved_step:
            return
        self.logger.flush()
        self._save_best()
        self.state.save(self.run_directory)
        self.saved_step = step
        if self._has_failed:
            self._has_failed = False
            self.tell(f"the run can be saved again, and is at step {step:,}")

    def try_checkpoint(self) -> None:
        """Save as `checkpoint` does; if the disk fails, warn once and leave it to the next."""
        try:
            self.checkpoint()
        except DiskError as error:
            self._warn(error)

    def best(self, mean_return: float) -> None:
        """Save the agent if it is the best; if the disk fails, the next checkpoint tries again.

        Of equals the latest: where a return has an upper bound, it holds in more places.
        """
        if self.best_return is not None and mean_return < self.best_return:
            return
        self.best_return = mean_return
        self._best = self.state.best(mean_return)
        try:
            self._save_best()
        except DiskError as error:
            self._warn(error)

    def _save_best(self) -> None:
        if self._best is not None:
            save_best(self.run_directory, self._best)
            self._best = None

    def _warn(self, error: DiskError) -> None:
        if not self._has_failed:
            self.tell(
                f"{error} The training goes on; each checkpoint to come tries again, and until one "
                "is saved, a stop loses what was learned since the last"
            )
        self._has_failed = True


class Rescuing:
    """Saves what was learned before an error of an environment goes on.

    A class, as a generator would take a tenth of what surrounds an update.
    """

    def __init__(self, rescue: Callable[[], None]) -> None:
        self._rescue = rescue

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        # After a divergence the agent itself may be the cause: do not save it.
        is_other = isinstance(error, DivergenceError | EvaluationStopped | NotFiniteEvaluation)
        if isinstance(error, Exception) and not is_other:
            self._rescue()


def saved_best(run_directory: Path) -> tuple[float | None, int] | None:
    """Return mean return and step of the agent under `best/`; None if no whole one is there.

    The return is None where an earlier version saved it.
    """
    try:
        best = load_checkpoint(run_directory / BEST_FOLDER)
    except CheckpointError:
        return None
    mean_return = best.documents.get(EVALUATION, {}).get("mean_return")
    return (mean_return if _is_finite(mean_return) else None), best.step


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and isfinite(value)
