"""Wrappers that the configuration names."""

import difflib
import importlib
from collections.abc import Callable, Sequence
from typing import Any

from sac.config import WrapperConfig
from sac.errors import EnvironmentSetupError

WrapEnvironment = Callable[[Any], Any]


def configured_wrappers(configs: Sequence[WrapperConfig]) -> list[WrapEnvironment]:
    """Return functions that wrap an environment, in the order in which they are applied."""
    return [_Wrap(config.class_path, dict(config.kwargs)) for config in configs]


class _Wrap:
    """A wrapper class with its arguments; pickles to a worker by its class path."""

    def __init__(self, class_path: str, kwargs: dict[str, Any]) -> None:
        self.class_path = class_path
        self.kwargs = kwargs
        _find_class(class_path)  # so that a wrong path is an error before any environment starts

    def __call__(self, env: Any) -> Any:
        try:
            return _find_class(self.class_path)(env, **self.kwargs)
        except Exception as error:
            raise EnvironmentSetupError(
                f"env.wrappers: {self.class_path} with kwargs {self.kwargs} cannot wrap {env}: "
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
