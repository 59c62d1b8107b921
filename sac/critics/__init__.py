"""Critics: how a value is read, how its error is measured, and how its target follows.

A critic is one class in a file of its own and one line in the table of `sac.agent.variants`.
"""

from sac.critics.continuous import ActionAsInput
from sac.critics.discrete import ActionAsOutput
from sac.spaces.actions import ActionCodec, DiscreteActions

ActionReading = ActionAsInput | ActionAsOutput

__all__ = ["ActionAsInput", "ActionAsOutput", "ActionReading", "reading_for"]


def reading_for(codec: ActionCodec, features: int) -> ActionReading:
    """Return how soft Q networks take this kind of actions."""
    if isinstance(codec, DiscreteActions):
        return ActionAsOutput(features, codec.n)
    return ActionAsInput(features, codec.size)
