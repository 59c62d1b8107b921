"""What is one in an environment: an object in several places, an array in another's memory."""

import contextlib
from collections import deque
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np

from sac.environments.rebuild.generators import Found, follow
from sac.environments.rebuild.made import Made, Place, is_shareable, kept_places
from sac.environments.rebuild.nodes import Layer, NotPlain, is_same, layers, node_of


def take_sharing(
    env: gymnasium.Env, read: list[Layer], everywhere: list[Found], made: list[Made]
) -> dict[str, Any]:
    """Return the places of each shared object, of views, and of what is not the constructor's.

    `read` are the nodes of the layers, and `everywhere` are their `places`.
    """
    found: dict[int, tuple[Any, list[Place]]] = {}
    for path, value, is_first in everywhere:
        if id(value) in found:
            found[id(value)][1].append(tuple(path))
        elif (is_first or isinstance(value, np.ndarray)) and is_shareable(value):
            found[id(value)] = value, [tuple(path)]
    kept = kept_places(env, made)
    first = ((i, *way) for i, layer in enumerate(made) for way in layer.parts)
    groups = (group for _, group in found.values() if len(group) > 1)
    return {
        "replaced": [list(place) for place in first if place not in kept],
        # Others stay as they are, as a snapshot holds none of them.
        "shared": [list(map(list, group)) for group in groups if _is_held(group, read)],
        "views": list(_views(found)),
    }


def _is_held(group: list[Place], read: list[Layer]) -> bool:
    return any(len(place) > 1 and place[1] in read[place[0]] for place in group)


def _views(found: dict[int, tuple[Any, list[Place]]]) -> Iterator[dict[str, Any]]:
    for value, (place, *_) in found.values():
        base = value.base if isinstance(value, np.ndarray) else None
        while isinstance(base, np.ndarray) and isinstance(base.base, np.ndarray):
            base = base.base
        if isinstance(base, np.ndarray) and id(base) in found:
            yield {
                "place": list(place),
                "of": list(found[id(base)][1][0]),
                "offset": _address(value) - _address(base),
                "shape": list(value.shape),
                "strides": list(value.strides),
            }


def _address(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])


class Sharing:
    """Brings a saved sharing back, around the loading of the nodes.

    `kept` are the places of what the constructor put there, then as now: it is changed in place,
    as something that Python does not show, such as a simulator, may refer to it. All else is
    replaced, as it may be one of those that an environment chooses among, or a module's constant.
    """

    def __init__(self, env: gymnasium.Env, saved: dict[str, Any], made: list[Made]) -> None:
        self._root = list(layers(env))
        self._saved = saved
        replaced = set(map(tuple, saved.get("replaced", ())))
        self.kept = kept_places(env, made) - replaced
        groups = [[tuple(place) for place in group] for group in saved.get("shared", ())]
        self._before = [{place: follow(self._root, place) for place in group} for group in groups]

    def load(self) -> None:
        """Let what was one be one, where that was so here, too, or both hold the same."""
        for before in self._before:
            now = {place: follow(self._root, place) for place in before}
            was_one = len(set(map(id, before.values()))) == 1
            new = (place for place in before if now[place] is not before[place])
            kept = (place for place in before if place in self.kept)
            value = now[next(kept, next(new, next(iter(before))))]
            for place, other in now.items():
                if _fits(value, other) and (was_one or _is_like(value, other)):
                    self._put(place, value)
        for view in self._saved.get("views", ()):
            self._load_view(view)

    def _load_view(self, view: dict[str, Any]) -> None:
        value, base = (follow(self._root, view[key]) for key in ("place", "of"))
        if not (isinstance(value, np.ndarray) and isinstance(base, np.ndarray)):
            return
        if tuple(view["place"]) in self.kept or not base.flags.c_contiguous:
            return
        # NumPy refuses what lies outside of the base.
        with contextlib.suppress(ValueError, TypeError):
            layout = tuple(view["shape"]), value.dtype, base, view["offset"], view["strides"]
            again = np.ndarray(*layout)
            if is_same(again, value):
                self._put(tuple(view["place"]), again)

    def _put(self, place: Place, value: Any) -> None:
        *way, key = place
        owner = follow(self._root, way)
        if isinstance(owner, tuple):
            items = list(owner)
            items[key] = value
            again = owner._make(items) if hasattr(owner, "_make") else tuple(items)
            self._put(tuple(way), again)
        else:
            (owner if isinstance(owner, dict | list | deque) else vars(owner))[key] = value


def _fits(value: Any, other: Any) -> bool:
    return value is not other and type(value) is type(other) and is_shareable(value)


def _is_like(value: Any, other: Any) -> bool:
    try:
        return is_same(node_of("", value), node_of("", other))
    except NotPlain:
        return False
