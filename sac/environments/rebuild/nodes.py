"""An environment's plain state as nodes, which JSON and arrays can hold, without pickle.

A node is None, a bool, a number or an array itself, or a mapping whose key says what it holds:
list, tuple, deque, set, dict, named (a named tuple), enum or object (an object's attributes; items
are a dict's whose keys are not all text); elsewhere is a generator, bound what
only this process can use, and absent what is there after construction and was taken out since.
"""

import re
from collections import deque
from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec

from sac.environments.rebuild.generators import AnyGenerator

MAX_ARRAY_BYTES = 2**20  # larger arrays are maps or textures, and would slow every reset
MAX_ITEMS = 1024  # more, of an attribute, are histories that grow without end
MAX_DEPTH = 4
NUMBERS = "biuf"  # kinds of dtypes
WHOLE = (int, np.integer)
# Text only where it is one word: no path, address, command or code, which a checkpoint must not be
# able to change.
TEXT = re.compile(r"(\w[\w-]{0,63})?")
FILE_WORDS = frozenset("dir directory file folder path render".split())
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
def _words(name: str) -> frozenset[str]:
    return frozenset(word.lower().removesuffix("s") for word in WORD.findall(name))


def _is_of_processes(name: str) -> bool:
    return bool(_words(name) & PROCESS_WORDS)


def kind_of(node: Any) -> Any:
    """Return what a node holds, such as `number` or `dict`."""
    if isinstance(node, dict):
        kind = next(iter(node))
        return "dict" if kind == "items" else kind
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
    if isinstance(value, str) and _words(name) & FILE_WORDS:
        raise NotPlain
    return {"bound": value} if is_process_bound(name, value) else _node(value, budget, depth)


def _node(value: Any, budget: list[int], depth: int) -> Any:
    # By the very type: what is derived from it would come back as the plain one.
    if value is None or type(value) in (bool, int, float, np.float64):
        return value
    if type(value) is str and TEXT.fullmatch(value):
        return value
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind not in NUMBERS or value.nbytes > MAX_ARRAY_BYTES:
            raise NotPlain
        return value.copy()
    if isinstance(value, AnyGenerator | gymnasium.Space):
        return ELSEWHERE
    others = gymnasium.Env | gymnasium.vector.VectorEnv | EnvSpec | int | float | str | bytes | type
    if isinstance(value, Enum):
        if value.name not in type(value).__members__:  # as of two flags together
            raise NotPlain
        return {"enum": value.name}
    if isinstance(value, others) or depth >= MAX_DEPTH:
        raise NotPlain
    return _container(value, budget, depth + 1)


def _key(value: Any) -> Any:
    """Return the node of a key or of an item of a set, which must not change."""
    if type(value) in (tuple, frozenset):
        return {type(value).__name__: [_key(item) for item in value]}
    if isinstance(value, np.generic) or value is None or type(value) in (bool, int, float, str):
        return _node(value, [0], 0)
    raise NotPlain


def _container(value: Any, budget: list[int], depth: int) -> Any:
    if isinstance(value, list | tuple | deque | dict | set | frozenset):
        budget[0] -= len(value)
        if budget[0] < 0:
            raise NotPlain
    match value:
        case deque() if type(value) is deque:
            return {"deque": [_node(v, budget, depth) for v in value], "maxlen": value.maxlen}
        case list() if type(value) is list:
            return {"list": [_node(item, budget, depth) for item in value]}
        case tuple() if type(value) is tuple or hasattr(value, "_make"):
            kind = "tuple" if type(value) is tuple else "named"
            return {kind: [_node(item, budget, depth) for item in value]}
        case deque() | list() | tuple():
            raise NotPlain
        case dict() | set() | frozenset():
            return _keyed(value, budget, depth)
    own = getattr(value, "__dict__", None)
    if not isinstance(own, dict) or not own:
        raise NotPlain
    return {"object": _attributes(own, budget, is_strict=True, depth=depth)}


def _keyed(value: Any, budget: list[int], depth: int) -> Any:
    if type(value) in (set, frozenset):
        return {type(value).__name__: [_key(item) for item in value]}
    if not isinstance(value, dict):
        raise NotPlain
    if all(isinstance(key, str) for key in value):
        return {"dict": {k: _named_node(k, v, budget, depth) for k, v in value.items()}}
    return {"items": [[_key(k), _node(v, budget, depth)] for k, v in value.items()]}


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
