"""How good a policy is: whole episodes on environments of their own, reproducible by a seed."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sac.checkpoint import Checkpoint, find_checkpoint, load_checkpoint
from sac.config import Config, EnvConfig
from sac.errors import CheckpointError, ConfigError, SpaceError

if TYPE_CHECKING:
    from sac.agent import SACAgent
    from sac.environments import VectorEnvironment


@dataclass(frozen=True)
class EvaluationResult:
    """Undiscounted returns and lengths (in steps) of whole episodes."""

    returns: list[float]
    lengths: list[int]
    env: str | None = None
    checkpoint_step: int | None = None

    @property
    def episodes(self) -> int:
        """Number of episodes."""
        return len(self.returns)

    @property
    def mean_return(self) -> float:
        """Mean of the returns."""
        return float(np.mean(self.returns))

    @property
    def std_return(self) -> float:
        """Standard deviation of the returns over these episodes (divided by n, as SB3 does)."""
        return float(np.std(self.returns))

    @property
    def min_return(self) -> float:
        """The worst return."""
        return min(self.returns)

    @property
    def max_return(self) -> float:
        """The best return."""
        return max(self.returns)

    @property
    def mean_length(self) -> float:
        """Mean number of steps."""
        return float(np.mean(self.lengths))

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON would hold it."""
        return {
            "env": self.env,
            "episodes": self.episodes,
            "mean_return": self.mean_return,
            "std_return": self.std_return,
            "min_return": self.min_return,
            "max_return": self.max_return,
            "mean_length": self.mean_length,
            "returns": self.returns,
            "lengths": self.lengths,
            "checkpoint_step": self.checkpoint_step,
        }


def run_episodes(
    agent: "SACAgent",
    environment: "VectorEnvironment",
    *,
    episodes: int,
    seed: int,
    deterministic: bool,
) -> EvaluationResult:
    """Play episodes from a fresh reset; neither the agent nor its random generators change.

    Each environment of the vector plays its share, fixed beforehand: to take the first that finish
    anywhere would prefer short episodes. The same arguments give the same result.

    Args:
        agent: Chooses the actions.
        environment: Not the one that training goes on with: it is reset.
        episodes: How many, at least 1.
        seed: Of the environments and, unless deterministic, of the actions.
        deterministic: Take the policy's best action rather than a sample.
    """
    _check_at_least("episodes", episodes, 1)
    shares = [len(range(i, episodes, environment.num_envs)) for i in range(environment.num_envs)]
    finished: list[list[tuple[float, int]]] = [[] for _ in shares]
    generator = np.random.default_rng(seed)
    observation = environment.reset(seed=seed)
    while any(len(done) < share for done, share in zip(finished, shares, strict=True)):
        if deterministic:
            action = agent.greedy(observation)
        else:
            action = agent.sample(observation, generator)
        step = environment.step(agent.action_codec.to_environment(action))
        for episode in step.episodes:
            if len(finished[episode.env_index]) < shares[episode.env_index]:
                finished[episode.env_index].append((episode.episode_return, episode.length))
        observation = step.observation
    results = [result for done in finished for result in done]
    return EvaluationResult(
        returns=[float(episode_return) for episode_return, _ in results],
        lengths=[int(length) for _, length in results],
    )


def evaluate(
    path: str | Path,
    *,
    env: Any = None,
    episodes: int = 10,
    seed: int = 0,
    checkpoint: str = "best",
    deterministic: bool = True,
    num_envs: int = 1,
    device: str = "auto",
) -> EvaluationResult:
    """Evaluate a trained policy on the environment that its run was trained on.

    Args:
        path: A run directory or a checkpoint folder.
        env: An environment, a vector environment or a callable that makes one, in place of the
            run's own. It is reset.
        episodes: How many.
        seed: The same seed gives the same result.
        checkpoint: Of a run: "best", "last" or a step.
        deterministic: False samples from the policy.
        num_envs: Environments that play side by side.
        device: "auto", "cpu", "cuda" or "cuda:N".

    Raises:
        SACError: There is no such checkpoint, it is damaged or does not fit the environment, or an
            argument is out of range.
    """
    _check_at_least("episodes", episodes, 1)
    _check_at_least("seed", seed, 0)
    _check_at_least("num_envs", num_envs, 1)
    from sac.agent import SACAgent
    from sac.environments import make_vector_environment

    loaded = load_checkpoint(find_checkpoint(path, checkpoint))
    config = _environment_config(loaded, num_envs)
    if env is None and not config.id:
        raise CheckpointError(
            f"'{loaded.folder}' was trained on an environment that was given as an object: give "
            "it again, by evaluate(..., env=...) from Python"
        )
    agent = SACAgent.load(loaded.folder, device=device)
    environment = make_vector_environment(config, source=env, num_envs=num_envs, seed=seed)
    try:
        check_spaces_fit(agent, environment)
        result = run_episodes(
            agent, environment, episodes=episodes, seed=seed, deterministic=deterministic
        )
    finally:
        environment.close()
    return replace(result, env=config.id if env is None else str(env), checkpoint_step=loaded.step)


def check_spaces_fit(agent: "SACAgent", environment: "VectorEnvironment") -> None:
    """Refuse an environment whose observations or actions the agent was not made for.

    Bounds of observations may differ, since no policy reads them; those of actions scale them.

    Raises:
        SpaceError: Names both spaces.
    """
    trained, found = agent.observation_encoder, environment.observation_encoder
    same_layout = (
        type(trained.space) is type(found.space)
        and trained.space.shape is not None
        and (trained.shape, trained.dtype) == (found.shape, found.dtype)
    )
    if not same_layout and trained.space != found.space:
        raise SpaceError(
            f"The agent was trained on observations {trained.space}, but the environment gives "
            f"{found.space}. Use the environment and env.kwargs that it was trained with."
        )
    if agent.action_codec.space != environment.action_space:
        raise SpaceError(
            f"The agent was trained on actions {agent.action_codec.space}, but the environment "
            f"takes {environment.action_space}. Use the environment and env.kwargs that it was "
            "trained with."
        )


def _environment_config(checkpoint: Checkpoint, num_envs: int) -> EnvConfig:
    document = checkpoint.documents.get("config")
    if document is None:
        raise CheckpointError(f"'{checkpoint.folder}' does not say which environment it is for.")
    config = Config.from_dict(document).env
    # One environment gains nothing from a process of its own; a native one may exist only as such.
    if num_envs == 1 and config.vectorization == "async":
        config = replace(config, vectorization="sync")
    return replace(config, num_envs=num_envs)


def _check_at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise ConfigError(f"{name} must be at least {least}, got {value}.")
