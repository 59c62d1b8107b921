"""The configuration: `schema` is the list of keys, the rest checks, merges, reads and writes."""

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
]
