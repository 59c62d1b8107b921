"""The saving of a run during training, which survives a disk that fails."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sac.errors import DiskError, DivergenceError
from sac.evaluation.evaluate import EvaluationStopped, NotFiniteEvaluation
from sac.metrics.logger import Logger
from sac.training.run_state import RunState, save_best


@dataclass
class Saver:
    """Saves a run's checkpoints and its best agent."""

    state: RunState
    run_directory: Path
    logger: Logger  # its numbers must be on the disk before the checkpoint of their step
    tell: Callable[[str], None]  # shows the user a line
    saved_step: int | None  # of the last checkpoint, at first the one that a run resumes from
    _best: Any = None  # an agent that is not on the disk yet
    _has_failed: bool = False

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

    def best(self) -> None:
        """Save the agent as the best; if the disk fails, the next checkpoint tries again."""
        self._best = self.state.best()
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
