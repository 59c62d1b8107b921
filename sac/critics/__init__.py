"""Critics: how a value is read, how its error is measured, and how its target follows.

A critic is one class in a file of its own and one line in the table of `sac.agent.variants`.
"""

import math

from sac.critics.continuous import ActionAsInput
from sac.critics.discrete import ActionAsOutput, ChoicesAsInput, ChoicesAsOutput
from sac.spaces.actions import ActionCodec, DiscreteActions

ActionReading = ActionAsInput | ActionAsOutput | ChoicesAsInput | ChoicesAsOutput
JOINT_LIMIT = 256  # joint choices that are summed over; above, a sample stands for them

__all__ = ["JOINT_LIMIT", "ActionAsInput", "ActionReading", "is_summed", "reading_for"]


def is_summed(codec: ActionCodec, *, gives_values: bool) -> bool:
    """Return whether the expectation over categories is a sum, as in policy and critic alike.

    `gives_values`: a network of the critic gives plain values, not distributions.
    """
    is_single = isinstance(codec, DiscreteActions)  # its network has an output for each anyway
    is_small = 0 < len(codec.categories) and math.prod(codec.categories) <= JOINT_LIMIT
    return gives_values and (is_single or is_small)


def reading_for(codec: ActionCodec, features: int, *, is_exact: bool) -> ActionReading:
    """Return how soft Q networks take this kind of actions; `is_exact`: categories as outputs."""
    if not codec.categories:
        return ActionAsInput(features, codec.size)
    if not is_exact:
        return ChoicesAsInput(features, codec.continuous, codec.categories)
    if isinstance(codec, DiscreteActions):
        return ActionAsOutput(features, codec.n)
    return ChoicesAsOutput(features, codec.continuous, codec.categories)
