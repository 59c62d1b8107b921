"""Snapshots of an environment's state: the numbers, arrays and generators that it reaches.

A snapshot is a tree of JSON values and NumPy arrays, which needs no pickle. Its layers are mappings
from attribute names to nodes, one for each wrapper, outermost first. A node is None, a bool, a
number or an array itself, or a mapping whose key says what it holds: list, tuple, deque, dict or
object (an object's attributes); elsewhere is a generator, and bound what only this process can use.
"""

import contextlib
import re
from collections import deque
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
from numpy.random import Generator, RandomState

from sac.environments.rebuild.generators import load_generators, take_generators

MAX_ARRAY_BYTES = 2**20  # larger arrays are maps or textures, and would slow every reset
MAX_ITEMS = 1024  # more, of an attribute, are histories that grow without end
MAX_DEPTH = 4
NUMBERS = "biuf"  # kinds of dtypes
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
PROCESS_WORDS = frozenset(
    "address addr client conn connection context ctx display fd fileno handle pid pointer port "
    "process ptr server session sock socket thread window".split()
)
POINTERS = range(2**40, 2**48)  # where the memory of a process lies
ELSEWHERE, BOUND = {"elsewhere": True}, {"bound": True}

Layer = dict[str, Any]


class _NotPlain(Exception):
    """A value that a snapshot leaves out."""


def read_layers(env: gymnasium.Env) -> list[Layer]:
    """Return the nodes of what is plain in an environment and each of its wrappers."""
    return [_attributes(vars(layer), [MAX_ITEMS], is_strict=False) for layer in layers(env)]


def take_snapshot(env: gymnasium.Env, made: list[Layer]) -> dict[str, Any]:
    """Return a copy of what changed since the environment was `made`, and of its generators.

    What a constructor sets, another process sets anew, as it needs it: an address, a handle.
    """
    layers = [_changes(*pair) for pair in zip(read_layers(env), made, strict=True)]
    return {"layers": layers, "generators": take_generators(env)}


def load_snapshot(env: gymnasium.Env, snapshot: dict[str, Any], made: list[Layer]) -> list[str]:
    """Bring an environment with the same layers, which was reset before, to a snapshot.

    Only attributes that exist and hold the same kind of value change: a stranger's snapshot can
    make an environment wrong, but nothing else. Returns the names of what was left as it is, since
    it looks bound to a process.
    """
    bound: list[str] = []
    for layer, saved, first in zip(layers(env), snapshot["layers"], made, strict=True):
        load_attributes(vars(layer), _merged(first, saved))
        bound += [name for name, node in _named(saved) if _kind(node) == "bound"]
    load_generators(env, snapshot["generators"])
    return bound


def is_plain(name: str, value: Any) -> bool:
    """Return whether an attribute holds plain values alone, good for any process."""
    try:
        return _kind(_bound_or_node(name, value, [MAX_ITEMS], 0)) not in (
            "bound",
            "elsewhere",
            "object",
        )
    except _NotPlain:
        return False


def is_process_bound(name: str, value: Any) -> bool:
    """Return whether whole numbers look as if they meant something in their own process alone.

    The name says so, or the number points into memory.
    """
    values = value if isinstance(value, list | tuple) and value else [value]
    if any(isinstance(v, bool) or not isinstance(v, int | np.integer) for v in values):
        return False
    words = {word.lower().removesuffix("s") for word in WORD.findall(name)}
    return bool(words & PROCESS_WORDS) or any(int(v) in POINTERS for v in values)


def layers(env: Any) -> Iterator[Any]:
    """Yield the wrappers of an environment, outermost first, and itself."""
    while isinstance(env, gymnasium.Wrapper | gymnasium.vector.VectorWrapper):
        yield env
        env = env.env
    yield env


def _attributes(values: Layer, budget: list[int], *, is_strict: bool, depth: int = 0) -> Layer:
    nodes = {}
    for name, value in values.items():
        if not is_strict:
            budget = [MAX_ITEMS]  # of its own
        try:
            nodes[name] = _bound_or_node(name, value, budget, depth)
        except _NotPlain:
            if is_strict:
                raise
            if isinstance(value, list) and (array := _numbers(value)) is not None:
                nodes[name] = {"list": array}
    return nodes


def _bound_or_node(name: str, value: Any, budget: list[int], depth: int) -> Any:
    return {"bound": value} if is_process_bound(name, value) else _node(value, budget, depth)


def _node(value: Any, budget: list[int], depth: int) -> Any:
    # Not text: it names files and modes, which a checkpoint must not be able to change.
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind not in NUMBERS or value.nbytes > MAX_ARRAY_BYTES:
            raise _NotPlain
        return value.copy()
    if isinstance(value, Generator | RandomState | gymnasium.Space):
        return ELSEWHERE
    if isinstance(value, gymnasium.Env | gymnasium.vector.VectorEnv) or depth >= MAX_DEPTH:
        raise _NotPlain
    return _container(value, budget, depth + 1)


def _container(value: Any, budget: list[int], depth: int) -> Any:
    if isinstance(value, list | tuple | deque | dict):
        budget[0] -= len(value)
        if budget[0] < 0:
            raise _NotPlain
    match value:
        case deque():
            return {"deque": [_node(v, budget, depth) for v in value], "maxlen": value.maxlen}
        case list():
            return {"list": [_node(item, budget, depth) for item in value]}
        case tuple() if type(value) is tuple:
            return {"tuple": [_node(item, budget, depth) for item in value]}
        case dict() if all(isinstance(key, str) for key in value):
            nodes = {k: _bound_or_node(k, v, budget, depth) for k, v in value.items()}
            return {"dict": nodes}
        case dict() | tuple() | type():
            raise _NotPlain
    own = getattr(value, "__dict__", None)
    if not isinstance(own, dict) or not own:
        raise _NotPlain
    return {"object": _attributes(own, budget, is_strict=True, depth=depth)}


def _numbers(value: list[Any]) -> np.ndarray | None:
    """Return a long list of numbers, or of lists of them, as an array; None where it is none."""
    first, size = value, 1
    while isinstance(first, list) and first:
        first, size = first[0], size * len(first)
    if not isinstance(first, int | float) or 8 * size > MAX_ARRAY_BYTES:
        return None
    try:
        array = np.array(value)
    except ValueError:  # lists of different lengths
        return None
    return array if array.dtype.kind in NUMBERS and array.nbytes <= MAX_ARRAY_BYTES else None


def _changes(now: Layer, made: Layer) -> Layer:
    changes = {}
    for name, node in now.items():
        before = made.get(name, ELSEWHERE)
        if _is_same(node, before):
            continue
        if _kind(node) == _kind(before) == "object":
            changes[name] = {"object": _changes(node["object"], before["object"])}
        else:
            changes[name] = _without_bound(node, before)
    return changes


def _without_bound(node: Any, before: Any) -> Any:
    """Return a node in which what is bound to the process has no value, only that it changed."""
    if _kind(node) == "bound":
        return ELSEWHERE if _is_same(node, before) else BOUND
    if _kind(node) not in ("dict", "object"):
        return node
    [(kind, items)] = node.items()
    others = before[kind] if _kind(before) == kind else {}
    return {kind: {name: _without_bound(n, others.get(name)) for name, n in items.items()}}


def _is_same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray | np.generic):
        same_layout = (one.dtype, one.shape) == (other.dtype, other.shape)
        return same_layout and one.tobytes() == other.tobytes()
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_is_same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return bool(one == other)


def _merged(made: Layer, changes: Layer) -> Layer:
    """Return what an environment was made with here, and in another process became since."""
    merged = {**made, **changes}
    for name, node in changes.items():
        before = made.get(name)
        if _kind(node) == _kind(before) == "object":
            merged[name] = {"object": _merged(before["object"], node["object"])}  # type: ignore[index]
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
        with contextlib.suppress(_NotPlain):
            current = _current(values[name])
            if _kind(current) == _kind(node) or current is None or node is None:
                values[name] = _loaded(values[name], node)


def _current(value: Any) -> Any:
    if isinstance(value, list):
        return {"list": value}  # however long
    return _node(value, [MAX_ITEMS], 0)


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
        case {"object": attributes} if current is not None:
            load_attributes(vars(current), attributes)
            return current
        case {"bound": _}:
            return current
        case {"elsewhere": _} if current is not None:
            return current
    raise _NotPlain


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list | tuple | deque):
        yield from enumerate(value)
