"""The result of an evaluation: returns of whole episodes, and their statistics."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sac.evaluation.published import Published
from sac.evaluation.statistics import bootstrap_interval, interquartile_mean

# At most, which takes seconds: many episodes are resampled less often.
RESAMPLED_RETURNS = 2 * 10**8


@dataclass(frozen=True)
class EvaluationResult:
    """Undiscounted returns and lengths (in steps) of whole episodes."""

    returns: list[float]
    lengths: list[int]
    env: str | None = None
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    env_wrappers: Sequence[Mapping[str, Any]] = ()  # class_path and kwargs of each, from inside
    checkpoint_step: int | None = None
    run: str | None = None
    published: Published | None = None  # what others reached in the same environment
    random_policy: "EvaluationResult | None" = None  # as many episodes with random actions
    successes: list[bool] | None = None  # of each episode, if the environment reports them
    deterministic: bool = True  # False: actions were sampled

    @property
    def episodes(self) -> int:
        """Return the number of episodes."""
        return len(self.returns)

    @property
    def mean_return(self) -> float:
        """Return the mean of the returns."""
        return float(np.mean(self.returns))

    @property
    def std_return(self) -> float:
        """Return the standard deviation of the returns (divided by n, as in SB3)."""
        return float(np.std(self.returns))

    @property
    def median_return(self) -> float:
        """Return the median of the returns."""
        return float(np.median(self.returns))

    @property
    def iqm_return(self) -> float:
        """Return the mean without the best and the worst quarter of the episodes."""
        return float(interquartile_mean(np.array(self.returns)))

    @property
    def return_interval(self) -> tuple[float, float]:
        """Return the 95 % bootstrap interval of the mean return; it is reproducible."""
        resamples = min(2000, max(200, RESAMPLED_RETURNS // self.episodes))
        with np.errstate(invalid="ignore"):  # infinities
            interval = bootstrap_interval(np.array(self.returns), resamples=resamples)
        return float(interval.low), float(interval.high)

    @property
    def min_return(self) -> float:
        """Return the worst return."""
        return min(self.returns)

    @property
    def max_return(self) -> float:
        """Return the best return."""
        return max(self.returns)

    @property
    def mean_length(self) -> float:
        """Return the mean number of steps."""
        return float(np.mean(self.lengths))

    @property
    def success_rate(self) -> float | None:
        """Return the share of successful episodes; None if the environment does not report it."""
        return None if self.successes is None else float(np.mean(self.successes))

    @property
    def task(self) -> str:
        """Return the environment with its arguments and wrappers, where it has any, in words."""
        given = [f"{name}={value}" for name, value in self.env_kwargs.items()]
        return ", ".join([str(self.env), *given, *map(call, self.env_wrappers)])

    def summary(self) -> dict[str, Any]:
        """Return statistics of the episodes: texts, numbers and None."""
        low, high = self.return_interval
        return {
            "run": self.run,
            "env": self.env,
            "env_kwargs": json.dumps(self.env_kwargs) if self.env_kwargs else None,
            "env_wrappers": json.dumps(list(self.env_wrappers)) if self.env_wrappers else None,
            "checkpoint_step": self.checkpoint_step,
            "deterministic": self.deterministic,
            "episodes": self.episodes,
            "mean_return": self.mean_return,
            "mean_return_low": low,
            "mean_return_high": high,
            "std_return": self.std_return,
            "median_return": self.median_return,
            "iqm_return": self.iqm_return,
            "min_return": self.min_return,
            "max_return": self.max_return,
            "mean_length": self.mean_length,
            "min_length": min(self.lengths),
            "max_length": max(self.lengths),
            "success_rate": self.success_rate,
            "published_return": None if self.published is None else self.published.mean_return,
            "published_source": None if self.published is None else self.published.source,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the whole result as JSON values."""
        random_policy = None if self.random_policy is None else self.random_policy.to_dict()
        parts = {name: getattr(self, name) for name in ("returns", "lengths", "successes")}
        kwargs = {"env_kwargs": dict(self.env_kwargs), "env_wrappers": list(self.env_wrappers)}
        return {**self.summary(), **kwargs, **parts, "random_policy": random_policy}


def call(wrapper: Mapping[str, Any]) -> str:
    """Return a wrapper by its name and its arguments, in words."""
    name = wrapper["class_path"].rpartition(".")[2]
    return f"{name}({', '.join(f'{key}={value}' for key, value in wrapper['kwargs'].items())})"
