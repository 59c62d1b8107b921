"""Wrappers of environments by their names in the configuration."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gymnasium
from gymnasium.wrappers.utils import RunningMeanStd

from sac.config import WrapperConfig
from sac.environments.rebuild.nodes import layers
from sac.environments.values import built, imported
from sac.errors import EnvironmentSetupError, install_command, told

KEY = "env.wrappers"
WrapEnvironment = Callable[[Any], Any]


def configured_wrappers(configs: Sequence[WrapperConfig]) -> list[WrapEnvironment]:
    """Return functions that wrap an environment, in the order of their application."""
    for config in configs:
        # What is wrong is an error before any environment starts.
        _find_class(config.class_path)
        built(config.kwargs, KEY)
    return [partial(_wrap, config) for config in configs]  # a worker can unpickle them


def refuse_statistics(env: Any) -> None:
    """Raise EnvironmentSetupError for a wrapper whose statistics follow what it has seen.

    Evaluation, another environment beside it and a policy that was shipped would see others.
    """
    for layer in layers(env):
        gathers = any(isinstance(value, RunningMeanStd) for value in vars(layer).values())
        if not gathers or not getattr(layer, "update_running_mean", True):  # frozen ones may stay
            continue
        name = type(layer).__name__
        instead = "agent.normalize_observations: true, whose statistics are saved with the agent"
        if "reward" in name.lower():
            instead = "agent.reward_scale, a factor on the rewards that are learned from"
        raise EnvironmentSetupError(
            f"{name} normalises by statistics of what it has seen itself, so that evaluation would "
            f"see other numbers than training: leave it out and set {instead}"
        )


def _wrap(config: WrapperConfig, env: Any) -> Any:
    kwargs = built(config.kwargs, KEY)
    try:
        return _find_class(config.class_path)(env, **kwargs)
    except Exception as error:
        raise EnvironmentSetupError(
            f"env.wrappers: {config.class_path} with kwargs {config.kwargs} cannot wrap {env}: "
            f"{told(error)}{_hint(config, error)}"
        ) from error


def _hint(config: WrapperConfig, error: Exception) -> str:
    """Return what helps against errors whose own words do not say it."""
    text = str(error)
    if isinstance(error, gymnasium.error.DependencyNotInstalled) and "opencv" in text:
        return f"; here: {install_command('images')}"
    lists = [name for name, value in config.kwargs.items() if isinstance(value, list)]
    if "tuple" in text and lists:
        return f"; a tuple is written {lists[0]}: {{$tuple: {config.kwargs[lists[0]]}}}"
    return ""


def _find_class(class_path: str) -> Callable[..., Any]:
    found = imported(class_path, KEY)
    if not callable(found):
        raise EnvironmentSetupError(f"{KEY}: expected a class, got {class_path}, {found!r:.100}")
    return found
