"""Snapshots of an environment's state: what changed in it since construction, and its generators.

The layers of a snapshot are mappings from attribute names to nodes, one for each wrapper, outermost
first.
"""

import contextlib
import copy
from collections import deque
from collections.abc import Callable, Collection, Iterator
from enum import Enum
from typing import Any

import gymnasium
import numpy as np

from sac.environments.rebuild.generators import load_generators, places, take_generators
from sac.environments.rebuild.made import Made, Place
from sac.environments.rebuild.nodes import (
    ABSENT,
    BOUND,
    ELSEWHERE,
    Layer,
    NotPlain,
    is_process_bound,
    is_same,
    kind_of,
    layers,
    node_of,
    read_layers,
)
from sac.environments.rebuild.sharing import Sharing, take_sharing


def take_snapshot(env: gymnasium.Env, made: list[Made]) -> dict[str, Any]:
    """Return a copy of what changed since the environment was `made`, and of its generators.

    What a constructor sets, another process sets anew, as it needs it: an address, a handle.
    """
    nodes = [layer.nodes for layer in made]
    read = read_layers(env)
    changes = [_changes(*pair) for pair in zip(read, nodes, strict=True)]
    for layer, changed, first in zip(layers(env), changes, nodes, strict=True):
        changed |= dict.fromkeys(first.keys() - vars(layer).keys(), ABSENT)
    everywhere = list(places(list(layers(env))))
    return {
        "layers": changes,
        "sharing": take_sharing(env, read, everywhere, made),
        "generators": take_generators(everywhere),
    }


def load_snapshot(env: gymnasium.Env, snapshot: dict[str, Any], made: list[Made]) -> list[str]:
    """Bring an environment with the same layers, which was reset before, to a snapshot.

    Only attributes that exist, or did after construction, and hold the same kind of value change:
    a stranger's snapshot can make an environment wrong, but nothing else. Returns the names of what
    was left as it is, since it looks bound to a process.
    """
    bound: list[str] = []
    sharing = Sharing(env, snapshot.get("sharing", {}), made)
    for i, (layer, saved) in enumerate(zip(layers(env), snapshot["layers"], strict=True)):
        first = made[i].nodes
        merged = _merged(first, saved)
        _load_presence(vars(layer), merged, first)
        load_attributes(vars(layer), merged, sharing.kept, (i,))
        bound += [name for name, node in _named(saved) if kind_of(node) == "bound"]
    sharing.load()
    load_generators(env, snapshot["generators"])
    return bound


def _changes(now: Layer, made: Layer) -> Layer:
    changes = {}
    for name, node in now.items():
        before = made.get(name, ELSEWHERE)
        if is_same(node, before):
            continue
        if kind_of(node) == kind_of(before) == "object":
            changes[name] = {"object": _changes(node["object"], before["object"])}
        else:
            changes[name] = _without_bound(node, before)
    return changes


def _load_presence(values: Layer, saved: Layer, made: Layer) -> None:
    """Take out of `values` what is absent in `saved`, and put back what only `values` lacks."""
    for name, first in made.items():
        if is_same(saved[name], ABSENT):
            values.pop(name, None)
        elif name not in values and kind_of(saved[name]) == kind_of(first) != "bound":
            with contextlib.suppress(NotPlain):
                values[name] = _built(saved[name], None)


def _without_bound(node: Any, before: Any) -> Any:
    """Return a node in which what is bound to the process has no value, only that it changed."""
    if kind_of(node) == "bound":
        return ELSEWHERE if is_same(node, before) else BOUND
    if kind_of(node) not in ("dict", "object") or "items" in node:
        return node
    [(kind, items)] = node.items()
    others = before.get(kind, {}) if isinstance(before, dict) else {}
    return {kind: {name: _without_bound(n, others.get(name)) for name, n in items.items()}}


def _merged(made: Layer, changes: Layer) -> Layer:
    """Return what an environment was made with here, and in another process became since."""
    merged = {**made, **changes}
    for name, node in changes.items():
        before = made.get(name)
        if kind_of(node) == kind_of(before) == "object":
            merged[name] = {"object": _merged(before["object"], node["object"])}  # type: ignore[index]
    return merged


def _named(layer: Layer) -> Iterator[tuple[str, Any]]:
    for name, node in layer.items():
        yield name, node
        if isinstance(node, dict):
            for kind in ("dict", "object"):
                yield from _named(node.get(kind, {}))


def load_attributes(
    values: Layer, saved: Layer, kept: Collection[Place] = (), place: Place = ()
) -> None:
    """Set the attributes in `values` that exist, and hold the same kind of value, to nodes.

    Arrays and objects change in place where `kept` says so, by the way from `place`.
    """
    # By the dictionary, as an object may be frozen or check what is assigned.
    for name, node in saved.items():
        if name not in values or is_process_bound(name, values[name]):
            continue
        with contextlib.suppress(NotPlain):
            if node is None or is_same(node, {"list": []}):
                # What would be lost may still be in use elsewhere, as Box2D's bodies in its world,
                # which a reset takes out by this list.
                node_of(name, values[name])
            current = _current(name, values[name])
            is_new = current is None and not isinstance(node, str)  # text may be a mode, left out
            if kind_of(current) == kind_of(node) or is_new or node is None:
                values[name] = _built(node, values[name], kept, (*place, name))


def _current(name: str, value: Any) -> Any:
    return {"list": value} if isinstance(value, list) else node_of(name, value)  # however long


def _built(node: Any, current: Any, kept: Collection[Place] = (), place: Place = ()) -> Any:
    """Return the value of a node, which takes over from the current one what no node holds."""
    if isinstance(node, np.ndarray):
        return _array(node, current, is_kept=place in kept)
    match node:
        case {"object": attributes} if current is not None:
            own = current if place in kept else _copied(current)
            load_attributes(vars(own), attributes, kept, place)
            return own
        case {"bound": _}:
            return current
        case {"object": _} | {"elsewhere": _} | {"absent": _}:
            if current is None:
                raise NotPlain
            return current
        case dict():
            return _container(node, current, kept, place)
    return node


def _container(node: Any, current: Any, kept: Collection[Place], place: Place) -> Any:
    before = dict(_items(current))

    def built(key: Any, item: Any) -> Any:
        return _built(item, before.get(key), kept, (*place, key))

    match node:
        case {"list": np.ndarray() as numbers}:
            return numbers.tolist()
        case {"list": items}:
            return [built(*pair) for pair in enumerate(items)]
        case {"tuple": items}:
            return tuple(built(*pair) for pair in enumerate(items))
        case {"deque": items, "maxlen": maxlen}:
            return deque((built(*pair) for pair in enumerate(items)), maxlen)
        case {"dict": items}:
            return _filled(current, {key: built(key, item) for key, item in items.items()})
        case {"items": items}:
            pairs = [(_built(key, None), item) for key, item in items]
            return _filled(current, {key: built(key, item) for key, item in pairs})
    return _of_a_class(node, current, built)


def _of_a_class(node: Any, current: Any, built: Callable[[Any, Any], Any]) -> Any:
    """Return a value whose class only the current one tells; NotPlain where it does not."""
    match node:
        case {"set": items}:
            return {_built(item, None) for item in items}
        case {"frozenset": items}:
            return frozenset(_built(item, None) for item in items)
        case {"named": items} if hasattr(current, "_make") and len(current) == len(items):
            return current._make(built(*pair) for pair in enumerate(items))
        case {"enum": name} if isinstance(current, Enum) and name in type(current).__members__:
            return type(current)[name]
    raise NotPlain


def _filled(current: Any, items: dict[Any, Any]) -> Any:
    """Return a dict of the current one's class, which may count or have defaults."""
    if not isinstance(current, dict) or type(current) is dict:
        return items
    filled = _copied(current)
    filled.clear()
    filled.update(items)
    return filled


def _copied(value: Any) -> Any:
    try:
        return copy.copy(value)
    except TypeError as error:  # as of what only C can make
        raise NotPlain from error


def _array(node: np.ndarray, current: Any, *, is_kept: bool) -> np.ndarray:
    if is_kept and isinstance(current, np.ndarray) and current.flags.writeable:
        if (current.shape, current.dtype) == (node.shape, node.dtype):
            current[...] = node
            return current
    return node.copy()


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list | tuple | deque):
        yield from enumerate(value)
