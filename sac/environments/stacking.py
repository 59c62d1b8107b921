"""Recognition of stacked frames, which the replay then stores once."""

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.wrappers import FrameStackObservation, MaxAndSkipObservation, RepeatAction

from sac.spaces.stacks import PADDINGS, StackedBox

# Wrappers that change a stack, or skip some: the next stack is not this one and a new frame.
OTHERS = (gymnasium.ObservationWrapper, MaxAndSkipObservation, RepeatAction)


def with_stacks_told(env: gymnasium.Env) -> gymnasium.Env:
    """Return an environment whose observation space tells that FrameStackObservation made it.

    It is told of a Box of several frames, padded by the first of an episode or by zeros, which no
    wrapper around it changes again or skips.
    """
    stack = _outermost_stack(env)
    if stack is not None and stack.stack_size > 1 and stack.padding_type in PADDINGS:
        space = stack.observation_space
        # Of bounds without 0, what is nearest to it stands for zeros.
        is_padded = stack.padding_type == "reset" or not np.any(stack.padding_value)
        if isinstance(space, spaces.Box) and is_padded:
            stack.observation_space = StackedBox.of(space, stack.padding_type)  # type: ignore[arg-type]
    return env


def _outermost_stack(env: gymnasium.Env) -> FrameStackObservation | None:
    while isinstance(env, gymnasium.Wrapper):
        if isinstance(env, FrameStackObservation):
            return env
        if isinstance(env, OTHERS) or env._observation_space is not None:
            return None
        env = env.env
    return None
