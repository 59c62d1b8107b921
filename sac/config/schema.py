"""The configuration: every key with its default, meaning and range. A Config is always valid."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from sac.config import shipped
from sac.config.agent import AgentConfig
from sac.config.defaults import gives_learning_starts, with_time_to_learn
from sac.config.environment import EnvConfig, WrapperConfig
from sac.config.fields import (
    Option,
    check_device,
    check_fields,
    count,
    make_readable,
    options,
    whole,
)
from sac.config.keys import build, check_keys, merge, to_plain
from sac.config.train import TrainConfig
from sac.config.yaml_text import dump_yaml, parse_yaml, read_yaml_mapping
from sac.errors import ConfigError

SEED_LIMIT = 2**63 - 1


def checked_seed(seed: Any) -> int:
    """Return a seed, NumPy's integers too, as an int; ConfigError if it is none."""
    return whole("seed", seed, at_least=0, at_most=SEED_LIMIT)


@dataclass(frozen=True)
class EvaluationConfig:
    """Evaluation of the deterministic policy during training."""

    # 20 evaluations in the default run: enough points for a curve.
    every_steps: Annotated[
        int, count("Transitions between evaluations; 0: only at the end.", at_least=0)
    ] = 5000
    episodes: Annotated[int, count("Episodes of an evaluation.", at_most=10**6)] = 10
    max_steps: Annotated[
        int | None,
        count("Steps after which episodes without a limit are cut, but not in same; null: never."),
    ] = 100_000
    env: Annotated[
        Literal["copy", "same", "none"],
        Option(
            "What evaluations play in: copy makes a second environment; same plays in the "
            "training's own, for one of its kind (a robot, a port): an evaluation that is due "
            "waits for the end of the episode, and env.num_envs is 1; none: no evaluations."
        ),
    ] = "copy"

    def __post_init__(self) -> None:
        check_fields(self, "evaluation.")


@dataclass(frozen=True)
class CheckpointConfig:
    """Checkpoints, from which a run can be resumed."""

    every_steps: Annotated[int, count("Transitions between checkpoints.")] = 10_000
    # More than one, as the newest may be damaged.
    keep: Annotated[int, count("Newest checkpoints to keep; the best is kept beside them.")] = 3

    def __post_init__(self) -> None:
        check_fields(self, "checkpoint.")


@dataclass(frozen=True)
class LoggingConfig:
    """The place and the frequency of a run's logs."""

    root: Annotated[str, Option("Folder of the run directories.")] = "runs"
    every_steps: Annotated[int, count("Transitions between rows of metrics.")] = 500
    histograms_every_steps: Annotated[
        int,
        count(
            "Transitions between TensorBoard's histograms of actions, values, weights and "
            "gradients, also drawn at the end; 0: never.",
            at_least=0,
        ),
    ] = 5000
    also: Annotated[
        Sequence[Literal["wandb", "mlflow"]],
        Option(
            "Trackers that the same numbers go to, as their own environment variables say "
            "(WANDB_MODE, MLFLOW_TRACKING_URI). Each needs the extra of its name; one that fails "
            "ends no run."
        ),
    ] = ()
    # Off by default: a film takes seconds and needs the environment's rendering packages.
    videos_every_steps: Annotated[
        int,
        count(
            "Transitions between TensorBoard's animations of an evaluation episode, also made at "
            "the end; 0: never. Needs the extra video and a drawing environment.",
            at_least=0,
        ),
    ] = 0

    def __post_init__(self) -> None:
        check_fields(self, "logging.")


@dataclass(frozen=True)
class Config:
    """Everything that defines a run. A wrong one raises ConfigError with key, range and value.

    >>> from sac import Config
    >>> config = Config.load("pendulum", {"train": {"total_steps": 1e4}})
    >>> config.env.id, config.train.total_steps
    ('Pendulum-v1', 10000)
    >>> config.merged({"agent": {"gama": 0.9}})
    Traceback (most recent call last):
    sac.errors.ConfigError: unknown key 'agent.gama', the nearest is agent.gamma
    """

    env: EnvConfig = field(default_factory=EnvConfig)
    agent: AgentConfig = field(default_factory=AgentConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)
    logging: LoggingConfig = field(default_factory=LoggingConfig)
    seed: Annotated[
        int,
        count(
            "Seed of networks, exploration, replay and environments.",
            at_least=0,
            at_most=SEED_LIMIT,
        ),
    ] = 0
    device: Annotated[
        str, Option("auto, cpu, cuda or cuda:N; auto takes a GPU where there is one.")
    ] = "auto"
    name: Annotated[
        str | None, Option("Part of the run directory's name; by default the config file's name.")
    ] = None

    # Whether train.learning_starts was left out where this was made, and so follows total_steps.
    _has_default_starts: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_fields(self, "")  # each section was checked when it was built
        check_device(self.device)
        if self.evaluation.env != "copy" and self.logging.videos_every_steps:
            raise ConfigError(
                "logging.videos_every_steps: expected 0 with evaluation.env "
                f"{self.evaluation.env}, got {self.logging.videos_every_steps}: a film is played "
                "in an environment of its own"
            )
        self._check_lag()
        if self.evaluation.env == "same" and self.env.num_envs > 1:
            raise ConfigError(
                f"evaluation.env: same expects env.num_envs 1, got {self.env.num_envs}: the "
                "episodes of several end at different times"
            )
        goal, plan = self.train.stop_at_return, self.evaluation
        if goal is not None and (plan.env == "none" or plan.every_steps == 0):
            raise ConfigError(
                "train.stop_at_return: expected null where no evaluation is made before the end "
                f"(evaluation.env {plan.env}, evaluation.every_steps {plan.every_steps}), got "
                f"{goal:g}"
            )
        if self.train.buffer_size < self.env.num_envs:
            raise ConfigError(
                f"train.buffer_size: expected at least env.num_envs "
                f"({self.env.num_envs}), got {self.train.buffer_size}"
            )

    def _check_lag(self) -> None:
        lag = self.env.max_lag
        if not lag:
            return
        if self.evaluation.env == "same":
            raise ConfigError(
                f"evaluation.env: expected copy or none with env.max_lag {lag}, got same: actors "
                "play by themselves in the training's environments"
            )
        least = math.ceil(self.train.updates_per_step * self.env.num_envs)
        if lag < least:
            raise ConfigError(
                f"env.max_lag: expected 0, or at least {least}, the updates of one step of "
                f"{self.env.num_envs} environments (train.updates_per_step times env.num_envs), "
                f"got {lag}"
            )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Config":
        """Return the Config of a nested mapping; ConfigError names the nearest key.

        The key `preset` names a preset, whose keys are laid below those of the mapping.
        """
        if isinstance(data, Mapping):
            data = shipped.with_preset(data)
        return cls._made(data)

    @classmethod
    def _made(cls, data: Mapping[str, Any], known_starts: int | None = None) -> "Config":
        check_keys(cls, data)
        config = build(cls, with_time_to_learn(data, TrainConfig.learning_starts, known_starts))
        object.__setattr__(config, "_has_default_starts", not gives_learning_starts(data))
        return config

    @classmethod
    def from_yaml(cls, text: str) -> "Config":
        """Return the Config of YAML text."""
        return cls.from_dict(parse_yaml(text, "the configuration"))

    @classmethod
    def load(cls, path: str | Path, overrides: Mapping[str, Any] | None = None) -> "Config":
        """Return the Config of a YAML file, or of a shipped one's name.

        The nested mapping `overrides` takes precedence. A preset that is named there must set at
        least one key that the file does not.
        """
        path = shipped.config_path(path)
        data = read_yaml_mapping(path)
        try:
            check_keys(cls, {name: value for name, value in data.items() if name != "preset"})
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None
        given = (overrides or {}).get("preset")
        if isinstance(given, str):
            _check_not_overruled(path, data, given)
        data = merge(data, overrides or {})
        data.setdefault("name", "-".join([path.stem, *shipped.preset_name(data)]))
        return cls.from_dict(data)

    def merged(self, overrides: Mapping[str, Any]) -> "Config":
        """Return a copy in which the nested mapping `overrides` takes precedence.

        Where train.learning_starts is a default, it follows another train.total_steps.
        """
        if "preset" in overrides:
            raise ConfigError(
                "preset: expected where a Config is made, by Config.load or Config.from_dict: "
                "every key of a finished one would win over it"
            )
        check_keys(Config, overrides)
        own = self.to_dict()
        if self._has_default_starts:
            del own["train"]["learning_starts"]
        return Config._made(merge(own, overrides), known_starts=self.train.learning_starts)

    def to_dict(self) -> dict[str, Any]:
        """Return nested dictionaries that `from_dict` reads back to an equal Config."""
        return to_plain(self)

    def to_yaml(self) -> str:
        """Return YAML that `from_yaml` reads back to an equal Config."""
        return dump_yaml(self.to_dict())


def _check_not_overruled(path: Path, data: Mapping[str, Any], preset: str) -> None:
    otherwise, left = shipped.overruled(data, shipped.preset_keys(preset))
    if otherwise and not left:
        raise ConfigError(
            f"preset: {path} sets every key of {preset} itself, {len(otherwise)} of them otherwise "
            f"({otherwise[0]}), and its own win: leave these keys out of the file"
        )


for _hint, _option in [(Config, None), (WrapperConfig, None), *options(Config).values()]:
    if _option is None:
        make_readable(_hint)
