"""`train`: from a configuration, or a run to resume, to a finished run."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sac.agent.compiling import Compilation
from sac.agent.variants import metric_names
from sac.config import Config
from sac.device import fallback_note, resolve_device
from sac.disk.encoding import encode_document
from sac.disk.files import replace_file
from sac.disk.lock import RunLock
from sac.environments import VectorEnvironment, make_vector_environment, separate_source
from sac.environments.limit import with_limit
from sac.errors import CheckpointError, ConfigError, DivergenceError, SACError
from sac.evaluation.evaluate import EvaluationResult
from sac.metrics.logger import Logger, metric_tags
from sac.metrics.table import has_rows
from sac.replay.demonstrations import fill
from sac.replay.storage.disk import DiskStorage
from sac.run.checkpoint import (
    Checkpoint,
    find_checkpoint,
    last_usable_checkpoint,
    load_checkpoint,
    set_aside,
    step_folders,
)
from sac.run.layout import CONFIG_FILE, METRICS_FILE, VERSIONS_FILE, create_run_directory
from sac.run.origin import is_own, sign
from sac.run.rules import check_changes, check_no_links, check_trusted
from sac.run.versions import changed_versions, current_versions
from sac.seeding import Streams, globals_kept, integer_seed, seed_globals
from sac.terminal import reports
from sac.terminal.interrupt import InterruptGuard
from sac.terminal.output import lasting_output
from sac.terminal.progress import Progress
from sac.threads import blas_threads_for
from sac.training.demonstrations import prefill_for
from sac.training.divergence import MAX_ROLLBACKS, Diverged, count_divergences
from sac.training.loop import Outputs, TrainingLoop
from sac.training.run_state import RunState


@dataclass(frozen=True)
class TrainResult:
    """How a training ended."""

    run_directory: Path
    step: int
    total_steps: int
    evaluation: EvaluationResult | None = None
    interrupted_by: int | None = None  # number of the signal that ended it early


def train(
    config: Config | None = None,
    *,
    env: Any = None,
    resume: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    trust: bool = False,
) -> TrainResult:
    """Train a soft actor-critic agent and return where the run lies.

    The first Ctrl-C, SIGTERM or SIGHUP ends the training with a checkpoint, and `interrupted_by`
    tells; SIGUSR1 saves one, and the training goes on.

    Args:
        config: What to do; not given for a resumed run, which has its own.
        env: An environment, a vector environment or a callable that makes one, in place of
            `config.env`'s id and kwargs. Evaluation makes or copies another one, unless
            `evaluation.env` says otherwise.
        resume: Run directory to go on with.
        overrides: Keys of the configuration to change, as nested mappings; a resumed run keeps
            most of them.
        trust: Run the code that a resumed run's configuration names, also where you have not
            trained it on this machine.

    Raises:
        SACError: The configuration, the environment or the run to resume can't be used, and
            nothing was started; or the environment or the disk failed later, or the training
            diverged.
    """
    overrides = {} if overrides is None else overrides
    if resume is not None:
        if config is not None:
            raise ConfigError(
                "train: a resumed run goes on with its own configuration; give overrides={...} to "
                "change keys of it, and no config"
            )
        return _resume(Path(resume), env, overrides, trust=trust)
    if not isinstance(config, Config):
        raise ConfigError(
            f"train: expected a Config or resume=<run directory>, got {config!r:.100}"
        )
    return _run(config.merged(overrides), env)


def _resume(
    run_directory: Path, env: Any, overrides: Mapping[str, Any], *, trust: bool
) -> TrainResult:
    check_no_links(run_directory)
    saved = Config.load(run_directory / CONFIG_FILE)
    config = saved.merged(overrides)
    check_changes(saved, config)
    if env is None and not config.env.id:
        raise ConfigError(
            f"'{run_directory}' was trained on an environment that was given as an object: resume "
            "it from Python, by train(resume=..., env=...)"
        )
    if not (trust or is_own(run_directory, saved.env)):
        check_trusted(config.env, overrides.get("env", {}))
    if has_rows(run_directory / METRICS_FILE) and not step_folders(run_directory):
        raise CheckpointError(f"'{run_directory}' has no checkpoints any more: start a new run.")
    with RunLock(run_directory):
        if not step_folders(run_directory):  # killed before its first step
            return _run(config, env, run_directory)
        checkpoint, damaged = last_usable_checkpoint(run_directory)
        # config.yaml may have been edited since.
        check_changes(Config.from_dict(checkpoint.documents.get("config", {})), config)
        step, total_steps = checkpoint.step, config.train.total_steps
        counters = checkpoint.documents.get("state", {}).get("counters", {})
        if step < total_steps or counters.get("evaluation_due", False):
            notes = _set_aside(damaged, run_directory)
            return _run(config, env, run_directory, checkpoint, notes)
        with Progress(total_steps, step) as progress:
            progress.message(
                f"nothing to do: the run has made {step:,} steps and is to make {total_steps:,}; "
                "raise train.total_steps to go on"
            )
        return TrainResult(run_directory, step, total_steps)


def _set_aside(damaged: Mapping[int, CheckpointError], run_directory: Path) -> list[str]:
    set_aside(damaged, run_directory)
    return [f"{error} The checkpoint before it is used." for error in damaged.values()]


def _run(
    config: Config,
    env: Any,
    run_directory: Path | None = None,
    checkpoint: Checkpoint | None = None,
    notes: Sequence[str] = (),
) -> TrainResult:
    """Train; after a divergence once more from the last good checkpoint, where that is wanted."""
    # First: without the device, or a compiler that must be there, nothing is begun.
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
                return _attempt(lock, config, env, run_directory, checkpoint, notes)
            except Diverged as diverged:
                run_directory = diverged.run_directory
                checkpoint, damaged = last_usable_checkpoint(run_directory)
                if config.train.on_divergence == "stop" or diverged.number > MAX_ROLLBACKS:
                    raise diverged.stopped(checkpoint.step) from diverged
                notes = [str(diverged), *_set_aside(damaged, run_directory)]


def _attempt(
    lock: ExitStack,
    config: Config,
    env: Any,
    run_directory: Path | None,
    checkpoint: Checkpoint | None,
    notes: Sequence[str],
) -> TrainResult:
    start = 0 if checkpoint is None else checkpoint.step
    with ExitStack() as stack:
        environment, evaluation_environment, told = _environments(stack, config, env)
        named = evaluation_environment or environment
        config = _resolved(config, None if env is None else named.name, environment.num_envs)
        notes = [*notes, *told, *_limit_note(named, config)]
        saved_config = config.to_yaml().encode()
        state = RunState.new(config, environment, evaluation_environment, DiskStorage())
        updates = state.agent.compilation.name
        if run_directory is not None:
            state.open_replay(run_directory)
        if checkpoint is not None:
            notes = [*notes, *state.restore(checkpoint), *_renew_noise(state, run_directory)]
            notes += changed_versions(checkpoint.folder.parents[1], checkpoint.versions, updates)
        elif config.train.init_from is not None:
            _start_from(state, config.train.init_from)
        prefill = prefill_for(config, environment) if checkpoint is None else None
        # Made last: what can't be trained leaves no folder behind.
        if run_directory is None:
            run_directory = create_run_directory(
                config.logging.root, config.env.name or config.env.id, config.name, config.seed
            )
            lock.enter_context(RunLock(run_directory))
            state.open_replay(run_directory)
        if prefill is not None:
            state.agent.observe(prefill.observation)
            fill(state.replay_buffer, prefill)
        _write(run_directory / CONFIG_FILE, saved_config)
        sign(run_directory, config.env)
        if checkpoint is None:
            _write(run_directory / VERSIONS_FILE, encode_document(current_versions(updates)))
        resume_step = None if checkpoint is None else start
        return _train(state, evaluation_environment, run_directory, resume_step, notes)


def _train(
    state: RunState,
    evaluation_environment: VectorEnvironment | None,
    run_directory: Path,
    resume_step: int | None,
    notes: Sequence[str],
) -> TrainResult:
    config = state.config
    on_gpu = state.agent.device.type == "cuda"
    measured = metric_names(config.agent) + ["td_error"] * (config.train.priority_alpha > 0)
    tags = metric_tags(measured, on_gpu=on_gpu)
    total_steps = config.train.total_steps
    with (
        Logger(run_directory, tags, resume_step=resume_step) as logger,
        InterruptGuard() as interrupt,
        Progress(total_steps, state.counters.step) as progress,
    ):
        reports.send(reports.Started(str(run_directory)))
        logger.describe(config)
        for note in notes:
            progress.message(note)
        outputs = Outputs(run_directory, logger, progress)
        loop = TrainingLoop(state, evaluation_environment, outputs, saved_step=resume_step)
        try:
            loop.run(interrupt)
        except DivergenceError as error:
            raise Diverged.recorded(error, run_directory, state.counters.step) from error
    return TrainResult(
        run_directory, state.counters.step, total_steps, loop.evaluation, interrupt.received
    )


def _renew_noise(state: RunState, run_directory: Path | None) -> list[str]:
    """Go on otherwise where the run diverged since its checkpoint, or it would once more."""
    number = 0 if run_directory is None else count_divergences(run_directory)
    if number <= state.counters.rollbacks:
        return []
    state.renew_noise(number)
    step = state.counters.step
    return [f"back at step {step:,}: the run goes on with other random numbers (set {number})"]


def _environments(
    stack: ExitStack, config: Config, env: Any
) -> tuple[VectorEnvironment, VectorEnvironment | None, list[str]]:
    """Make the training's environments and, for evaluation, one in this process; with notes."""
    source, notes = env, list[str]()
    needs_copy = config.evaluation.env == "copy"
    if needs_copy and env is not None:
        # First, because a copy must be of the environment as it was given.
        source, notes = separate_source(env)
    streams = Streams.from_seed(config.seed)
    training_seed = integer_seed(streams.train_env)
    seed_globals(training_seed)  # for constructors that draw
    training = make_vector_environment(config.env, source=env, seed=training_seed)
    stack.callback(training.close)
    if not needs_copy:
        return training, None, notes
    settings = replace(config.env, num_envs=1)
    if settings.vectorization == "async":
        settings = replace(settings, vectorization="sync")
    evaluation_seed = integer_seed(streams.eval_env)
    settings = with_limit(settings, config.evaluation.max_steps)
    evaluation = make_vector_environment(settings, source=source, seed=evaluation_seed)
    stack.callback(evaluation.close)
    return training, evaluation, notes


def _limit_note(evaluation: VectorEnvironment, config: Config) -> list[str]:
    if not evaluation.is_endless or config.evaluation.env == "none":
        return []
    name, steps = config.env.id or evaluation.name, config.evaluation.max_steps
    is_cut = steps is not None and config.evaluation.env == "copy"
    end = f"cut them after {steps:,} steps" if is_cut else "may never end"
    return [f"{name} has no limit for its episodes: evaluations {end} (evaluation.max_steps)"]


def _resolved(config: Config, given: str | None, num_envs: int) -> Config:
    """Return the configuration as it is run; `given`: the name of an environment as an object."""
    if given is None:
        return config
    # No id: who evaluates or resumes the run must give the environment again.
    name = config.env.name or given
    return replace(config, env=replace(config.env, id="", name=name, kwargs={}, num_envs=num_envs))


def _start_from(state: RunState, path: str) -> None:
    """Take over the weights of a trained agent; its optimizers, replay and counters start anew."""
    try:
        checkpoint = load_checkpoint(find_checkpoint(path))
        if "agent" not in checkpoint.tensors:
            raise CheckpointError(f"'{checkpoint.folder}' holds no agent.safetensors")
        state.agent.load_weights(checkpoint.tensors["agent"])
    except CheckpointError as error:
        raise CheckpointError(f"train.init_from: {error}") from error


def _write(path: Path, data: bytes) -> None:
    try:
        replace_file(path, data)
    except OSError as error:
        raise SACError(f"Can't write into '{path.parent}': {error.strerror}.") from error
