"""Snapshots of an environment's state: what changed in it since construction, and its generators.

The layers of a snapshot are mappings from attribute names to nodes, one for each wrapper, outermost
first.
"""

import contextlib
import copy
from collections import deque
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np

from sac.environments.rebuild.generators import load_generators, take_generators
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


def take_snapshot(env: gymnasium.Env, made: list[Layer]) -> dict[str, Any]:
    """Return a copy of what changed since the environment was `made`, and of its generators.

    What a constructor sets, another process sets anew, as it needs it: an address, a handle.
    """
    changes = [_changes(*pair) for pair in zip(read_layers(env), made, strict=True)]
    for layer, changed, first in zip(layers(env), changes, made, strict=True):
        changed |= dict.fromkeys(first.keys() - vars(layer).keys(), ABSENT)
    return {"layers": changes, "generators": take_generators(env)}


def load_snapshot(env: gymnasium.Env, snapshot: dict[str, Any], made: list[Layer]) -> list[str]:
    """Bring an environment with the same layers, which was reset before, to a snapshot.

    Only attributes that exist, or did after construction, and hold the same kind of value change:
    a stranger's snapshot can make an environment wrong, but nothing else. Returns the names of what
    was left as it is, since it looks bound to a process.
    """
    bound: list[str] = []
    for layer, saved, first in zip(layers(env), snapshot["layers"], made, strict=True):
        merged = _merged(first, saved)
        _load_presence(vars(layer), merged, first)
        load_attributes(vars(layer), merged)
        bound += [name for name, node in _named(saved) if kind_of(node) == "bound"]
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
    if kind_of(node) not in ("dict", "object"):
        return node
    [(kind, items)] = node.items()
    others = before[kind] if kind_of(before) == kind else {}
    return {kind: {name: _without_bound(n, others.get(name)) for name, n in items.items()}}


def _merged(made: Layer, changes: Layer) -> Layer:
    """Return what an environment was made with here, and in another process became since."""
    merged = {**made, **changes}
    for name, node in changes.items():
        before = made.get(name)
        if kind_of(node) == kind_of(before) == "object":
            merged[name] = {"object": _merged(before["object"], node["object"])}  # type: ignore[index]
        elif kind_of(node) == "object":
            merged[name] = {"new": node["object"]}
    return merged


def _named(layer: Layer) -> Iterator[tuple[str, Any]]:
    for name, node in layer.items():
        yield name, node
        if isinstance(node, dict):
            for kind in ("dict", "object"):
                yield from _named(node.get(kind, {}))


def load_attributes(values: Layer, saved: Layer) -> None:
    """Set the attributes in `values` that exist, and hold the same kind of value, to nodes."""
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
            if kind_of(current) == kind_of(node) or current is None or node is None:
                values[name] = _loaded(values[name], node)


def _current(name: str, value: Any) -> Any:
    return {"list": value} if isinstance(value, list) else node_of(name, value)  # however long


def _loaded(current: Any, node: Any) -> Any:
    """Return the value of a node; an array of the same shape changes in place."""
    if isinstance(current, np.ndarray) and isinstance(node, np.ndarray):
        if current.shape == node.shape and current.flags.writeable:
            current[...] = node
            return current
    return _built(node, current)


def _built(node: Any, current: Any) -> Any:
    """Return a value of its own, which takes over from the current one what no node holds."""
    if not isinstance(node, dict):
        return node.copy() if isinstance(node, np.ndarray) else node
    before = dict(_items(current))
    match node:
        case {"list": np.ndarray() as numbers}:
            return numbers.tolist()
        case {"list": items}:
            return [_built(item, before.get(i)) for i, item in enumerate(items)]
        case {"tuple": items}:
            return tuple(_built(item, before.get(i)) for i, item in enumerate(items))
        case {"deque": items, "maxlen": maxlen}:
            built = (_built(item, before.get(i)) for i, item in enumerate(items))
            return deque(built, maxlen)
        case {"dict": items}:
            return {key: _built(item, before.get(key)) for key, item in items.items()}
    return _kept(node, current)


def _kept(node: Any, current: Any) -> Any:
    """Return an object, in which its attributes are set, or what a node can't hold."""
    if "bound" not in node and current is None:
        raise NotPlain
    match node:
        case {"object": attributes}:
            load_attributes(vars(current), attributes)
        case {"new": attributes}:
            # Not in place: it may be one of those that an environment chooses among in its resets.
            current = copy.copy(current)
            arrays = {n: v.copy() for n, v in vars(current).items() if isinstance(v, np.ndarray)}
            vars(current).update(arrays)
            load_attributes(vars(current), attributes)
    return current


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list | tuple | deque):
        yield from enumerate(value)
