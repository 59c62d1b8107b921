"""The configuration: `schema` lists the keys; other files check, merge, read and write them."""

from sac.config.schema import (
    AgentConfig,
    CheckpointConfig,
    Config,
    EnvConfig,
    EvaluationConfig,
    LoggingConfig,
    TrainConfig,
    WrapperConfig,
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
