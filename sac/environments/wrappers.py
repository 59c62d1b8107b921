"""Wrappers of environments by their names in the configuration."""

import difflib
import importlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sac.config import WrapperConfig
from sac.errors import EnvironmentSetupError

WrapEnvironment = Callable[[Any], Any]


def configured_wrappers(configs: Sequence[WrapperConfig]) -> list[WrapEnvironment]:
    """Return functions that wrap an environment, in the order of their application."""
    for config in configs:
        _find_class(config.class_path)  # a wrong path is an error before any environment starts
    return [partial(_wrap, config) for config in configs]  # a worker can unpickle them


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
