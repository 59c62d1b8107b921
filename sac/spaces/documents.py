"""Spaces as JSON documents, for a policy's files; a reader trusts nothing in them."""

import math
from typing import Any

import numpy as np
from gymnasium import Space, spaces

from sac.errors import SpaceError, told
from sac.spaces.stacks import PADDINGS, StackedBox

ELEMENT_LIMIT = 2**24  # numbers in one observation or action; an image of 2048 x 2048 x 4 fits
DEPTH_LIMIT = 16
DTYPES = {
    np.dtype(name).name: np.dtype(name)
    for name in ("bool", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
}


def space_to_json(space: Space) -> dict[str, Any]:
    """Return a JSON document that `space_from_json` turns into an equal space."""
    shape = [int(size) for size in space.shape or ()]
    match space:
        case spaces.Box():
            low, high = _bound_to_json(space.low), _bound_to_json(space.high)
            stack = {"stack": space.padding} if isinstance(space, StackedBox) else {}
            described = {"low": low, "high": high, "shape": shape, **_dtype_of(space), **stack}
            return {"type": "Box", **described}
        case spaces.Discrete():
            sizes = {"n": int(space.n), "start": int(space.start)}
            return {"type": "Discrete", **sizes, **_dtype_of(space)}
        case spaces.MultiDiscrete():
            values = {"nvec": space.nvec.ravel().tolist(), "start": space.start.ravel().tolist()}
            return {"type": "MultiDiscrete", **values, "shape": shape, **_dtype_of(space)}
        case spaces.MultiBinary():
            # For Gymnasium, MultiBinary(3) and MultiBinary((3,)) are different spaces.
            is_flat = isinstance(space.n, int)
            return {"type": "MultiBinary", "shape": shape, "is_flat": is_flat}
        case spaces.Dict():
            items = [[json_key(key), space_to_json(part)] for key, part in space.items()]
            return {"type": "Dict", "spaces": items}
        case spaces.Tuple():
            return {"type": "Tuple", "spaces": [space_to_json(part) for part in space.spaces]}
    raise SpaceError(f"the space {space} cannot be written to a file")


def space_from_json(document: Any) -> Space:
    """Return the space of a document; SpaceError, before any memory is taken, for a wrong one."""
    try:
        if _count_elements(document, depth=0) > ELEMENT_LIMIT:
            raise ValueError(f"more than {ELEMENT_LIMIT} numbers")
        return _build(document)
    except (
        KeyError,
        TypeError,
        ValueError,
        IndexError,
        AssertionError,
        OverflowError,
        SpaceError,
    ) as error:
        reason = told(error)
        raise SpaceError(f"not a description of a space ({reason}): {document!r:.200}") from error


def _count_elements(document: Any, depth: int) -> int:
    if depth > DEPTH_LIMIT:
        raise ValueError(f"nested deeper than {DEPTH_LIMIT}")
    match document["type"]:
        case "Box" | "MultiBinary":
            return math.prod(_shape(document))
        case "MultiDiscrete":
            return sum(_whole(n, at_least=1) for n in document["nvec"])  # flattened to one-hots
        case "Discrete":
            return _whole(document["n"], at_least=1)
        case "Dict":
            return sum(_count_elements(part, depth + 1) for _, part in document["spaces"])
        case "Tuple":
            return sum(_count_elements(part, depth + 1) for part in document["spaces"])
        case other:
            raise ValueError(f"unknown type {other!r:.50}")


def _build(document: dict[str, Any]) -> Space:
    match document["type"]:
        case "Box":
            shape, dtype = _shape(document), DTYPES[document["dtype"]]
            low = _bound_from_json(document["low"], shape, dtype)
            high = _bound_from_json(document["high"], shape, dtype)
            box = spaces.Box(low, high, shape, dtype.type)
            if "stack" not in document:
                return box
            if document["stack"] not in PADDINGS or not shape or shape[0] < 2:
                raise ValueError(f"no stack: {document['stack']!r:.50} of the shape {shape}")
            return StackedBox.of(box, document["stack"])
        case "Discrete":
            n, start = _whole(document["n"], at_least=1), _whole(document["start"])
            return spaces.Discrete(n, start=start, dtype=_integer_dtype(document))
        case "MultiDiscrete":
            shape = _shape(document)
            nvec = np.array([_whole(n, at_least=1) for n in document["nvec"]], np.int64)
            first = np.array([_whole(start) for start in document["start"]], np.int64)
            dtype = _integer_dtype(document)
            return spaces.MultiDiscrete(nvec.reshape(shape), dtype, start=first.reshape(shape))
        case "MultiBinary":
            shape = _shape(document)
            return spaces.MultiBinary(shape[0] if document["is_flat"] is True else shape)
        case "Dict":
            # A list of pairs keeps the order, which is the order of the flattened observation.
            parts: Any = [(json_key(key), _build(part)) for key, part in document["spaces"]]
            return spaces.Dict(parts)
        case _:
            return spaces.Tuple([_build(part) for part in document["spaces"]])


def _dtype_of(space: Space) -> dict[str, str]:
    return {"dtype": np.dtype(space.dtype).name}


def _integer_dtype(document: dict[str, Any]) -> Any:
    dtype = DTYPES[document["dtype"]]
    if dtype.kind not in "iu":
        raise ValueError(f"dtype {dtype} for whole numbers")
    return dtype.type


def _bound_to_json(bound: np.ndarray) -> Any:
    """Return one number if all are equal, else a flat list; infinity becomes a string."""
    flat = bound.ravel()
    if flat.size and (flat == flat[0]).all():
        return _number_to_json(flat[0].item())
    return [_number_to_json(number) for number in flat.tolist()]


def _number_to_json(number: float) -> float | str:
    return number if math.isfinite(number) else str(number)


def _bound_from_json(bound: Any, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    if not isinstance(bound, list):
        return np.full(shape, _number(bound), dtype)
    return np.array([_number(number) for number in bound], dtype).reshape(shape)


def _number(value: Any) -> float:
    if value in ("inf", "-inf"):
        return float(value)
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"expected a number, got {value!r:.50}")
    return value


def _whole(value: Any, *, at_least: int | None = None) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"expected a whole number, got {value!r:.50}")
    if at_least is not None and value < at_least:
        raise ValueError(f"expected at least {at_least}, got {value}")
    return value


def _shape(document: dict[str, Any]) -> tuple[int, ...]:
    sizes = document["shape"]
    if not isinstance(sizes, list) or len(sizes) > DEPTH_LIMIT:
        raise ValueError(f"expected a shape, got {sizes!r:.50}")
    return tuple(_whole(size, at_least=0) for size in sizes)


def json_key(value: Any) -> str | int:
    """Return a key of a Dict space; SpaceError for one that JSON can't hold."""
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise SpaceError(
        f"expected keys of text or whole numbers in a Dict space, got {value!r:.50}: others can't "
        "be written to a file"
    )
