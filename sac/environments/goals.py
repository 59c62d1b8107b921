"""What an environment says of goals: the reward where one was reached in place of another.

Gymnasium-Robotics' interface: a Dict observation with `observation`, `achieved_goal` and
`desired_goal`, and `compute_reward(achieved_goal, desired_goal, info)`, maybe `compute_terminated`.
"""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import NDArray

from sac.environments.rebuild.nodes import layers
from sac.errors import ConfigError, told

KEY = "train.hindsight"
ACHIEVED, DESIRED = "achieved_goal", "desired_goal"
PARTS = ("observation", ACHIEVED, DESIRED)
TRIED = 8  # pairs of goals, of which half are reached
SEED = 0


class GoalFunction:
    """A function of achieved and desired goals, each (n, size), with an empty info.

    It is called for a batch at once where that gives what single calls give, else row by row.
    """

    def __init__(self, function: Callable[..., Any], space: Space, dtype: Any) -> None:
        """Try it on random goals of the space; ConfigError where it can't be called."""
        self._function = function
        self._space, self._dtype = space, dtype
        achieved, desired = _random_goals(space)
        try:
            single = self._row_by_row(achieved, desired)
        except Exception as error:  # whatever an environment may raise
            raise ConfigError(
                f"{KEY}: {function.__name__} of the environment fails for an info without entries "
                f"(what an info holds is not stored): {told(error)}"
            ) from error
        self._call = self._at_once if self._agrees(achieved, desired, single) else self._row_by_row

    def __call__(self, achieved: NDArray[Any], desired: NDArray[Any]) -> NDArray[Any]:
        """Return the values (n,)."""
        return self._call(self._goals(achieved), self._goals(desired))

    def _goals(self, stored: NDArray[Any]) -> NDArray[Any]:
        return stored.reshape(-1, *(self._space.shape or ())).astype(self._space.dtype)

    def _row_by_row(self, achieved: NDArray[Any], desired: NDArray[Any]) -> NDArray[Any]:
        values = [self._function(*pair, {}) for pair in zip(achieved, desired, strict=True)]
        return np.array(values, self._dtype).reshape(len(values))

    def _at_once(self, achieved: NDArray[Any], desired: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(self._function(achieved, desired, {}), self._dtype)

    def _agrees(self, achieved: Any, desired: Any, single: NDArray[Any]) -> bool:
        try:
            values = self._at_once(achieved, desired)
        except Exception:  # of a function that was written for single goals
            return False
        return values.shape == single.shape and np.allclose(values, single)


def goal_functions(env: Any) -> tuple[GoalFunction, GoalFunction | None]:
    """Return the reward and, where the environment has it, the end of what is achieved.

    `env` is one environment with its wrappers. ConfigError where it has no goals of this kind.
    """
    space = goal_space(env.observation_space)
    owner = next((one for one in layers(env) if hasattr(one, "compute_reward")), None)
    if owner is None:
        raise ConfigError(
            f"{KEY}: expected an environment with compute_reward(achieved_goal, desired_goal, "
            f"info), as Gymnasium-Robotics' have, got {env.unwrapped}"
        )
    inner = owner.observation_space
    if not isinstance(inner, spaces.Dict) or inner.get(ACHIEVED, space).shape != space.shape:
        raise ConfigError(
            f"{KEY}: expected goals as compute_reward takes them, got {space} of {inner}: leave "
            "out the wrapper that changes them, such as FrameStackObservation"
        )
    ends = getattr(owner, "compute_terminated", None)
    reward = GoalFunction(owner.compute_reward, space, np.float32)
    return reward, None if ends is None else GoalFunction(ends, space, np.bool_)


def goal_space(observation_space: Space) -> Space:
    """Return the space of the goals in an observation; ConfigError where it has none."""
    if not isinstance(observation_space, spaces.Dict) or not observation_space.keys() >= set(PARTS):
        raise ConfigError(
            f"{KEY}: expected a Dict observation with {', '.join(PARTS)}, got {observation_space}"
        )
    achieved, desired = observation_space[ACHIEVED], observation_space[DESIRED]
    if not isinstance(achieved, spaces.Box | spaces.MultiBinary) or achieved.shape != desired.shape:
        raise ConfigError(
            f"{KEY}: expected goals of Box or MultiBinary, achieved and desired ones alike, got "
            f"{achieved} and {desired}"
        )
    return achieved


def _random_goals(space: Space) -> tuple[NDArray[Any], NDArray[Any]]:
    space = copy.deepcopy(space)
    space.seed(SEED)
    achieved, desired = (np.stack([space.sample() for _ in range(TRIED)]) for _ in range(2))
    desired[: TRIED // 2] = achieved[: TRIED // 2]
    return achieved, desired
