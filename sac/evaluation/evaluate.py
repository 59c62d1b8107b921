"""Evaluates policies: plays whole episodes in separate environments, reproducible by a seed."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from sac.agent.agent import SACAgent
from sac.config import Config, EnvConfig, EvaluationConfig, checked_seed
from sac.config.fields import whole
from sac.config.keys import to_plain
from sac.environments import Episode, Step, VectorEnvironment, make_vector_environment
from sac.environments.film import check_video, filmed
from sac.environments.limit import with_limit
from sac.errors import CheckpointError, ConfigError, EnvironmentStepError, SpaceError
from sac.evaluation.published import PUBLISHED, Published
from sac.evaluation.random_policy import RandomPolicy
from sac.evaluation.result import EvaluationResult
from sac.run.checkpoint import Checkpoint, find_checkpoint, load_checkpoint
from sac.run.origin import is_own
from sac.run.rules import check_trusted
from sac.seeding import globals_kept, seed_globals

__all__ = [
    "EvaluationResult",
    "EvaluationStopped",
    "check_spaces_fit",
    "evaluate",
    "film_episode",
    "run_episodes",
]

Watch = Callable[[int, int], bool]


class EvaluationStopped(Exception):
    """An evaluation that was left before its end."""


class NotFiniteEvaluation(EnvironmentStepError):
    """An evaluation in which the environment gave a number that is not finite."""


class Playable(Protocol):
    """What episodes are played in: a VectorEnvironment, or a wrapper of one."""

    num_envs: int

    def reset(self, seed: int | None = None) -> np.ndarray:
        """Start new episodes everywhere."""

    def step(self, actions: np.ndarray) -> Step:
        """Take one action, in environment units, in every environment."""


@globals_kept()
def run_episodes(
    agent: SACAgent | RandomPolicy,
    environment: Playable,
    *,
    episodes: int,
    seed: int,
    deterministic: bool,
    watch: Watch = lambda finished, steps: False,
) -> EvaluationResult:
    """Play episodes from a fresh reset; neither the agent nor its random generators change.

    Each environment plays a fixed share of the episodes: taking whichever finish first would favour
    short episodes. The same arguments give the same result: `seed` is that of the environments and,
    unless `deterministic`, of the actions. The environment must not be that of a training.

    `watch` is called after each step, with the numbers of finished episodes and of steps so far;
    EvaluationStopped if it returns True. NotFiniteEvaluation, at once, for an observation, reward
    or return that is not finite: no action and no mean is right for it.
    """
    episodes, seed = whole("episodes", episodes), checked_seed(seed)
    shares = [len(range(i, episodes, environment.num_envs)) for i in range(environment.num_envs)]
    finished: list[list[Episode]] = [[] for _ in shares]
    generator = np.random.default_rng(seed)
    observation = environment.reset(seed=seed)
    _check_finite("observation", observation, 0)
    steps = 0
    while any(len(done) < share for done, share in zip(finished, shares, strict=True)):
        if deterministic:
            action = agent.greedy(observation)  # type: ignore[union-attr]  # only agents are deterministic
        else:
            action = agent.sample(observation, generator)
        step = environment.step(agent.action_codec.to_environment(action))
        steps += 1
        _check_finite("reward", step.reward, steps)
        _check_finite("observation", step.next_observation, steps)
        if step.observation is not step.next_observation:  # an episode has begun
            _check_finite("observation", step.observation, steps)
        for episode in step.episodes:
            _check_finite("return", np.array([episode.episode_return]), steps)
            if len(finished[episode.env_index]) < shares[episode.env_index]:
                finished[episode.env_index].append(episode)
        observation = step.observation
        if watch(sum(map(len, finished)), steps):
            raise EvaluationStopped
    played = [episode for done in finished for episode in done]
    successes = [episode.success for episode in played]
    return EvaluationResult(
        returns=[float(episode.episode_return) for episode in played],
        lengths=[int(episode.length) for episode in played],
        deterministic=deterministic,
        # Some environments report only successes: then an episode without a report failed.
        successes=None if set(successes) == {None} else [bool(success) for success in successes],
    )


def _check_finite(name: str, values: np.ndarray, steps: int) -> None:
    is_finite = np.isfinite(values)
    if not is_finite.all():
        raise NotFiniteEvaluation(
            f"the environment gave the {name} {values[~is_finite][0]} in step {steps:,} of an "
            "evaluation; gymnasium.utils.env_checker finds where an environment goes wrong"
        )


def evaluate(
    path: str | Path,
    *,
    env: Any = None,
    env_overrides: Mapping[str, Any] | None = None,
    episodes: int = 10,
    seed: int = 0,
    checkpoint: str | int = "best",
    deterministic: bool = True,
    num_envs: int = 1,
    max_steps: int | None = EvaluationConfig.max_steps,
    device: str = "auto",
    with_random: bool = False,
    video: str | Path | None = None,
    trust: bool = False,
) -> EvaluationResult:
    """Evaluate a trained policy, by default on the environment that its run was trained on.

    SACError if the checkpoint, an argument or the environment can't be used.

    Args:
        path: A run directory or a checkpoint folder.
        env: A (vector) environment, which is reset, or a callable that makes one.
        env_overrides: Keys of the section `env` to change; another id drops the run's kwargs.
        episodes: How many.
        seed: The same seed gives the same result.
        checkpoint: Which one of a run: "best", "last" or a step.
        deterministic: False samples from the policy.
        num_envs: Environments that play side by side.
        max_steps: Length at which episodes without a limit are cut, with a warning; None: never.
        device: "auto", "cpu", "cuda" or "cuda:N".
        with_random: Also play the same number of episodes with random actions, as `random_policy`.
        video: A .mp4 or .gif file for a film of the first episode, if `env` is not given.
        trust: Run the code that the run's configuration names, also where you have not trained it
            on this machine.
    """
    episodes, seed, num_envs = _checked(episodes, seed, num_envs, video, env, env_overrides)
    loaded = load_checkpoint(find_checkpoint(path, checkpoint))
    playing = environment_config(loaded, num_envs, env_overrides, trust=trust)
    config = with_limit(playing, max_steps)
    _check_named(config, loaded, env)
    named = partial(replace, **_names(playing, env))
    agent = SACAgent.load(loaded.folder, device=device)
    with _made(config, env, seed) as environment:
        check_spaces_fit(*agent.spaces, environment)
        plan = partial(run_episodes, environment=environment, episodes=episodes, seed=seed)
        result = plan(agent, deterministic=deterministic)
        if with_random:
            chance = plan(RandomPolicy(environment.action_codec), deterministic=False)
            result = replace(result, random_policy=named(chance))
        _warn_of_cut(result, environment, max_steps)
    if video is not None:
        film_episode(agent, config, Path(video), seed=seed, deterministic=deterministic)
    step = loaded.step if "config" in loaded.documents else None
    published = _published(playing) if env is None else None
    return replace(named(result), run=str(path), checkpoint_step=step, published=published)


def _names(config: EnvConfig, env: Any) -> dict[str, Any]:
    """Return what a result says of the environment that it was played in."""
    if env is not None:
        return {"env": str(env)}
    wrappers = to_plain(config.wrappers)
    return {"env": config.id, "env_kwargs": config.kwargs, "env_wrappers": wrappers}


def _published(config: EnvConfig) -> Published | None:
    """Return what others reached; arguments and wrappers may make another task or reward."""
    return None if config.kwargs or config.wrappers else PUBLISHED.get(config.id)


def count_cut(
    result: EvaluationResult, environment: VectorEnvironment, max_steps: int | None
) -> str:
    """Return how many episodes `max_steps` has cut, in words; nothing if none was."""
    cut = sum(length == max_steps for length in result.lengths) if environment.is_endless else 0
    return f"{cut} of {result.episodes} episodes were cut" if cut else ""


def _warn_of_cut(
    result: EvaluationResult, environment: VectorEnvironment, max_steps: int | None
) -> None:
    if cut := count_cut(result, environment, max_steps):
        warnings.warn(f"{cut} at max_steps", stacklevel=3)


def film_episode(
    agent: SACAgent,
    config: EnvConfig,
    path: Path,
    *,
    seed: int,
    deterministic: bool = True,
    watch: Watch = lambda finished, steps: False,
    **bounds: int,
) -> EvaluationResult:
    """Film the first episode of an evaluation; `EpisodeFilm` explains the `bounds`."""
    check_video(path)
    with _made(filmed(config, path, **bounds), None, seed) as environment:
        check_spaces_fit(*agent.spaces, environment)
        play = partial(run_episodes, agent, environment, episodes=1, seed=seed)
        return play(deterministic=deterministic, watch=watch)


@contextmanager
def _made(config: EnvConfig, source: Any, seed: int) -> Iterator[VectorEnvironment]:
    """Make an environment and close it, and leave the generators of the process as they were."""
    with globals_kept():
        seed_globals(seed)  # for constructors that draw
        with closing(make_vector_environment(config, source=source, seed=seed)) as environment:
            yield environment


def check_spaces_fit(
    observation_space: Any, action_space: Any, environment: VectorEnvironment
) -> None:
    """Raise SpaceError for an environment whose spaces do not fit those of a trained agent.

    Bounds of observations may differ, as no policy reads them; bounds of actions scale the actions.
    """
    found = environment.observation_encoder
    if not found.takes(observation_space):
        raise SpaceError(
            f"The agent was trained on observations {observation_space}, but the environment gives "
            f"{found.space}. Use the environment and env.kwargs that it was trained with."
        )
    if action_space != environment.action_space:
        raise SpaceError(
            f"The agent was trained on actions {action_space}, but the environment "
            f"takes {environment.action_space}. Use the environment and env.kwargs that it was "
            "trained with."
        )


def environment_config(
    checkpoint: Checkpoint,
    num_envs: int = 1,
    overrides: Mapping[str, Any] | None = None,
    *,
    trust: bool,
) -> EnvConfig:
    """Return a checkpoint's environment, with `overrides`; ConfigError for untrusted imports."""
    overrides = {} if overrides is None else overrides
    # A policy alone does not say where it was trained.
    trained = Config.from_dict(checkpoint.documents.get("config", {}))
    is_trusted = trust or is_own(checkpoint.folder, trained.env)
    if overrides.get("id", trained.env.id) != trained.env.id:
        trained = replace(trained, env=replace(trained.env, kwargs={}))
    config = trained.merged({"env": overrides}).env
    if num_envs == 1:  # which gains nothing from a process of its own
        config = config.alone()
    if not is_trusted:
        check_trusted(config, overrides)
    return replace(config, num_envs=num_envs, max_lag=0)


def _check_named(config: EnvConfig, checkpoint: Checkpoint, env: Any) -> None:
    if env is None and not config.id:
        raise CheckpointError(
            f"'{checkpoint.folder}' does not say which environment it is for: that of its training "
            "was given as an object, or it is a policy alone. Name one (evaluate.py: --env.id ID), "
            "or pass it from Python (env=...)"
        )


def _checked(
    episodes: int, seed: int, num_envs: int, video: str | Path | None, env: Any, overrides: Any
) -> tuple[int, int, int]:
    """Return the whole numbers as plain ones, before any work; ConfigError for what can't be."""
    if env is not None and overrides:
        text = "env_overrides are of the run's own environment: give them or env, not both"
        raise ConfigError(text)
    if video is not None:
        if env is not None:
            raise ConfigError("video needs an environment with an id, which can be made again")
        check_video(Path(video))
    return whole("episodes", episodes), checked_seed(seed), whole("num_envs", num_envs)
