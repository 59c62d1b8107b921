"""What an environment changed since its construction, though no snapshot holds it."""

import zlib
from collections import deque
from collections.abc import Iterator
from enum import Enum
from itertools import islice
from typing import Any

import numpy as np

PLAIN = bool | int | float | complex | str | bytes | Enum | np.generic | None
MANY = list | dict | set | frozenset | tuple | deque
MAX_DEPTH = 2
MAX_BYTES = 2**28  # of an array: more would take longer than a checkpoint does
LOOKED_AT = 64  # items of a container

Data = dict[str, tuple[int | None, Any]]  # of names: identity, where it can change; fingerprint


def read_data(values: dict[str, Any], depth: int = 0) -> Data:
    """Return fingerprints of the data among attributes, also of objects below."""
    read = ((name, _fingerprint(value, depth)) for name, value in values.items())
    return {name: (_identity(values[name]), found) for name, found in read if found is not None}


def changed(values: dict[str, Any], first: Data, held: Any, depth: int = 0) -> Iterator[str]:
    """Yield the names of data that changed since, and are not `held`.

    Another list or array than the first is made anew by a reset, most often.
    """
    for name, (identity, before) in first.items():
        value = values.get(name)
        if name in held or identity != _identity(value):
            continue
        if isinstance(before, dict):
            yield from (f"{name}.{one}" for one in changed(vars(value), before, (), depth + 1))
        elif _fingerprint(value, depth) not in (None, before):
            yield name


def _identity(value: Any) -> int | None:
    return None if isinstance(value, PLAIN | frozenset | tuple) else id(value)


def _fingerprint(value: Any, depth: int) -> Any:
    if isinstance(value, PLAIN):
        return type(value), str(value)
    if isinstance(value, np.ndarray):
        is_readable = not value.dtype.hasobject and value.nbytes <= MAX_BYTES
        return (value.shape, zlib.crc32(value.tobytes())) if is_readable else None
    if isinstance(value, MANY):
        return zlib.crc32(repr(value).encode()) if _is_data(value) else None
    own = getattr(value, "__dict__", None)
    # Gymnasium's own, such as a renderer, keep nothing that the next episode takes.
    is_object = isinstance(own, dict) and type(value).__module__.split(".")[0] != "gymnasium"
    return read_data(own, depth + 1) if own and is_object and depth < MAX_DEPTH else None


def _is_data(value: Any) -> bool:
    if isinstance(value, MANY):
        items = value.items() if isinstance(value, dict) else value
        return all(map(_is_data, islice(items, LOOKED_AT)))
    return isinstance(value, PLAIN | np.ndarray)
