"""What an environment was made with: its nodes, and which arrays and objects these were."""

from collections import deque
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, ref

import gymnasium
import numpy as np

from sac.environments.rebuild.generators import AnyGenerator, follow, places
from sac.environments.rebuild.nodes import Layer, layers, read_layers
from sac.environments.rebuild.unsaved import Data, changed, read_data

Place = tuple[Any, ...]  # the number of a layer, and the way from there


class Made(NamedTuple):
    """A layer after its construction. The references are weak: a reset may free what they name."""

    nodes: Layer
    parts: dict[Place, Any]
    data: Data


_MADE: WeakKeyDictionary[Any, Made] = WeakKeyDictionary()  # an object's, as long as it lives


def read_made(env: gymnasium.Env) -> list[Made]:
    """Return each layer as it was when this was asked first: after construction.

    The user's own object may have been trained on since, by a run that now goes back or on.
    """
    both = zip(layers(env), read_layers(env), strict=True)
    found = [Made(nodes, {}, read_data(vars(layer))) for layer, nodes in both]
    for (layer, *way), value, _ in places(list(layers(env))):
        if is_shareable(value) and not isinstance(value, list | dict):  # which nothing can refer to
            found[layer].parts[tuple(way)] = _reference(value)
    return [_MADE.setdefault(*pair) for pair in zip(layers(env), found, strict=True)]


def unsaved(env: gymnasium.Env, made: list[Made]) -> list[str]:
    """Return the names of data that changed since construction, though no snapshot holds them."""
    each = zip(layers(env), read_layers(env), made, strict=True)
    return [
        name for layer, nodes, first in each for name in changed(vars(layer), first.data, nodes)
    ]


def _reference(value: Any) -> Any:
    try:
        return ref(value)
    except TypeError:
        return lambda: None


def kept_places(env: gymnasium.Env, made: list[Made]) -> set[Place]:
    """Return where there still is the very array or object that the constructor put there."""
    root = list(layers(env))
    parts = (
        ((i, *way), part()) for i, layer in enumerate(made) for way, part in layer.parts.items()
    )
    return {place for place, one in parts if one is not None and one is follow(root, place)}


def is_shareable(value: Any) -> bool:
    """Return whether a value may be changed in place, so that it matters who else has it."""
    if isinstance(value, np.ndarray | list | dict | set | deque):
        return True
    if isinstance(value, gymnasium.Env | gymnasium.vector.VectorEnv | gymnasium.Space):
        return False
    return hasattr(value, "__dict__") and not isinstance(value, AnyGenerator)
