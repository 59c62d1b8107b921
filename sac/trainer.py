"""`train`: from a configuration, or a run to resume, to a finished run."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sac.checkpoint import find_checkpoint, load_checkpoint
from sac.config import Config
from sac.environments import VectorEnvironment, make_vector_environment, separate_source
from sac.errors import CheckpointError, ConfigError
from sac.evaluation import EvaluationResult
from sac.files import replace_file
from sac.interrupt import InterruptGuard
from sac.logger import Logger, metric_tags
from sac.progress import Progress
from sac.run_directory import CONFIG_FILE, create_run_directory
from sac.run_state import last_checkpoint, restore_run
from sac.seeding import Streams, integer_seed
from sac.training_loop import TrainingLoop


@dataclass(frozen=True)
class TrainResult:
    """How a training ended."""

    run_directory: Path
    step: int
    total_steps: int
    evaluation: EvaluationResult | None
    interrupted_by: int | None = None  # number of the signal that ended it early


def train(
    config: Config | None,
    *,
    env: Any = None,
    resume: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> TrainResult:
    """Train a soft actor-critic agent and return where the run lies.

    Args:
        config: What to do; None for a resumed run, which has its own.
        env: An environment, a vector environment or a callable that makes one, in place of
            `config.env`.
        resume: Run directory to go on with.
        overrides: With `resume`, keys of the run's configuration to change, as nested mappings.

    Raises:
        SACError: The configuration, the environment or the run to resume can't be used; nothing
            was started.
    """
    if resume is not None:
        run_directory = Path(resume)
        config = Config.load(run_directory / CONFIG_FILE, overrides)
        return _run(config, env, run_directory)
    if config is None:
        raise ConfigError("train: expected a Config, or resume=<run directory>, got neither")
    return _run(config, env, None)


def _run(config: Config, env: Any, resumed: Path | None) -> TrainResult:
    checkpoint = None if resumed is None else last_checkpoint(resumed)
    streams = Streams.from_seed(config.seed)
    with ExitStack() as stack:
        # First, because a copy must be of the environment as it was given.
        evaluation_source = None if env is None else separate_source(env)
        environment = _environment(stack, config, env, integer_seed(streams.train_env))
        evaluation_environment = _evaluation_environment(
            stack, config, evaluation_source, integer_seed(streams.eval_env)
        )
        loop = TrainingLoop(config, Path(), environment, evaluation_environment)
        if checkpoint is not None:
            restore_run(loop, checkpoint)
        elif config.train.init_from is not None:
            _start_from(loop, config.train.init_from)
        # Made last: what can't be trained leaves no folder behind.
        loop.run_directory = resumed if resumed is not None else _new_directory(config)
        _write_config(loop.run_directory, config)
        interrupt = _train(loop, None if checkpoint is None else checkpoint.step)
    return TrainResult(
        loop.run_directory,
        loop.counters.step,
        config.train.total_steps,
        loop.evaluation,
        interrupt.received,
    )


def _train(loop: TrainingLoop, resume_step: int | None) -> InterruptGuard:
    config, run_directory = loop.config, loop.run_directory
    tags = metric_tags(config.agent.num_soft_q_nets)
    start, total = loop.counters.step, config.train.total_steps
    with (
        Logger(run_directory, tags, resume_step=resume_step) as logger,
        InterruptGuard() as interrupt,
        Progress(total, start) as progress,
    ):
        logger.text("config", f"```yaml\n{config.to_yaml()}```")
        loop.run(logger, progress, interrupt)
    return interrupt


def _environment(stack: ExitStack, config: Config, env: Any, seed: int) -> VectorEnvironment:
    environment = make_vector_environment(config.env, source=env, seed=seed)
    stack.callback(environment.close)
    return environment


def _evaluation_environment(
    stack: ExitStack, config: Config, env: Any, seed: int
) -> VectorEnvironment:
    """Make the evaluation's own: one environment in this process, unless only vectors come."""
    settings = config.env
    if env is None:
        kind = "native" if settings.vectorization == "native" else "sync"
        settings = replace(settings, num_envs=1, vectorization=kind)
    return _environment(stack, replace(config, env=settings), env, seed)


def _start_from(loop: TrainingLoop, path: str) -> None:
    """Take over the weights of a trained agent; its optimizers, replay and counters start anew."""
    checkpoint = load_checkpoint(find_checkpoint(path))
    if "agent" not in checkpoint.tensors:
        raise CheckpointError(f"train.init_from: '{checkpoint.folder}' holds no agent.safetensors")
    loop.agent.load_weights(checkpoint.tensors["agent"])


def _new_directory(config: Config) -> Path:
    return create_run_directory(config.logging.root, config.env.id, config.name, config.seed)


def _write_config(run_directory: Path, config: Config) -> None:
    replace_file(run_directory / CONFIG_FILE, config.to_yaml().encode())
