"""Actions: what the policy gives, what the replay stores, what an environment takes.

A kind of actions is one class: it converts between the policy's units and the environment's.
"""

import numpy as np
from gymnasium import Space, spaces

from sac.errors import SpaceError
from sac.spaces.actions.array import Part
from sac.spaces.actions.box import BoxActions
from sac.spaces.actions.categories import CategoriesActions
from sac.spaces.actions.discrete import DiscreteActions
from sac.spaces.actions.parts import Leaf, PartsActions, named_leaves
from sac.spaces.actions.whole import WholeActions

ActionCodec = Leaf | PartsActions

SUPPORTED = (
    "Discrete, MultiDiscrete, MultiBinary, Box of float32, float64 or integers with finite bounds, "
    "and Dict or Tuple of these"
)

__all__ = ["ActionCodec", "DiscreteActions", "Part", "PartsActions", "action_codec"]


def action_codec(space: Space) -> ActionCodec:
    """Return the codec of an action space; raise SpaceError for one that is not supported."""
    if not isinstance(space, spaces.Dict | spaces.Tuple):
        return _leaf_codec(space, "")
    leaves = [(name, _leaf_codec(leaf, name)) for name, leaf in named_leaves(space)]
    names = [name for name, _ in leaves]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SpaceError(
            f"Two parts of the actions {space} are called {twice[0]!r} by their keys: expected "
            "keys without '/', and no number beside the same number as text. Rename one of them."
        )
    if not leaves:
        raise SpaceError(f"the action space {space} has no dimension to act in")
    return PartsActions(space, leaves)


def _leaf_codec(space: Space, name: str) -> Leaf:
    match space:
        case spaces.Discrete():
            return DiscreteActions(space)
        case spaces.MultiDiscrete() | spaces.MultiBinary():
            return CategoriesActions(space)
        case spaces.Box() if space.dtype in (np.float32, np.float64):
            return BoxActions(space)
        case spaces.Box() if np.issubdtype(space.dtype, np.integer):
            return WholeActions(space)
    part = f", the part '{name}'," if name else ""
    raise SpaceError(
        f"the action space {space}{part} is not supported: expected {SUPPORTED}; "
        "convert it with gymnasium.wrappers.TransformAction"
    )
