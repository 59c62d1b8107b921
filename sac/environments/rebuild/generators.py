"""The random generators that an environment reaches, however deep they lie."""

import random
import types
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.random import Generator, RandomState

MAX_OBJECTS = 2000  # looked at in each reset, the nearest first
MAX_ITEMS = 1024
# What holds no generator, or one that others share.
LEAVES = (
    str,
    bytes,
    int,
    float,
    complex,
    np.generic,
    type,
    types.NoneType,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
)

AnyGenerator = Generator | RandomState | random.Random
Found = tuple[list[Any], Any, bool]  # the way to an object, itself, and whether it is the first


def take_generators(found: Iterable[Found]) -> list[dict[str, Any]]:
    """Return the state of each generator among the `places` of layers, with the way to it."""
    return [
        {"path": ["env"] * layer + way, "state": _state(value)}
        for (layer, *way), value, is_first in found
        if is_first and isinstance(value, AnyGenerator)
    ]


def load_generators(env: Any, saved: list[dict[str, Any]]) -> None:
    """Set the generators of an environment to states; ValueError where one of them is missing."""
    for entry in saved:
        found = _find(env, entry["path"])
        if not isinstance(found, AnyGenerator):
            place = ".".join(map(str, entry["path"]))
            raise ValueError(f"the environment has no generator at {place}")
        _set_state(found, entry["state"])


def reachable(root: Any) -> Iterator[tuple[list[Any], Any]]:
    """Yield the objects that lie below `root`, and the way to each, breadth first."""
    for path, value, is_first in places(root):
        if is_first and not isinstance(value, np.ndarray):
            yield path, value


def places(root: Any) -> Iterator[Found]:
    """Yield all places of the objects and arrays below `root`; is it the first of its object?

    What lies below an object is yielded once, under the first of its places.
    """
    seen = {id(root)}
    waiting: deque[tuple[list[Any], Any]] = deque([([], root)])
    while waiting and len(seen) < MAX_OBJECTS:
        path, value = waiting.popleft()
        for key, child in _children(value):
            # A proxy of an object that is gone raises whatever it is asked.
            if type(child) in weakref.ProxyTypes or isinstance(child, LEAVES):
                continue
            is_first = id(child) not in seen
            yield [*path, key], child, is_first
            if not is_first or isinstance(child, np.ndarray):
                continue
            seen.add(id(child))
            if not isinstance(child, AnyGenerator):
                waiting.append(([*path, key], child))


def _children(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        named = {key: item for key, item in value.items() if isinstance(key, str | int)}
        yield from list(named.items())[:MAX_ITEMS]
    elif isinstance(value, list | tuple | deque):
        yield from list(enumerate(value))[:MAX_ITEMS]
    else:
        yield from list(_own(value).items())


def _own(value: Any) -> dict[str, Any]:
    found = getattr(value, "__dict__", None)
    return found if isinstance(found, dict) else {}


def _find(env: Any, path: list[Any]) -> Any:
    found = follow(env, path)
    if found is None and path and path[-1] == "_np_random":  # Gymnasium makes it at first use
        return getattr(follow(env, path[:-1]), "np_random", None)
    return found


def follow(value: Any, path: Sequence[Any]) -> Any:
    """Return what lies at the end of a way of `reachable`; None if it ends before."""
    for key in path:
        inside = value if isinstance(value, dict | list | tuple | deque) else _own(value)
        try:
            value = inside[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _state(source: AnyGenerator) -> Any:
    if isinstance(source, Generator):
        return source.bit_generator.state
    if isinstance(source, RandomState):
        return source.get_state(legacy=False)
    version, words, gauss = source.getstate()
    return {"version": version, "words": np.array(words, np.uint32), "gauss": gauss}


def _set_state(target: AnyGenerator, state: Any) -> None:
    if isinstance(target, Generator):
        target.bit_generator.state = state
    elif isinstance(target, RandomState):
        target.set_state(state)
    else:
        target.setstate((state["version"], tuple(state["words"].tolist()), state["gauss"]))
