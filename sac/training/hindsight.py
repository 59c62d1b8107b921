"""Hindsight replay of a run: its environment's goals, for the replay to draw."""

from sac.config import Config
from sac.environments import VectorEnvironment
from sac.environments.goals import ACHIEVED, DESIRED, goal_functions, goal_space
from sac.errors import ConfigError
from sac.replay.rings import Rings
from sac.replay.sampling.hindsight import Goals, Hindsight


def hindsight_for(
    config: Config,
    rings: Rings,
    environment: VectorEnvironment,
    evaluation_environment: VectorEnvironment | None,
) -> Hindsight | None:
    """Return what gives transitions other goals; None without `train.hindsight`.

    Rewards are computed by an environment of this process. ConfigError where there is none, or it
    has no goals.
    """
    settings = config.train.hindsight
    if settings is None:
        return None
    goal_space(environment.observation_space)
    computing = environment.first
    if computing is None and evaluation_environment is not None:
        computing = evaluation_environment.first
    if computing is None:
        raise ConfigError(
            "train.hindsight: expected an environment in this process, to compute rewards: set "
            "evaluation.env: copy, or env.vectorization: sync"
        )
    encoder = environment.observation_encoder
    goals = Goals(encoder.columns(ACHIEVED), encoder.columns(DESIRED), *goal_functions(computing))
    return Hindsight(rings, goals, settings.goals, config.agent.gamma)
