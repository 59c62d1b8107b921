"""What a training starts with: environments, the resolved configuration, weights of another run."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from sac.agent.state import State
from sac.config import Config
from sac.device import resolve_device
from sac.disk.files import replace_file
from sac.environments import (
    VectorEnvironment,
    make_vector_environment,
    require_distinct,
    separate_source,
)
from sac.environments.limit import with_limit
from sac.errors import CheckpointError, ConfigError, SACError
from sac.replay.storage.disk import DiskStorage
from sac.run.checkpoint import find_checkpoint, load_checkpoint
from sac.seeding import Streams, integer_seed, seed_globals
from sac.spaces.shrinking import shrinking_advice
from sac.training.capacity import Capacity
from sac.training.divergence import count_divergences
from sac.training.run_state import RunState


def renew_noise(state: RunState, run_directory: Path | None) -> list[str]:
    """Go on otherwise where the run diverged since its checkpoint, or it would once more."""
    number = 0 if run_directory is None else count_divergences(run_directory)
    if number <= state.counters.rollbacks:
        return []
    state.renew_noise(number)
    step = state.counters.step
    return [f"back at step {step:,}: the run goes on with other random numbers (set {number})"]


def make_environments(
    stack: ExitStack, config: Config, env: Any, *, is_new: bool
) -> tuple[VectorEnvironment, VectorEnvironment | None, list[str]]:
    """Make the training's environments and, for evaluation, one in this process; with notes.

    SACError, before any process starts, for observations that a new run has no room for.
    """
    source, notes = env, list[str]()
    needs_copy = config.evaluation.env == "copy"
    if needs_copy and env is not None:
        # First, because a copy must be of the environment as it was given.
        source, notes = separate_source(env)
    streams = Streams.from_seed(config.seed)
    training_seed = integer_seed(streams.train_env)
    seed_globals(training_seed)  # for constructors that draw
    # What a run to resume takes is taken already, for the most part.
    check = Capacity.of(config, resolve_device(config.device)).checked if is_new else None
    training = make_vector_environment(config.env, source=env, seed=training_seed, wrap=check)
    stack.callback(training.close)
    if not needs_copy:
        return training, None, notes
    evaluation_seed = integer_seed(streams.eval_env)
    settings = with_limit(config.env.alone(), config.evaluation.max_steps)
    evaluation = make_vector_environment(settings, source=source, seed=evaluation_seed)
    stack.callback(evaluation.close)
    require_distinct(training, evaluation)
    return training, evaluation, notes


def learning_note(config: Config) -> list[str]:
    """Return a note where no update is made."""
    train = config.train
    if not train.never_learns:
        return []
    return [
        f"nothing is learned: the first update comes after train.learning_starts "
        f"({train.learning_starts:,}), and the run ends at train.total_steps "
        f"({train.total_steps:,})"
    ]


def lag_note(config: Config) -> list[str]:
    """Return what is lost where actors play by themselves."""
    lag = config.env.max_lag
    if not lag:
        return []
    return [
        f"env.max_lag {lag}: actors play by themselves, with weights at most {lag} updates old; "
        "neither the bits of this run nor its resume are exact"
    ]


def new_state(
    config: Config,
    environment: VectorEnvironment,
    evaluation: VectorEnvironment | None,
    weights: State | None,
) -> RunState:
    """Return a run's state with its replay on the disk.

    ConfigError where the memory runs out, CheckpointError where `weights` do not fit.
    """
    try:
        return RunState.new(config, environment, evaluation, DiskStorage(), weights)
    except MemoryError as error:
        raise ConfigError(
            f"the networks need more memory than there is ({error}): expected smaller "
            "agent.hidden_sizes or smaller observations; "
            f"{shrinking_advice(environment.observation_space)}"
        ) from error


def limit_note(evaluation: VectorEnvironment, config: Config) -> list[str]:
    """Return a note where episodes have no limit: what becomes of evaluations."""
    if not evaluation.is_endless or config.evaluation.env == "none":
        return []
    name, steps = config.env.id or evaluation.name, config.evaluation.max_steps
    is_cut = steps is not None and config.evaluation.env == "copy"
    end = f"are cut after {steps:,} steps" if is_cut else "may never end"
    return [
        f"{name} tells Gymnasium of no limit for its episodes: those of evaluations {end}, if the "
        "environment does not end them itself (evaluation.max_steps)"
    ]


def resolved(config: Config, given: str | None, num_envs: int) -> Config:
    """Return the configuration as it is run; `given`: the name of an environment as an object."""
    if given is None:
        return config
    # No id: who evaluates or resumes the run must give the environment again.
    name = config.env.name or given
    return replace(config, env=replace(config.env, id="", name=name, kwargs={}, num_envs=num_envs))


def starting_weights(config: Config) -> State | None:
    """Return the weights that `train.init_from` names; None where a run begins without."""
    if config.train.init_from is None:
        return None
    try:
        checkpoint = load_checkpoint(find_checkpoint(config.train.init_from))
        if "agent" not in checkpoint.tensors:
            raise CheckpointError(f"'{checkpoint.folder}' holds no agent.safetensors")
    except CheckpointError as error:
        raise CheckpointError(f"train.init_from: {error}") from error
    return checkpoint.tensors["agent"]


def write(path: Path, data: bytes) -> None:
    """Write a file of a run; SACError if that fails."""
    try:
        replace_file(path, data)
    except OSError as error:
        raise SACError(f"Can't write into '{path.parent}': {error.strerror}.") from error
