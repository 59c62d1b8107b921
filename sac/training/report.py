"""What a training tells the code that runs beside it, and how that code steers it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import SupportsFloat

from sac.agent.agent import SACAgent
from sac.environments import Episode
from sac.errors import ConfigError
from sac.evaluation.evaluate import EvaluationResult
from sac.terminal.output import counted


@dataclass(frozen=True, slots=True)
class Report:
    """A step of a training, taken in each of its environments, and what came of it.

    The last report of a run, `is_end`, follows its last checkpoint; its step was reported before.
    The agent is the one that trains: act with it by `agent.act(..., deterministic=True)`, which
    leaves its random numbers alone, and the run keeps its bits.
    """

    step: int  # transitions so far
    agent: SACAgent
    run_directory: Path
    episodes: Sequence[Episode] = ()  # that ended in this step
    evaluation: EvaluationResult | None = None  # that was made after it
    checkpoint: Path | None = None  # that was saved after it
    is_end: bool = False
    _: KW_ONLY
    # Of the run that it is about.
    _read: Callable[[], Mapping[str, float]] = field(repr=False)
    _log: Callable[[int, Mapping[str, SupportsFloat]], None] = field(repr=False)
    _stop: Callable[[str], None] = field(repr=False)

    @property
    def metrics(self) -> dict[str, float]:
        """Return the numbers of the last update by TensorBoard's tags; none before the first."""
        return {f"train/{name}": number for name, number in self._read().items()}

    def log(self, numbers: Mapping[str, SupportsFloat]) -> None:
        """Show own numbers over this step in TensorBoard and the trackers of `logging.also`.

        Not in metrics.csv, whose columns are the same in all runs of a kind. SACError for a tag
        that the run itself uses.
        """
        self._log(self.step, numbers)

    def stop(self, reason: str) -> None:
        """End the run after this step, with a checkpoint; `reason` is told to the user."""
        self._stop(reason)


class Callback:
    """Code that is called while a run trains: a subclass overrides what it needs.

    An exception ends the run: all that was learned is saved first.

    >>> from sac import Callback, Config, Report, train
    >>> class StopAfterEpisodes(Callback):
    ...     def __init__(self, number: int) -> None:
    ...         self.lengths: list[int] = []
    ...         self.number = number
    ...
    ...     def on_episode(self, report: Report) -> None:
    ...         self.lengths += [episode.length for episode in report.episodes]
    ...         report.log({"my/longest": max(self.lengths)})
    ...         if len(self.lengths) >= self.number:
    ...             report.stop("enough episodes")
    >>> callback = StopAfterEpisodes(3)
    >>> result = train(Config.from_dict({"env": {"id": "CartPole-v1"}}), callbacks=[callback])
    >>> result.stopped, result.step == sum(callback.lengths)
    ('enough episodes', True)
    """

    def on_step(self, report: Report) -> None:
        """Act after a step of the environments, and what followed from it."""

    def on_episode(self, report: Report) -> None:
        """Act after a step in which `report.episodes` ended."""

    def on_evaluation(self, report: Report) -> None:
        """Act after `report.evaluation`."""

    def on_checkpoint(self, report: Report) -> None:
        """Act when `report.checkpoint` lies on the disk; that of the beginning is not told."""

    def on_end(self, report: Report) -> None:
        """Act at the end of a run, also of one that was stopped or interrupted."""


def tell(callback: Callback, report: Report) -> None:
    """Call the methods that a report is for."""
    if not report.is_end:
        callback.on_step(report)
    if report.episodes:
        callback.on_episode(report)
    if report.evaluation is not None:
        callback.on_evaluation(report)
    if report.checkpoint is not None:
        callback.on_checkpoint(report)
    if report.is_end:
        callback.on_end(report)


def check_callbacks(callbacks: Sequence[Callback]) -> None:
    """Raise ConfigError for what is no callback, such as the class in place of an object."""
    for callback in callbacks:
        if not isinstance(callback, Callback):
            raise ConfigError(
                f"train: callbacks: expected objects of classes that inherit from sac.Callback, "
                f"got {callback!r:.100}"
            )


def described(evaluation: EvaluationResult, step: int, cut: str) -> str:
    """Return what a training prints of an evaluation; `cut` says which of its episodes were cut."""
    rate = evaluation.success_rate
    return (
        f"evaluation at step {step:,}: mean return {evaluation.mean_return:.2f} "
        f"+- {evaluation.std_return:.2f} over {counted(evaluation.episodes, 'episode')}"
        f"{'' if rate is None else f', success rate {rate:.2f}'}{cut and f'; {cut}'}"
    )
