"""Snapshots of an environment's state: the generators, numbers and arrays in its layers.

A snapshot is a tree of JSON values and NumPy arrays, which needs no pickle: a list of mappings from
attribute names to nodes, one for each layer, outermost first. A node is None, a bool, a number or
an array itself, or a mapping whose key says what it holds: list, tuple, deque, dict, generator or
object (an object's attributes).
"""

import contextlib
from collections import deque
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
from numpy.random import PCG64, Generator, RandomState

from sac.seeding import generator_to_json

MAX_ARRAY_BYTES = 2**20  # larger arrays are maps or textures, and would slow every reset
MAX_ITEMS = 1024  # longer lists are histories that grow without end
MAX_DEPTH = 4
NUMBERS = "biuf"  # kinds of dtypes

Layer = dict[str, Any]


class _NotPlain(Exception):
    """A value that a snapshot leaves out."""


def take_snapshot(env: gymnasium.Env) -> list[Layer]:
    """Return a copy of what can be read of an environment and each of its wrappers."""
    return [_attributes(vars(layer), is_strict=False) for layer in _layers(env)]


def load_snapshot(env: gymnasium.Env, layers: list[Layer]) -> None:
    """Load a snapshot into an environment with the same layers.

    Only attributes that exist and hold the same kind of value change: a stranger's snapshot can
    make an environment wrong, but nothing else.
    """
    for layer, saved in zip(_layers(env), layers, strict=True):
        _load_attributes(vars(layer), saved)


def _layers(env: Any) -> Iterator[Any]:
    while isinstance(env, gymnasium.Wrapper):
        yield env
        env = env.env
    yield env


def _attributes(values: dict[str, Any], *, is_strict: bool, depth: int = 0) -> Layer:
    nodes = {}
    for name, value in values.items():
        try:
            nodes[name] = _node(value, depth)
        except _NotPlain:
            if is_strict:
                raise
    return nodes


def _node(value: Any, depth: int) -> Any:
    # Not text: it names files and modes, which a checkpoint must not be able to change.
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind not in NUMBERS or value.nbytes > MAX_ARRAY_BYTES:
            raise _NotPlain
        return value.copy()
    if isinstance(value, Generator):
        return {"generator": generator_to_json(value)}
    if isinstance(value, RandomState):
        return {"generator": dict(value.get_state(legacy=False))}
    if isinstance(value, gymnasium.Env | gymnasium.vector.VectorEnv) or depth >= MAX_DEPTH:
        raise _NotPlain
    if isinstance(value, gymnasium.Space):
        own = {"_np_random": vars(value).get("_np_random")}
        return {"object": _attributes(own, is_strict=True)}
    return _container(value, depth + 1)


def _container(value: Any, depth: int) -> Any:
    if isinstance(value, list | tuple | deque | dict) and len(value) > MAX_ITEMS:
        raise _NotPlain
    match value:
        case deque():
            return {"deque": [_node(item, depth) for item in value], "maxlen": value.maxlen}
        case list():
            return {"list": [_node(item, depth) for item in value]}
        case tuple() if type(value) is tuple:
            return {"tuple": [_node(item, depth) for item in value]}
        case dict() if all(isinstance(key, str) for key in value):
            return {"dict": {key: _node(item, depth) for key, item in value.items()}}
        case dict() | tuple() | type():
            raise _NotPlain
    attributes = getattr(value, "__dict__", None)
    if not isinstance(attributes, dict) or not attributes:
        raise _NotPlain
    return {"object": _attributes(attributes, is_strict=True, depth=depth)}


def _load_attributes(values: dict[str, Any], saved: Layer) -> None:
    # By the dictionary, as an object may be frozen or check what is assigned.
    for name, node in saved.items():
        if name not in values:
            continue
        with contextlib.suppress(_NotPlain):
            current = _node(values[name], 0)
            if _kind(current) == _kind(node) or current is None or node is None:
                values[name] = _loaded(values[name], node)


def _kind(node: Any) -> Any:
    if isinstance(node, dict):
        return next(iter(node))
    # A statistic may begin as a whole number or a 0-d array and become another.
    is_number = isinstance(node, int | float | np.ndarray | np.generic)
    return "number" if is_number else type(node)


def _loaded(current: Any, node: Any) -> Any:
    """Return the value of a node; an array of the same shape changes in place."""
    if isinstance(current, np.ndarray) and isinstance(node, np.ndarray):
        if current.shape == node.shape and current.flags.writeable:
            current[...] = node
            return current
    match node:
        case {"generator": state}:
            return _with_state(current, state)
        case {"object": attributes} if current is not None:
            _load_attributes(vars(current), attributes)
            return current
    return _built(node)


def _built(node: Any) -> Any:
    if not isinstance(node, dict):
        return node.copy() if isinstance(node, np.ndarray) else node
    match next(iter(node)):
        case "list":
            return [_built(item) for item in node["list"]]
        case "tuple":
            return tuple(_built(item) for item in node["tuple"])
        case "dict":
            return {key: _built(item) for key, item in node["dict"].items()}
        case "deque":
            return deque(map(_built, node["deque"]), node["maxlen"])
    raise _NotPlain


def _with_state(current: Any, state: dict[str, Any]) -> Any:
    """Return the generator in a state; Gymnasium makes its own, of PCG64, at first use."""
    if current is None:
        current = Generator(PCG64())
    if isinstance(current, RandomState):
        current.set_state(state)
    else:
        current.bit_generator.state = state
    return current
