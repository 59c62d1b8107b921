"""Logs the numbers of a run, both as TensorBoard scalars and in `metrics.csv`."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Self, SupportsFloat

from sac.config import Config
from sac.errors import DiskError, SACError
from sac.metrics.events import EventFile
from sac.metrics.pages import hparams_summary, layout_summary
from sac.metrics.table import MetricsFile
from sac.run.layout import METRICS_FILE


def metric_tags(
    update_metrics: Iterable[str], *, on_gpu: bool = False, has_lag: bool = False
) -> list[str]:
    """Return a training's tags in the order of their columns; an update measures some of them."""
    return [
        "rollout/episode_return",
        "rollout/episode_length",
        "rollout/success_rate",
        "rollout/worker_restarts",
        *(["rollout/policy_lag", "time/waiting"] if has_lag else []),
        "eval/mean_return",
        "eval/std_return",
        "eval/best_return",
        "eval/success_rate",
        *(f"train/{name}" for name in update_metrics),
        "train/rollbacks",
        "time/env_steps_per_second",
        "time/updates_per_second",
        *(["time/gpu_memory_mb"] if on_gpu else []),
    ]


class Logger:
    """Writes a run's numbers over environment transitions, which never run backwards.

    A tag has one value at a step. A resume drops what was logged after `resume_step` and keeps what
    was logged at it. So log a step's numbers and `flush` before saving its checkpoint: then the
    files of a resumed run equal those of a run that was never interrupted.

    `tags` are all that will be logged, in the order of the columns of `metrics.csv`.
    """

    def __init__(
        self, run_directory: Path, tags: Sequence[str], *, resume_step: int | None = None
    ) -> None:
        self.followers: list[Callable[[int, Mapping[str, float]], None]] = []  # get numbers, too
        self._run_directory = run_directory
        self._tags = frozenset(tags)
        self._resume_step = resume_step
        self._step = 0 if resume_step is None else resume_step
        with self._file_errors():
            path = run_directory / METRICS_FILE
            self._metrics = MetricsFile(path, tags, resume_step=resume_step)
            self._events = EventFile(run_directory, resume_step=resume_step)

    def log(self, step: int, metrics: Mapping[str, SupportsFloat]) -> None:
        """Log numbers (0-d arrays and tensors too) at a step, in one or several calls."""
        if unknown := metrics.keys() - self._tags:
            raise ValueError(f"tags that the logger does not know: {sorted(unknown)}")
        self._check_order(step)
        logged = self._metrics.row.keys() if step == self._metrics.step else set()
        repeated = metrics.keys() & logged
        if repeated and step != self._resume_step:
            raise ValueError(f"logged twice at step {step}: {sorted(repeated)}")
        numbers = {tag: float(metrics[tag]) for tag in metrics if tag not in repeated}
        if not numbers:
            return
        self._step = step
        # What can't be written now is written later: at the latest by `flush`, which raises.
        with suppress(OSError):
            self._metrics.write(step, numbers)
        with suppress(OSError):
            self._events.scalars(step, numbers)
        self._hand_on(step, numbers)

    def log_own(self, step: int, numbers: Mapping[str, SupportsFloat]) -> None:
        """Log numbers of the user's code at a step, but not in `metrics.csv`.

        SACError for a tag that the run itself uses, or that is none.
        """
        for tag in numbers:
            if tag in self._tags or not isinstance(tag, str) or not tag.strip():
                raise SACError(f"report.log: expected names that are not the run's, got {tag!r}")
        self._check_order(step)
        self._step = step
        own = {tag: float(number) for tag, number in numbers.items()}
        with suppress(OSError):  # as in `log`
            self._events.scalars(step, own)
        self._hand_on(step, own)

    def _hand_on(self, step: int, numbers: Mapping[str, float]) -> None:
        for follow in self.followers:
            follow(step, numbers)

    def summary(self, step: int, values: Iterable[Any]) -> None:
        """Show Summary.Values, such as histograms and images, in TensorBoard at a step.

        A resumed run must not show any at its `resume_step`, which has them already.
        """
        self._check_order(step)
        self._step = step
        with suppress(OSError):  # as in `log`
            self._events.values(step, values)

    def graph(self, graph_def: Any) -> None:
        """Show a GraphDef in TensorBoard, once per run."""
        with self._file_errors():
            self._events.add(self._step, graph_def=graph_def.SerializeToString())

    def text(self, tag: str, text: str) -> None:
        """Show a text, such as the resolved config, in TensorBoard."""
        with self._file_errors():
            self._events.text(self._step, tag, text)

    def describe(self, config: Config) -> None:
        """Show the configuration in TensorBoard as text and in HPARAMS, and define its pages."""
        self.text("config", f"```yaml\n{config.to_yaml()}```")
        name = self._run_directory.resolve().name
        with self._file_errors():
            self._events.add(self._step, summary=layout_summary())
            self._events.hparams(hparams_summary(config, name))

    def _check_order(self, step: int) -> None:
        if step < self._step:
            raise ValueError(f"expected step {self._step} or a later one, got {step}")

    def flush(self) -> None:
        """Sync everything that was logged to the disk; DiskError if that fails."""
        with self._file_errors():
            self._metrics.flush()
            self._events.flush()

    def close(self) -> None:
        """Write what is left and close the files; a second time does nothing."""
        with self._file_errors(), ExitStack() as both:  # close both, even if one fails
            both.callback(self._metrics.close)
            both.callback(self._events.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        # An error that is being raised says more than one of closing.
        with nullcontext() if error is None else suppress(DiskError):
            self.close()

    @contextmanager
    def _file_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DiskError(
                f"Can't write the logs of '{self._run_directory}': {error.strerror}."
            ) from error
