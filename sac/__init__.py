"""Soft Actor-Critic from a YAML file: `from sac import Config, train, evaluate, SACAgent`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sac.agent.agent import SACAgent
    from sac.config import Config
    from sac.evaluation.evaluate import evaluate
    from sac.replay.batch import Batch
    from sac.training.report import Callback, Report
    from sac.training.train import Trainer, train

__all__ = ["Batch", "Callback", "Config", "Report", "SACAgent", "Trainer", "evaluate", "train"]

_HOMES = {
    "Batch": "sac.replay.batch",
    "Callback": "sac.training.report",
    "Config": "sac.config",
    "Report": "sac.training.report",
    "SACAgent": "sac.agent.agent",
    "Trainer": "sac.training.train",
    "evaluate": "sac.evaluation.evaluate",
    "train": "sac.training.train",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import sac` and --help are quick."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
