"""Actions: what the policy gives, what the replay stores, what an environment takes.

A kind of actions is one class: it converts between the policy's units and the environment's.
"""

import numpy as np
from gymnasium import Space, spaces

from sac.errors import SpaceError
from sac.spaces.actions.box import BoxActions
from sac.spaces.actions.discrete import DiscreteActions

ActionCodec = BoxActions | DiscreteActions

SUPPORTED = "Discrete, or Box of float32 or float64 with finite bounds"

__all__ = ["ActionCodec", "BoxActions", "DiscreteActions", "action_codec"]


def action_codec(space: Space) -> ActionCodec:
    """Return the codec of an action space; raise SpaceError for one that is not supported."""
    if isinstance(space, spaces.Discrete):
        return DiscreteActions(space)
    if isinstance(space, spaces.Box) and space.dtype in (np.float32, np.float64):
        return BoxActions(space)
    raise SpaceError(
        f"the action space {space} is not supported: expected {SUPPORTED}; "
        "convert it with gymnasium.wrappers.TransformAction"
    )
