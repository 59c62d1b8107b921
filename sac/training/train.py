"""`train` and `Trainer`: from a configuration, or a run to resume, to a finished run."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sac.agent.compiling import Compilation
from sac.agent.variants import metric_names
from sac.config import Config
from sac.device import fallback_note, resolve_device
from sac.disk.encoding import encode_document
from sac.disk.lock import RunLock
from sac.environments import VectorEnvironment
from sac.errors import CheckpointError, ConfigError, DivergenceError
from sac.evaluation.evaluate import EvaluationResult
from sac.metrics.logger import Logger, metric_tags
from sac.metrics.table import has_rows
from sac.metrics.trackers import Trackers, check_installed
from sac.replay.demonstrations import fill
from sac.run.checkpoint import (
    Checkpoint,
    last_usable_checkpoint,
    set_aside,
    step_folders,
)
from sac.run.layout import (
    CONFIG_FILE,
    GIVEN_AS_AN_OBJECT,
    METRICS_FILE,
    VERSIONS_FILE,
    create_run_directory,
)
from sac.run.origin import is_own, sign
from sac.run.rules import check_changes, check_no_links, check_trusted, schedule_notes
from sac.run.versions import changed_versions, current_versions
from sac.seeding import globals_kept
from sac.terminal import reports
from sac.terminal.interrupt import InterruptGuard
from sac.terminal.output import lasting_output
from sac.terminal.progress import Progress
from sac.threads import blas_threads_for
from sac.training.capacity import size_note
from sac.training.demonstrations import observe_demonstrations, prefill_for
from sac.training.divergence import MAX_ROLLBACKS, Diverged
from sac.training.loop import Outputs, TrainingLoop
from sac.training.report import Callback, Report, check_callbacks, tell
from sac.training.run_state import RunState
from sac.training.setup import (
    lag_note,
    learning_note,
    limit_note,
    make_environments,
    new_state,
    renew_noise,
    resolved,
    starting_weights,
    write,
)


@dataclass(frozen=True)
class TrainResult:
    """How a training ended."""

    run_directory: Path
    step: int
    total_steps: int
    evaluation: EvaluationResult | None = None
    interrupted_by: int | None = None  # number of the signal that ended it early
    stopped: str | None = None  # why it ended early otherwise: by a callback, at a return
    best_return: float | None = None  # mean of the evaluation that `best/` is of


class Trainer:
    """A training whose steps a loop of one's own takes: `for report in Trainer(config): ...`.

    It is the training that `train` runs, with the same bits; the last report `is_end`. A loop that
    is left before, by `break` or an exception, saves what was learned, once the trainer is closed:
    at the end of a `with` block, or when nothing refers to it any more. Trainers of one process
    take turns: one ends before the next begins. The arguments and errors are those of `train`.

    >>> from sac import Config, Trainer
    >>> config = Config.from_dict({"env": {"id": "CartPole-v1"}, "train": {"total_steps": 200}})
    >>> with Trainer(config) as trainer:
    ...     for report in trainer:
    ...         if report.evaluation is not None:
    ...             print(report.step, report.evaluation.episodes, len(report.metrics) > 5)
    200 10 True
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        env: Any = None,
        resume: str | Path | None = None,
        overrides: Mapping[str, Any] | None = None,
        trust: bool = False,
    ) -> None:
        overrides = {} if overrides is None else overrides
        if resume is not None:
            if config is not None:
                raise ConfigError(
                    "train: a resumed run goes on with its own configuration; give overrides={...} "
                    "to change keys of it, and no config"
                )
            self._session = _resume(Path(resume), env, overrides, trust=trust)
        elif isinstance(config, Config):
            self._session = _run(config.merged(overrides), env)
        else:
            raise ConfigError(
                f"train: expected a Config or resume=<run directory>, got {config!r:.100}"
            )
        self.result: TrainResult | None = None  # once it has ended by itself

    def __iter__(self) -> Iterator[Report]:
        self.result = yield from self._session

    def close(self) -> None:
        """End the training with a checkpoint, if it has not ended."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def train(
    config: Config | None = None,
    *,
    env: Any = None,
    resume: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    callbacks: Sequence[Callback] = (),
    trust: bool = False,
) -> TrainResult:
    """Train a soft actor-critic agent and return where the run lies.

    The first Ctrl-C, SIGTERM or SIGHUP, or an interrupt of a notebook's kernel, ends the training
    with a checkpoint, and `interrupted_by` tells; SIGUSR1 saves one, and the training goes on.

    >>> from sac import Config, train
    >>> config = Config.from_dict({"env": {"id": "CartPole-v1"}, "train": {"total_steps": 200}})
    >>> result = train(config)
    >>> result.step, result.evaluation.episodes
    (200, 10)
    >>> train(resume=result.run_directory, overrides={"train": {"total_steps": 210}}).step
    210

    Args:
        config: What to do; not given for a resumed run, which has its own.
        env: An environment, a vector environment or a callable that makes one, in place of
            `config.env`'s id and kwargs. Evaluation makes or copies another one, unless
            `evaluation.env` says otherwise.
        resume: Run directory to go on with.
        overrides: Keys of the configuration to change, as nested mappings; a resumed run keeps
            most of them.
        callbacks: What is called while the run trains, one after the other; one that raises an
            exception ends it, after all that was learned is saved.
        trust: Run the code that a resumed run's configuration names, also where you have not
            trained it on this machine.

    Raises:
        SACError: The configuration, the environment or the run to resume can't be used, and
            nothing was started; or the environment or the disk failed later, or the training
            diverged.
    """
    check_callbacks(callbacks)
    with Trainer(config, env=env, resume=resume, overrides=overrides, trust=trust) as trainer:
        for report in trainer:
            for callback in callbacks:
                tell(callback, report)
    assert trainer.result is not None
    return trainer.result


_Session = Generator[Report, None, TrainResult]
_Found = tuple[Checkpoint, Mapping[int, CheckpointError]]  # and what is wrong with newer ones


def _resume(
    run_directory: Path, env: Any, overrides: Mapping[str, Any], *, trust: bool
) -> _Session:
    check_no_links(run_directory)
    saved = Config.load(run_directory / CONFIG_FILE)
    config = saved.merged(overrides)
    check_changes(saved, config)
    if env is None and not config.env.id:
        raise ConfigError(GIVEN_AS_AN_OBJECT.format(run_directory))
    if not (trust or is_own(run_directory, saved.env)):
        check_trusted(config.env, overrides.get("env", {}))
    if has_rows(run_directory / METRICS_FILE) and not step_folders(run_directory):
        raise CheckpointError(f"'{run_directory}' has no checkpoints any more: start a new run.")
    with RunLock(run_directory):
        if not step_folders(run_directory):  # killed before its first step
            return (yield from _run(config, env, run_directory))
        found = last_usable_checkpoint(run_directory)
        checkpoint, _ = found
        # config.yaml may have been edited since.
        checkpointed = Config.from_dict(checkpoint.documents.get("config", {}))
        check_changes(checkpointed, config)
        step, total_steps = checkpoint.step, config.train.total_steps
        counters = checkpoint.documents.get("state", {}).get("counters", {})
        done = _nothing_to_do(config, step, counters)
        if done is None:
            notes = schedule_notes(checkpointed, config)
            return (yield from _run(config, env, run_directory, found, notes))
        with Progress(total_steps, step) as progress:
            progress.message(f"nothing to do: {done}")
        return TrainResult(run_directory, step, total_steps)


def _nothing_to_do(config: Config, step: int, counters: Mapping[str, Any]) -> str | None:
    """Return why a run is at its end, and how it would go on; None where it is not."""
    train, best = config.train, counters.get("best_return")
    if counters.get("evaluation_due", False):
        return None
    if step >= train.total_steps:
        return (
            f"the run has made {step:,} steps and is to make {train.total_steps:,}; raise "
            "train.total_steps to go on"
        )
    if best is not None and train.is_goal(best):
        return (
            f"the run stopped at step {step:,}, after a mean return of {best:.2f}; raise "
            f"train.stop_at_return ({train.stop_at_return:g}), or set it to null, to go on"
        )
    return None


def _run(
    config: Config,
    env: Any,
    run_directory: Path | None = None,
    found: _Found | None = None,
    notes: Sequence[str] = (),
) -> _Session:
    """Train; after a divergence once more from the last good checkpoint, where that is wanted."""
    # First: without the device, or what else must be there, nothing is begun.
    check_installed(config.logging.also)
    compilation = Compilation(config.train.compile, resolve_device(config.device))
    is_compiled = compilation.compiler is not None
    notes = [*fallback_note(config.device), *compilation.note, *notes]
    # Environments print too, and draw from the generators of the process.
    with (
        lasting_output(),
        globals_kept(),
        blas_threads_for(config, is_compiled=is_compiled),
        ExitStack() as lock,
    ):
        while True:
            try:
                return (yield from _attempt(lock, config, env, run_directory, found, notes))
            except Diverged as diverged:
                run_directory = diverged.run_directory
                found = last_usable_checkpoint(run_directory)
                if config.train.on_divergence == "stop" or diverged.number > MAX_ROLLBACKS:
                    raise diverged.stopped(found[0].step) from diverged
                notes = [str(diverged)]


def _attempt(
    lock: ExitStack,
    config: Config,
    env: Any,
    run_directory: Path | None,
    found: _Found | None,
    notes: Sequence[str],
) -> _Session:
    checkpoint, damaged = found or (None, {})
    start = 0 if checkpoint is None else checkpoint.step
    with ExitStack() as stack:
        environment, evaluation_environment, told = make_environments(
            stack, config, env, is_new=checkpoint is None
        )
        named = evaluation_environment or environment
        config = resolved(config, None if env is None else named.name, environment.num_envs)
        notes = [*notes, *told, *limit_note(named, config), *lag_note(config)]
        notes += learning_note(config) + size_note(environment.observation_encoder, config.agent)
        saved_config = config.to_yaml().encode()
        weights = starting_weights(config) if checkpoint is None else None
        state = new_state(config, environment, evaluation_environment, weights)
        updates = state.agent.compilation.name
        if run_directory is not None:
            state.open_replay(run_directory)
        if checkpoint is not None:
            notes = [*notes, *state.restore(checkpoint), *renew_noise(state, run_directory)]
            # Only now that the one before them is in use.
            set_aside(damaged, checkpoint.folder.parents[1])
            notes += [f"{error} The checkpoint before it is used." for error in damaged.values()]
            notes += changed_versions(checkpoint.folder.parents[1], checkpoint.versions, updates)
        prefill = prefill_for(config, environment) if checkpoint is None else None
        # Made last: what can't be trained leaves no folder behind.
        if run_directory is None:
            run_directory = create_run_directory(
                config.logging.root, config.env.name or config.env.id, config.name, config.seed
            )
            lock.enter_context(RunLock(run_directory))
            state.open_replay(run_directory)
        if prefill is not None:
            observe_demonstrations(state.agent, prefill, config.agent.gamma)
            fill(state.replay_buffer, prefill)
        write(run_directory / CONFIG_FILE, saved_config)
        sign(run_directory, config.env)
        if checkpoint is None:
            write(run_directory / VERSIONS_FILE, encode_document(current_versions(updates)))
        resume_step = None if checkpoint is None else start
        return (yield from _train(state, evaluation_environment, run_directory, resume_step, notes))


def _train(
    state: RunState,
    evaluation_environment: VectorEnvironment | None,
    run_directory: Path,
    resume_step: int | None,
    notes: Sequence[str],
) -> _Session:
    config = state.config
    on_gpu = state.agent.device.type == "cuda"
    measured = metric_names(config.agent, state.agent.action_codec.parts)
    measured += ["td_error"] * (config.train.priority_alpha > 0)
    tags = metric_tags(measured, on_gpu=on_gpu, has_lag=config.env.max_lag > 0)
    total_steps = config.train.total_steps
    with (
        Logger(run_directory, tags, resume_step=resume_step) as logger,
        InterruptGuard() as interrupt,
        Progress(total_steps, state.counters.step) as progress,
        Trackers(config, run_directory, progress.message) as trackers,
    ):
        logger.followers.append(trackers.log)
        reports.send(reports.Started(str(run_directory)))
        logger.describe(config)
        for note in notes:
            progress.message(note)
        outputs = Outputs(run_directory, logger, progress)
        loop = TrainingLoop(state, evaluation_environment, outputs, saved_step=resume_step)
        try:
            yield from loop.run(interrupt)
        except DivergenceError as error:
            raise Diverged.recorded(error, run_directory, state.counters.step) from error
    ended = interrupt.received, loop.stopped, loop.best_return
    return TrainResult(run_directory, state.counters.step, total_steps, loop.evaluation, *ended)
