"""Dotted keys of nested configuration dataclasses: to list, check, merge and build."""

import dataclasses
import difflib
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any

from sac.config.fields import Option, options, shown
from sac.errors import ConfigError

FEW = 3  # keys that an error names as the nearest


@dataclasses.dataclass(frozen=True)
class Key:
    """A dotted key, for --help and the command line."""

    name: str
    hint: Any
    default: Any
    option: Option


def list_keys(cls: Any, prefix: str = "") -> Iterator[Key]:
    """Yield every key of a configuration dataclass, in order."""
    defaults = cls()
    for name, (hint, option) in options(cls).items():
        if option is None:
            yield from list_keys(hint, f"{prefix}{name}.")
        else:
            yield Key(prefix + name, hint, to_plain(getattr(defaults, name)), option)


def check_keys(cls: Any, data: Any, prefix: str = "", root: Any = None) -> None:
    """Raise ConfigError for an unknown key, with its nearest, or for a section without keys.

    `prefix` and `root` are set for the sections of the configuration `root`.
    """
    if not isinstance(data, Mapping):
        section = prefix.rstrip(".") if prefix else "the configuration"
        raise ConfigError(f"{section}: expected keys with values, got {shown(data)}")
    root, fields = root or cls, options(cls)
    for name, value in data.items():
        if name not in fields:
            raise ConfigError(_unknown_key(root, f"{prefix}{name}"))
        hint, option = fields[name]
        if option is None and value is not None:
            check_keys(hint, value, f"{prefix}{name}.", root)


def build(cls: Any, data: Mapping[str, Any]) -> Any:
    """Return the dataclass of a mapping with known keys; null is an empty section."""
    values = {}
    for name, value in data.items():
        hint, option = options(cls)[name]
        values[name] = value if option is not None else build(hint, {} if value is None else value)
    return cls(**values)


def to_plain(value: Any) -> Any:
    """Return a copy of a configuration in dictionaries, lists and scalars."""
    if dataclasses.is_dataclass(value):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {name: to_plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    return value


def merge(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `overrides` laid over it, mapping by mapping; lists are replaced.

    Both are whole configurations, of which a section that is null is empty.
    """
    return _laid_over(base, without_null_sections(overrides, base))


def without_null_sections(data: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration without the sections of `base` that it leaves null."""
    # Mappings at the top are sections. Below them null is a value, as of train.hindsight.
    return {
        name: value
        for name, value in data.items()
        if value is not None or not isinstance(base.get(name), Mapping)
    }


def _laid_over(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in overrides.items():
        below = merged.get(name)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            merged[name] = _laid_over(below, value)
        else:
            merged[name] = value
    return merged


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the nested mapping of values by dotted keys."""
    tree: dict[str, Any] = {}
    for key, value in values.items():
        *sections, name = key.split(".")
        place = tree
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = value
    return tree


def value_at(tree: Any, key: str) -> Any:
    """Return the value of a dotted key in nested mappings; None if there is none."""
    for part in key.split("."):
        tree = tree.get(part) if isinstance(tree, Mapping) else None
    return tree


def nearest(key: str, known: Iterable[str], prefix: str = "") -> str:
    """Return the known dotted key most similar to `key`, in its path and in its last part.

    Where a few in its section end with the whole of its last part (`lr` in full), these are. Each
    is returned behind `prefix`.
    """
    known, (section, dot, name) = list(known), key.rpartition(".")
    ends = [k for k in known if _in_full(k).endswith(f"_{name}") and k.startswith(section + dot)]
    if 0 < len(ends) <= FEW:
        return " or ".join(prefix + end for end in ends)

    def likeness(candidate: str) -> float:
        last, last_candidate = _leaf(key), _leaf(candidate)
        pairs = zip(last, last_candidate, strict=False)
        # `enviroment` is meant to be env.
        start = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
        return (
            difflib.SequenceMatcher(None, last, last_candidate).ratio()
            + difflib.SequenceMatcher(None, key, candidate).ratio()
            + 0.5 * start / len(last_candidate)
        )

    return prefix + max(known, key=likeness)


def _unknown_key(root: Any, key: str) -> str:
    known = [known_key.name for known_key in list_keys(root)]
    if key in known:
        section, _, name = key.rpartition(".")
        return f"unknown key {shown(key)}: write {name} indented below `{section}:`"
    sections = [name for name, (_, option) in options(root).items() if option is None]
    return f"unknown key {shown(key)}, the nearest is {nearest(key, known + sections)}"


def _in_full(key: str) -> str:
    return f"{key.removesuffix('_lr')}_learning_rate" if key.endswith("_lr") else key


def _leaf(key: str) -> str:
    return key.rpartition(".")[2]
