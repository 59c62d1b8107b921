"""The configuration's keys of the environments."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from sac.config.fields import Option, check_fields, count


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
            "and in those of wrappers, {$dtype: uint8}, {$array: [0.5, 1], dtype: float32} and "
            "{$import: package.module.name} stand for what YAML can't hold."
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
    num_envs: Annotated[int, count("Environments stepped together.", at_most=10_000)] = 1
    # In most environments a step takes less time than a message to another process.
    vectorization: Annotated[
        Literal["sync", "async", "native"],
        Option(
            "sync steps them in this process, async each in a process of its own (for slow "
            "environments), native by the id's own vector entry point."
        ),
    ] = "sync"
    step_timeout: Annotated[
        float | None,
        Option(
            "Seconds that an async worker may take for a step or reset before it counts as hung "
            "and is started anew, and all of them to make their environments; null: no limit. "
            "After the third restart within 1,000 transitions, by hanging or dying, the next one "
            "ends the run.",
            above=0,
        ),
    ] = 300.0

    def __post_init__(self) -> None:
        check_fields(self, "env.")
