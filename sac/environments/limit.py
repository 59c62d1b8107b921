"""A limit of steps for evaluations in environments that have none: their episodes may never end."""

import sys
from dataclasses import replace
from typing import Any

import gymnasium
from gymnasium.wrappers import TimeLimit

from sac.config import EnvConfig, WrapperConfig
from sac.config.fields import whole


class EvaluationLimit(TimeLimit):
    """Cuts episodes that nothing else may cut."""


def with_limit(config: EnvConfig, max_steps: int | None) -> EnvConfig:
    """Return the configuration with `limited` as its last wrapper; None: no limit is reached."""
    # With a wrapper all the same, as the state of an environment is saved wrapper by wrapper.
    steps = sys.maxsize if max_steps is None else whole("max_steps", max_steps)
    limit = WrapperConfig(f"{__name__}.{limited.__name__}", {"max_steps": steps})
    return replace(config, wrappers=(*config.wrappers, limit))


def limited(env: Any, max_steps: int) -> Any:
    """Return an environment without a limit of its own with one; a vector environment as it is."""
    if isinstance(env, gymnasium.vector.VectorEnv) or has_limit(env):
        return env
    return EvaluationLimit(env, max_steps)


def has_limit(env: Any) -> bool:
    """Return whether an environment has a limit of its own, as far as Gymnasium knows."""
    while isinstance(env, gymnasium.Wrapper):
        if isinstance(env, TimeLimit) and not isinstance(env, EvaluationLimit):
            return True
        env = env.env
    return False
