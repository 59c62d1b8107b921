"""The configuration's keys of the environments."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from sac.config.fields import Option, check_fields, count
from sac.errors import ConfigError


@dataclass(frozen=True)
class WrapperConfig:
    """An environment wrapper and its keyword arguments."""

    class_path: Annotated[str, Option("Dotted path of the class: package.module.Class.")]
    kwargs: Annotated[dict[str, Any], Option("Keyword arguments of the wrapper.")] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        check_fields(self, "env.wrappers.")


@dataclass(frozen=True)
class EnvConfig:
    """The environments: which, how many, and how they run. Only `train(env=...)` needs no id."""

    id: Annotated[
        str, Option("Gymnasium id, or module:EnvId to import the module that registers it first.")
    ] = ""
    kwargs: Annotated[
        dict[str, Any],
        Option(
            "Keyword arguments of the environment; one at a time: --env.kwargs.NAME VALUE. Here "
            "and in those of wrappers, {$dtype: uint8}, {$array: [0.5, 1], dtype: float32}, "
            "{$tuple: [64, 64]} and {$import: package.module.name} stand for what YAML can't hold."
        ),
    ] = field(default_factory=dict)
    name: Annotated[
        str | None,
        Option(
            "What folders and figures call it; null: its id or, of an environment that is given as "
            "an object, its id there or its class."
        ),
    ] = None
    wrappers: Annotated[
        Sequence[WrapperConfig],
        Option("Wrappers as {class_path, kwargs}, applied in order, outermost last."),
    ] = ()
    ignore_observations: Annotated[
        Sequence[str],
        Option(
            "Parts of a Dict or Tuple observation to leave out, after the wrappers, such as texts: "
            "[mission], or [camera.caption] for a part of a part."
        ),
    ] = ()
    num_envs: Annotated[int, count("Environments stepped together.", at_most=10_000)] = 1
    # In most environments a step takes less time than a message to another process.
    vectorization: Annotated[
        Literal["sync", "async", "native", "ray"],
        Option(
            "sync steps them in this process, async each in a process of its own (for slow "
            "environments), native by the id's own vector entry point, ray each in an actor on "
            "some node of a Ray cluster."
        ),
    ] = "sync"
    ray_address: Annotated[
        str | None,
        Option("With ray, the cluster's: auto or host:port; null: one is started on this machine."),
    ] = None
    max_lag: Annotated[
        int,
        count(
            "With ray: 0 steps all environments together, to the same bits as async; above, actors "
            "play by themselves, with weights that are at most so many updates old.",
            at_least=0,
        ),
    ] = 0
    step_timeout: Annotated[
        float | None,
        Option(
            "Seconds that an async worker or Ray actor may take for a step or reset before it "
            "counts as hung and is started anew, and all async workers to make their environments "
            "(Ray actors: 300); null: no limit. "
            "After the third restart within 1,000 transitions, by hanging or dying, the next one "
            "ends the run; with max_lag after the sixth of one environment.",
            above=0,
        ),
    ] = 300.0

    def alone(self) -> "EnvConfig":
        """Return the settings of one such environment in this process.

        `native` stays: some environments exist in that form only.
        """
        place: Literal["native", "sync"] = "native" if self.vectorization == "native" else "sync"
        return replace(self, num_envs=1, vectorization=place, ray_address=None, max_lag=0)

    def __post_init__(self) -> None:
        check_fields(self, "env.")
        for name in ("ray_address", "max_lag"):
            value = getattr(self, name)
            if value and self.vectorization != "ray":
                raise ConfigError(
                    f"env.{name}: expected env.vectorization: ray beside {value}, got "
                    f"{self.vectorization}"
                )
