"""Defaults that give way to other keys, where these are set."""

import sys
from collections.abc import Mapping
from typing import Any

from sac.config.fields import whole
from sac.config.keys import merge
from sac.errors import ConfigError
from sac.terminal.output import say


def gives_learning_starts(data: Mapping[str, Any]) -> bool:
    """Return whether a configuration says itself when learning starts."""
    return "learning_starts" in (data.get("train") or {})


def with_time_to_learn(
    data: Mapping[str, Any], default: int, known: int | None = None
) -> Mapping[str, Any]:
    """Lower the `default` of train.learning_starts where no step would follow.

    A line says so, unless it is `known`.
    """
    train = data.get("train") or {}
    if gives_learning_starts(data) or "total_steps" not in train:
        return data
    try:
        total_steps = whole("train.total_steps", train["total_steps"])
    except ConfigError:  # which comes again when the configuration is built, after other faults
        return data
    if total_steps > default:
        return data
    starts = total_steps // 10
    if starts != known:
        say(
            f"train.learning_starts is {starts}, as its default {default:,} is not below "
            f"train.total_steps ({total_steps:,})",
            sys.stderr,
        )
    return merge(data, {"train": {"learning_starts": starts}})
