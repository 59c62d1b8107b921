"""What YAML can't hold, in keyword arguments: dtypes, arrays, tuples, and objects by their names.

{$dtype: uint8}    {$array: [0.5, 1], dtype: float64}    {$tuple: [64, 64]}
{$import: package.module.function}
"""

import difflib
import importlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from sac.errors import EnvironmentSetupError

FORMS = (
    "{$dtype: uint8}, {$array: [0.5, 1], dtype: float32}, {$tuple: [64, 64]} or "
    "{$import: package.module.name}"
)


def built(value: Any, key: str) -> Any:
    """Return a configured value with what its forms stand for; an error names `key`."""
    if isinstance(value, list):
        return [built(item, key) for item in value]
    if not isinstance(value, Mapping):
        return value
    match dict(value):
        case {"$dtype": name, **rest} if not rest:
            return _dtype(name, key).type
        case {"$array": numbers, **rest} if rest.keys() <= {"dtype"}:
            return _array(numbers, rest.get("dtype"), key)
        case {"$tuple": [*items], **rest} if not rest:
            return tuple(built(item, key) for item in items)
        case {"$import": str(name), **rest} if not rest:
            return imported(name, key)
    wrong = [name for name in value if name.startswith("$")]
    if wrong:
        raise EnvironmentSetupError(f"{key}: expected {FORMS}, got {dict(value)!r:.200}")
    return {name: built(item, key) for name, item in value.items()}


def imports(value: Any) -> Iterator[str]:
    """Yield the dotted names that `built` imports."""
    if isinstance(value, Mapping):
        if "$import" in value:
            yield str(value["$import"])
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from imports(item)


def imported(name: str, key: str) -> Any:
    """Return what a dotted name stands for; an error names `key`."""
    module_name, _, last = name.replace(":", ".").rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or module_name
        raise EnvironmentSetupError(
            f"{key}: the module {missing!r} of {name!r} was found neither here nor installed"
        ) from error
    except (ImportError, ValueError) as error:
        raise EnvironmentSetupError(
            f"{key}: cannot import the module of {name!r} ({error}); expected package.module.Name, "
            "such as gymnasium.wrappers.RescaleAction"
        ) from error
    if not hasattr(module, last):
        nearest = difflib.get_close_matches(last, dir(module), n=3)
        hint = f"; the nearest names are {', '.join(nearest)}" if nearest else ""
        raise EnvironmentSetupError(f"{key}: {module_name} has no {last!r}{hint}")
    return getattr(module, last)


def _dtype(name: Any, key: str) -> np.dtype:
    try:
        if isinstance(name, str):
            return np.dtype(name)
    except TypeError:
        pass
    raise EnvironmentSetupError(f"{key}: expected a dtype of NumPy, such as uint8, got {name!r}")


def _array(numbers: Any, dtype: Any, key: str) -> np.ndarray:
    try:
        array = np.array(numbers, None if dtype is None else _dtype(dtype, key))
    except (TypeError, ValueError) as error:
        raise EnvironmentSetupError(f"{key}: $array: {error}, got {numbers!r:.100}") from error
    if array.dtype.kind not in "biuf":
        raise EnvironmentSetupError(f"{key}: $array: expected numbers, got {numbers!r:.100}")
    return array
