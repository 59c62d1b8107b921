"""An environment's plain state as nodes, which JSON and arrays can hold, without pickle.

A node is None, a bool, a number or an array itself, or a mapping whose key says what it holds:
list, tuple, deque, dict or object (an object's attributes); elsewhere is a generator, bound what
only this process can use, and absent what is there after construction and was taken out since.
"""

import re
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import gymnasium
import numpy as np

from sac.environments.rebuild.generators import AnyGenerator

MAX_ARRAY_BYTES = 2**20  # larger arrays are maps or textures, and would slow every reset
MAX_ITEMS = 1024  # more, of an attribute, are histories that grow without end
MAX_DEPTH = 4
NUMBERS = "biuf"  # kinds of dtypes
WHOLE = (int, np.integer)
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
PROCESS_WORDS = frozenset(
    "address addr client conn connection context ctx display fd fileno handle pid pointer port "
    "process ptr server session sock socket thread window".split()
)
POINTERS = range(2**40, 2**48)  # where the memory of a process lies
ELSEWHERE, BOUND, ABSENT = {"elsewhere": True}, {"bound": True}, {"absent": True}

Layer = dict[str, Any]


class NotPlain(Exception):
    """A value that a snapshot leaves out."""


def read_layers(env: gymnasium.Env) -> list[Layer]:
    """Return the nodes of what is plain in an environment and each of its wrappers."""
    return [_attributes(vars(layer), [MAX_ITEMS], is_strict=False) for layer in layers(env)]


def layers(env: Any) -> Iterator[Any]:
    """Yield the wrappers of an environment, outermost first, and itself."""
    while isinstance(env, gymnasium.Wrapper | gymnasium.vector.VectorWrapper):
        yield env
        env = env.env
    yield env


def node_of(name: str, value: Any) -> Any:
    """Return the node of an attribute; NotPlain where it has none."""
    return _named_node(name, value, [MAX_ITEMS], 0)


def is_plain(name: str, value: Any) -> bool:
    """Return whether an attribute holds plain values alone, good for any process."""
    try:
        return kind_of(node_of(name, value)) not in ("bound", "elsewhere", "object")
    except NotPlain:
        return False


def is_process_bound(name: str, value: Any) -> bool:
    """Return whether whole numbers look as if they meant something in their own process alone.

    The name says so, or the number points into memory.
    """
    if isinstance(value, list | tuple):
        are_whole = (isinstance(item, WHOLE) and not isinstance(item, bool) for item in value)
        return bool(value) and _is_of_processes(name) and all(are_whole)
    if not isinstance(value, WHOLE) or isinstance(value, bool):
        return False
    return _is_of_processes(name) or int(value) in POINTERS


@lru_cache(maxsize=10_000)
def _is_of_processes(name: str) -> bool:
    words = {word.lower().removesuffix("s") for word in WORD.findall(name)}
    return bool(words & PROCESS_WORDS)


def kind_of(node: Any) -> Any:
    """Return what a node holds, such as `number` or `dict`."""
    if isinstance(node, dict):
        return next(iter(node))
    # A statistic may begin as a whole number or a 0-d array and become another.
    is_number = isinstance(node, int | float | np.ndarray | np.generic)
    return "number" if is_number else type(node)


def is_same(one: Any, other: Any) -> bool:
    """Return whether two nodes hold the same."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray | np.generic):
        same_layout = (one.dtype, one.shape) == (other.dtype, other.shape)
        return same_layout and one.tobytes() == other.tobytes()
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(is_same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return bool(one == other)


def _attributes(values: Layer, budget: list[int], *, is_strict: bool, depth: int = 0) -> Layer:
    nodes = {}
    for name, value in values.items():
        if not is_strict:
            budget = [MAX_ITEMS]  # of its own
        try:
            nodes[name] = _named_node(name, value, budget, depth)
        except NotPlain:
            if is_strict:
                raise
            if isinstance(value, list) and (array := _numbers(value)) is not None:
                nodes[name] = {"list": array}
    return nodes


def _named_node(name: str, value: Any, budget: list[int], depth: int) -> Any:
    return {"bound": value} if is_process_bound(name, value) else _node(value, budget, depth)


def _node(value: Any, budget: list[int], depth: int) -> Any:
    # Not text: it names files and modes, which a checkpoint must not be able to change.
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind not in NUMBERS or value.nbytes > MAX_ARRAY_BYTES:
            raise NotPlain
        return value.copy()
    if isinstance(value, AnyGenerator | gymnasium.Space):
        return ELSEWHERE
    if isinstance(value, gymnasium.Env | gymnasium.vector.VectorEnv) or depth >= MAX_DEPTH:
        raise NotPlain
    return _container(value, budget, depth + 1)


def _container(value: Any, budget: list[int], depth: int) -> Any:
    if isinstance(value, list | tuple | deque | dict):
        budget[0] -= len(value)
        if budget[0] < 0:
            raise NotPlain
    match value:
        case deque():
            return {"deque": [_node(v, budget, depth) for v in value], "maxlen": value.maxlen}
        case list():
            return {"list": [_node(item, budget, depth) for item in value]}
        case tuple() if type(value) is tuple:
            return {"tuple": [_node(item, budget, depth) for item in value]}
        case dict() if all(isinstance(key, str) for key in value):
            nodes = {k: _named_node(k, v, budget, depth) for k, v in value.items()}
            return {"dict": nodes}
        case dict() | tuple() | type():
            raise NotPlain
    own = getattr(value, "__dict__", None)
    if not isinstance(own, dict) or not own:
        raise NotPlain
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
