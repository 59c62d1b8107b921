"""Trials of an environment: its faults, and the range in which actions make a difference."""

import contextlib
import io
import re
import time
import warnings
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile

import gymnasium
import numpy as np
from gymnasium.utils.env_checker import check_env
from gymnasium.utils.passive_env_checker import env_step_passive_checker
from numpy.typing import NDArray

from sac.config import EnvConfig
from sac.environments.closing import close
from sac.environments.make import make_bare_environment, make_vector_environment
from sac.environments.stepping.vector import VectorEnvironment
from sac.errors import told
from sac.seeding import globals_kept

SEED = 0
RANDOM_STEPS = 100  # that Gymnasium's checker looks at
STEP_CHECKER = r"gymnasium\.utils\.passive_env_checker"  # the module whose warnings are faults
DECORATION = r"\x1b\[[0-9;]*m|WARN: "  # of Gymnasium's warnings
REPEATED = 20  # outcomes to compare
STEPS = 3  # an action may take effect a step or two later
POINTS = 11  # of an action's range, from end to end
FEW = 3  # changes between points: with more, the outcome depends on all of the range
ZOOMS = 10  # times that the search narrows to the part with the changes
SECONDS = 10.0  # after which a slow environment is left, before its last step or dimension


@dataclass(frozen=True)
class Probe:
    """The result of trials in new environments.

    `fault` is what Gymnasium's checker found. `reach` (size,) is the share of the range in which
    the outcome depends on the action, for each dimension of a continuous one; nan if unknown.
    `repeated` counts the steps in which two environments of one seed gave the same: fewer than
    REPEATED if they then did not, None if that was not tried.
    """

    fault: str | None
    reach: NDArray[np.float64] | None
    repeated: int | None = None


def probe(config: EnvConfig) -> Probe:
    """Try new environments; SACError if none can be made."""
    with globals_kept():
        return Probe(checker_fault(config), _tried_reach(config), _tried_repetition(config))


def unseen(config: EnvConfig) -> EnvConfig:
    """Return the same environment without a window or pictures."""
    kwargs = {name: value for name, value in config.kwargs.items() if name != "render_mode"}
    return replace(config, kwargs=kwargs)


@globals_kept()
def checker_fault(config: EnvConfig) -> str | None:
    """Return what Gymnasium's checker finds wrong in a new environment; None if nothing."""
    env = make_bare_environment(unseen(config))
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()),
            warnings.catch_warnings(record=True) as warned,
        ):
            warnings.simplefilter("ignore")  # advice, such as on infinite bounds
            check_env(env, skip_render_check=True, skip_close_check=True)
            warnings.filterwarnings("always", module=STEP_CHECKER)
            _check_steps(env)
    except Exception as error:  # whatever an environment may raise
        return told(error)
    finally:
        close(env)
    return " ".join(re.sub(DECORATION, "", str(warned[0].message)).split()) if warned else None


def _check_steps(env: gymnasium.Env) -> None:
    """Let Gymnasium's checker, which takes one step by itself, warn of what more steps return."""
    deadline = time.monotonic() + SECONDS
    env.action_space.seed(SEED)
    env.reset(seed=SEED)
    for _ in range(RANDOM_STEPS):
        _, _, terminated, truncated, _ = env_step_passive_checker(env, env.action_space.sample())
        if terminated or truncated:
            env.reset()
        if time.monotonic() > deadline:
            return


def _make_single(config: EnvConfig) -> VectorEnvironment:
    return make_vector_environment(config.alone(), seed=SEED)


def _tried_repetition(config: EnvConfig) -> int | None:
    try:
        first, second = _played(config), _played(config)
    except Exception:  # whatever an environment may raise: the checker reports it
        return None
    same = (one == other for one, other in zip(first, second, strict=True))
    return sum(takewhile(bool, same))


def _played(config: EnvConfig) -> list[bytes]:
    """Return what a new environment gives in its reset and in steps of random actions."""
    with contextlib.closing(_make_single(config)) as environment:
        codec, generator = environment.action_codec, np.random.default_rng(SEED)
        outcomes = [environment.reset().tobytes()]
        for _ in range(REPEATED - 1):
            step = environment.step(codec.to_environment(codec.uniform(1, generator)))
            outcomes.append(step.observation.tobytes() + step.reward.tobytes())
    return outcomes


def _tried_reach(config: EnvConfig) -> NDArray[np.float64] | None:
    environment = _make_single(config)
    with contextlib.closing(environment):
        if environment.action_codec.bounds is None:
            return None
        try:
            return reach(environment)
        except Exception:  # whatever an environment may raise: the checker reports it
            return None


def reach(environment: VectorEnvironment) -> NDArray[np.float64]:
    """Return the share of each dimension's range in which the outcome depends on the action."""
    found = np.full(environment.action_codec.continuous, np.nan)
    deadline = time.monotonic() + SECONDS
    for dimension in range(len(found)):
        if time.monotonic() > deadline:
            break
        found[dimension] = _reach(environment, dimension)
    return found


def _reach(environment: VectorEnvironment, dimension: int) -> float:
    low, high = -1.0, 1.0
    for _ in range(ZOOMS):
        points = np.linspace(low, high, POINTS)
        outcomes = [_outcome(environment, dimension, point) for point in points]
        changes = [i for i, (one, other) in enumerate(pairwise(outcomes)) if one != other]
        if not changes:
            return np.nan
        first, last = changes[0], changes[-1] + 1
        if len(changes) > FEW or (first, last) == (0, POINTS - 1):
            return (high - low) / 2
        low, high = points[first], points[last]
    return np.nan  # the action only crosses a threshold, for which bounds do not matter


def _outcome(environment: VectorEnvironment, dimension: int, unit: float) -> bytes:
    """Play a few steps of the same episode, with the other dimensions in their middle."""
    codec = environment.action_codec
    units = np.zeros((1, codec.size))
    units[0, dimension] = unit
    actions = codec.to_environment(units.reshape(1, *codec.shape))
    environment.reset(seed=SEED)
    parts = []
    for _ in range(STEPS):
        step = environment.step(actions)
        parts += [step.next_observation.tobytes(), step.reward.tobytes(), step.terminated.tobytes()]
        if step.episodes:
            break
    return b"".join(parts)
