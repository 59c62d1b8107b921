"""Wrappers of environments by their names in the configuration."""

import difflib
import importlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from gymnasium.wrappers.utils import RunningMeanStd

from sac.config import WrapperConfig
from sac.environments.rebuild.nodes import layers
from sac.errors import EnvironmentSetupError

WrapEnvironment = Callable[[Any], Any]


def configured_wrappers(configs: Sequence[WrapperConfig]) -> list[WrapEnvironment]:
    """Return functions that wrap an environment, in the order of their application."""
    for config in configs:
        _find_class(config.class_path)  # a wrong path is an error before any environment starts
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
    try:
        return _find_class(config.class_path)(env, **config.kwargs)
    except Exception as error:
        raise EnvironmentSetupError(
            f"env.wrappers: {config.class_path} with kwargs {config.kwargs} cannot wrap {env}: "
            f"{type(error).__name__}: {error}"
        ) from error


def _find_class(class_path: str) -> Callable[..., Any]:
    module_name, _, name = class_path.replace(":", ".").rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except (ImportError, ValueError) as error:
        raise EnvironmentSetupError(
            f"env.wrappers: cannot import the module of {class_path!r} ({error}); expected "
            "package.module.Class, such as gymnasium.wrappers.RescaleAction"
        ) from error
    found = getattr(module, name, None)
    if not callable(found):
        nearest = difflib.get_close_matches(name, dir(module), n=3)
        hint = f"; the nearest names are {', '.join(nearest)}" if nearest else ""
        raise EnvironmentSetupError(f"env.wrappers: {module_name} has no class {name!r}{hint}")
    return found
