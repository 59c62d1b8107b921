"""One check of what an environment returns: what came, what was expected, which wrapper helps."""

import math
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np
from gymnasium import Space

from sac.errors import EnvironmentStepError, NotFiniteError, SpaceError
from sac.spaces.observations import check_observation

NUMBERS = "biuf"  # kinds of dtypes
PLAIN_REWARDS = {float, np.float64, np.float32}
PLAIN_ENDS = {bool, np.bool_}
OLD_API = (
    "; shimmy.GymV21CompatibilityV0 converts an environment of Gym before 0.26, whose step returns "
    "four values and whose reset returns the observation alone"
)
ONE_REWARD = (
    "; gymnasium.wrappers.TransformReward makes a number of it, and "
    "mo_gymnasium.wrappers.LinearReward weighs a vector of rewards"
)


def checked_reset(result: Any, space: Space) -> tuple[Any, Any]:
    """Return the observation and the info of a reset; EnvironmentStepError if it has not these."""
    if not isinstance(result, tuple) or len(result) != 2 or not isinstance(result[1], Mapping):
        _refuse("reset", f"{_shown(result)}: expected (observation, info){OLD_API}")
    _check_observation(result[0], space)
    return result


def checked_step(result: Any, space: Space) -> tuple[Any, Any, bool, bool, Any]:
    """Return a step with one number as reward, and bools as ends; EnvironmentStepError if it can't.

    Arrays and lists of one element count as the element.
    """
    observation, reward, terminated, truncated, info = _checked_length(result)
    if type(reward) not in PLAIN_REWARDS:
        reward = _number(reward)
    if type(terminated) not in PLAIN_ENDS:
        terminated = _end(terminated, "terminated")
    if type(truncated) not in PLAIN_ENDS:
        truncated = _end(truncated, "truncated")
    if type(info) is not dict and not isinstance(info, Mapping):
        _refuse("step", f"the info {_shown(info)}: expected a dict")
    _check_observation(observation, space)
    return observation, reward, terminated, truncated, info


def _checked_length(result: Any) -> tuple[Any, ...]:
    """Return the five values of a step; EnvironmentStepError where there are others."""
    if isinstance(result, tuple) and len(result) == 5:
        return result
    came = f"{len(result)} values" if isinstance(result, tuple) else _shown(result)
    expected = "(observation, reward, terminated, truncated, info)"
    _refuse("step", f"{came}: expected {expected}{OLD_API}")


def checked_batch(result: Any, num_envs: int) -> tuple[Any, ...]:
    """Return the step of a vector environment, with arrays (num_envs,) of rewards and ends."""
    observations, *numbers, infos = _checked_length(result)
    names = ("reward", "terminated", "truncated")
    arrays = [_per_env(*pair, num_envs) for pair in zip(numbers, names, strict=True)]
    return observations, *arrays, infos


def _per_env(values: Any, name: str, num_envs: int) -> np.ndarray:
    array = _array(values)
    if array is None or array.size != num_envs or array.shape[:1] != (num_envs,):
        expected = f"expected one for each of {num_envs} environments"
        hint = ONE_REWARD if name == "reward" else ""
        _refuse("step", f"the {name} {_shown(values)}: {expected}{hint}")
    return array.reshape(num_envs)


def unpacking_explained(error: Exception) -> EnvironmentStepError | None:
    """Return an error in place of that of a wrapper which took such a result to pieces."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    module = "" if place is None else place.tb_frame.f_globals.get("__name__", "")
    if "values to unpack" not in str(error) or not module.startswith("gymnasium."):
        return None
    return EnvironmentStepError(
        f"it returned a wrong number of values ({error}): expected (observation, reward, "
        f"terminated, truncated, info) of a step and (observation, info) of a reset{OLD_API}"
    )


def too_large(name: str, value: Any) -> str | None:
    """Return words for a number that float32 can't hold; None where there is none."""
    if isinstance(value, Mapping | tuple):
        parts = value.values() if isinstance(value, Mapping) else value
        return next(filter(None, (too_large(name, part) for part in parts)), None)
    numbers = np.asarray(value, np.float64).ravel()
    with np.errstate(over="ignore"):
        is_lost = np.isfinite(numbers) & ~np.isfinite(numbers.astype(np.float32))
    if not is_lost.any():
        return None
    return f"the {name} holds {numbers[is_lost][0]:g}, too large for float32 (3.4e+38)"


def _check_observation(observation: Any, space: Space) -> None:
    is_plain = (
        type(observation) is np.ndarray
        and observation.dtype == space.dtype
        and observation.shape == space.shape
    )
    if is_plain:
        return
    try:
        with np.errstate(over="raise"):
            check_observation(space, observation)
    except SpaceError as error:
        raise EnvironmentStepError(str(error)) from error
    except FloatingPointError:
        words = too_large("observation", observation)
        raise NotFiniteError(str(words), quantity="the observation") from None


def _number(value: Any) -> float:
    array = _array(value)
    if array is None or array.size != 1:
        _refuse("step", f"the reward {_shown(value)}: expected one number{ONE_REWARD}")
    return float(array.item())


def _end(value: Any, name: str) -> bool:
    array = _array(value)
    if array is None or array.size != 1 or array.item() not in (0, 1):
        _refuse("step", f"{_shown(value)} as {name}: expected true or false")
    return bool(array.item())


def _array(value: Any) -> np.ndarray | None:
    """Return an array of numbers; None for text, None, objects and ragged lists."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        return None
    return array if array.dtype.kind in NUMBERS else None


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray) and math.prod(value.shape) > 4:
        return f"an array of shape {value.shape}"
    return f"{value!r:.100}"


def _refuse(method: str, came: str) -> NoReturn:
    raise EnvironmentStepError(f"its {method} returned {came}")
