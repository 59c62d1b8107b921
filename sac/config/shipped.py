"""The configurations and presets that come with the package, by name."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sac.config.keys import merge, nearest, without_null_sections
from sac.config.yaml_text import read_yaml_mapping
from sac.errors import ConfigError

_HERE = Path(__file__).resolve()
# In an installed package they lie inside `sac`, in a checkout beside it.
_INSTALLED, _CHECKOUT = (parent / "configs" for parent in _HERE.parents[1:3])
FOLDER = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
PRESETS = FOLDER / "presets"
NO_PRESET = "none"  # in place of that of a file: plain SAC with the keys of the file
SPACES = FOLDER / "sweeps"  # that a sweep searches


def names(folder: Path) -> list[str]:
    """Return the names of the configurations in a folder."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def described(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield name and purpose, the first sentence, of each configuration in a folder."""
    for name in names(folder):
        first = (folder / f"{name}.yaml").read_text(encoding="utf-8").partition("\n")[0]
        yield name, first.lstrip("# ").partition(". ")[0].rstrip(".")


def config_path(given: str | Path) -> Path:
    """Return the file that a path or a shipped name stands for; a file that exists wins.

    ConfigError for a name that is neither.
    """
    return _named(_found(given, FOLDER), FOLDER)


def space_path(given: str | Path) -> Path:
    """Return the file of a search space, by the same rule."""
    return _named(_found(given, SPACES), SPACES)


def with_preset(data: Mapping[str, Any], above: Sequence[Path] = ()) -> dict[str, Any]:
    """Return a configuration laid over the preset that its key `preset` names, without that key.

    A preset may name another, which it is laid over; `above` are those that have led here.
    ConfigError if there is no such preset, it is no mapping, or it leads back to itself.
    """
    rest = dict(data)
    given = rest.pop("preset", None)
    if given in (None, NO_PRESET):
        return rest
    if not isinstance(given, str):
        raise ConfigError(f"preset: expected a name or a file, got {given!r:.100}")
    path = _found(given, PRESETS)
    if not path.is_file():
        known = ", ".join([*names(PRESETS), NO_PRESET])
        raise ConfigError(f"preset: expected one of {known}, or a YAML file, got {given!r:.100}")
    rest.setdefault("name", path.stem)
    if (file := path.resolve()) in above:
        raise ConfigError(f"preset: {given} is laid over itself; take the key out of {above[-1]}")
    return merge(with_preset(read_yaml_mapping(path), (*above, file)), rest)


def preset_name(data: Mapping[str, Any]) -> list[str]:
    """Return the name of the preset that a configuration asks for, if it does."""
    given = data.get("preset")
    return [Path(given).stem] if isinstance(given, str) and given != NO_PRESET else []


def overruled(own: Mapping[str, Any], preset: Mapping[str, Any]) -> tuple[list[str], int]:
    """Return which keys of a preset a configuration sets otherwise, and how many it does not set.

    Keys are dotted; those of a mapping of free keys count as one.
    """
    return _overruled(without_null_sections(own, preset), preset)


def _overruled(own: Mapping[str, Any], preset: Mapping[str, Any]) -> tuple[list[str], int]:
    otherwise, left = [], 0
    for name, value in preset.items():
        if name == "name":
            continue
        if name not in own:
            left += len(value) if isinstance(value, Mapping) else 1
        elif isinstance(value, Mapping) and isinstance(own[name], Mapping):
            below, left_below = _overruled(own[name], value)
            otherwise += [f"{name}.{key}" for key in below]
            left += left_below
        elif own[name] != value:
            otherwise.append(name)
    return otherwise, left


def preset_keys(given: Any) -> dict[str, Any]:
    """Return the keys of a preset and of those below it; ConfigError if there is no such preset."""
    return with_preset({"preset": given})


def _named(path: Path, folder: Path) -> Path:
    if path.name == str(path) and not path.suffix and not path.exists():
        raise ConfigError(
            f"neither a file nor a shipped configuration is called '{path}'; the nearest is "
            f"{nearest(str(path), names(folder))} (python -m sac configs lists them)"
        )
    return path


def _found(given: str | Path, folder: Path) -> Path:
    path, name = Path(given), str(given)
    is_name = path.name == name and not path.suffix
    shipped = folder / f"{name}.yaml"
    return shipped if is_name and not path.is_file() and shipped.is_file() else path
