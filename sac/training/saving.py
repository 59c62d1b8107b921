"""Saves a run while it trains; a disk that fails does not end it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sac.errors import DiskError
from sac.metrics.logger import Logger
from sac.training.run_state import RunState, save_best


class Saver:
    """Saves a run's checkpoints and its best agent.

    Args:
        state: What is saved.
        run_directory: Where to.
        logger: What is logged must be on the disk before the checkpoint of its step.
        tell: Shows the user a line.
        saved_step: The step of the checkpoint that the run was restored from.
    """

    def __init__(
        self,
        state: RunState,
        run_directory: Path,
        logger: Logger,
        tell: Callable[[str], None],
        saved_step: int | None,
    ) -> None:
        self._state = state
        self._run_directory = run_directory
        self._logger = logger
        self._tell = tell
        self._saved_step = saved_step
        self._best: Any = None  # that is not on the disk yet
        self._has_failed = False

    def checkpoint(self) -> None:
        """Save all that the run goes on from, unless it was at this step; DiskError if that fails.

        Everything must be finite: see `RunState.check_finite`.
        """
        step = self._state.counters.step
        if step == self._saved_step:
            return
        self._logger.flush()
        self._save_best()
        self._state.save(self._run_directory)
        self._saved_step = step
        if self._has_failed:
            self._has_failed = False
            self._tell(f"the run can be saved again, and is at step {step:,}")

    def try_checkpoint(self) -> None:
        """Save as `checkpoint` does; where the disk fails, say so once and leave it to the next."""
        try:
            self.checkpoint()
        except DiskError as error:
            self._warn(error)

    def best(self) -> None:
        """Save the agent as the best; where the disk fails, the next checkpoint tries again."""
        self._best = self._state.best()
        try:
            self._save_best()
        except DiskError as error:
            self._warn(error)

    def _save_best(self) -> None:
        if self._best is not None:
            save_best(self._run_directory, self._best)
            self._best = None

    def _warn(self, error: DiskError) -> None:
        if not self._has_failed:
            self._tell(
                f"{error} The training goes on; each checkpoint to come tries again, and until one "
                "is saved, a stop loses what was learned since the last"
            )
        self._has_failed = True
