"""The configuration: `schema` and `environment` list the keys; others check, merge, write them."""

from sac.config.environment import EnvConfig, WrapperConfig
from sac.config.schema import (
    AgentConfig,
    CheckpointConfig,
    Config,
    EvaluationConfig,
    LoggingConfig,
    TrainConfig,
    check_device,
    checked_seed,
)

__all__ = [
    "AgentConfig",
    "CheckpointConfig",
    "Config",
    "EnvConfig",
    "EvaluationConfig",
    "LoggingConfig",
    "TrainConfig",
    "WrapperConfig",
    "check_device",
    "checked_seed",
]
