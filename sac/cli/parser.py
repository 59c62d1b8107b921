"""Command line arguments: one option for each configuration key, errors without the usage block.

The configuration checks its own values, so this module only collects names and texts.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn, get_origin

from sac.config import Config
from sac.config.fields import Option, checked, expected, options
from sac.config.keys import Key, list_keys, merge, nearest, nested, value_at
from sac.config.shipped import config_path, overruled, preset_keys
from sac.config.yaml_text import parse_yaml, read_yaml_mapping
from sac.errors import ConfigError
from sac.terminal.reports import is_read

FREE_KEYS = "env.kwargs."  # only the environment knows which names it takes below this
NEGATIVE_NUMBER = re.compile(r"-\.?(\d|inf|nan)", re.IGNORECASE)


class CommandParser(argparse.ArgumentParser):
    """ArgumentParser that raises ConfigError and reads every negative number as a value."""

    def __init__(self, prog: str, description: str, usage: str | None = None) -> None:
        super().__init__(prog, usage, description, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Raise ConfigError, where argparse would print the whole usage."""
        raise ConfigError(f"{message} (--help explains the options)")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as argparse does, except that -1e3 is a value and --x=-- is an error."""
        tokens = _attach_negative_numbers(sys.argv[1:] if args is None else args)
        for token in tokens:
            if token.startswith("--") and token.endswith("=--"):
                self.error(f"argument {token.removesuffix('=--')}: expected a value, got '--'")
        names = [token.partition("=")[0] for token in tokens if token.startswith("--")]
        for name in names:
            if names.count(name) > 1:  # argparse takes the last
                self.error(f"argument {name}: given more than once")
        return super().parse_known_args(tokens, namespace)

    def add_flag(self, name: str, help: str) -> None:
        """Add an option without a value."""
        self.add_argument(name, action="store_true", help=help)

    def add_number(self, name: str, option: Option, default: int | None) -> None:
        """Add an option of a whole number."""
        help = option.help if default is None else f"{option.help} (default: {default})"
        convert = value_type(name, int, option)
        self.add_argument(name, type=convert, default=default, metavar="N", help=help)


def value_type(name: str, hint: Any, option: Option) -> Callable[[str], Any]:
    """Return a function from an option's text to a checked value, for `add_argument(type=...)`."""
    return lambda text: checked(parse_yaml(text, name), hint, option, name)


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Add an option for each key of the configuration, grouped by section."""
    sections = {name: hint for name, (hint, option) in options(Config).items() if option is None}
    groups = {
        name: parser.add_argument_group(name, hint.__doc__) for name, hint in sections.items()
    }
    for key in list_keys(Config):
        section = key.name.partition(".")[0]
        groups.get(section, parser).add_argument(
            f"--{key.name}",
            dest=key.name,
            default=argparse.SUPPRESS,
            metavar="VALUE",
            help=_help(key).replace("%", "%%"),
        )


def parse_config_options(
    parser: argparse.ArgumentParser, argv: Sequence[str]
) -> tuple[argparse.Namespace, dict[str, Any]]:
    """Return the parser's own arguments, and the given configuration keys as a nested mapping."""
    argv, environment_arguments = take_environment_arguments(argv)
    arguments, rest = parser.parse_known_args(argv)
    given = vars(arguments)
    overrides: dict[str, Any] = {}
    for key in list_keys(Config):
        if key.name in given:
            overrides = merge(overrides, nested({key.name: _value(key, given.pop(key.name))}))
    if rest:
        _refuse(rest[0], ["help", *given, *(key.name for key in list_keys(Config))])
    if environment_arguments:
        overrides = merge(overrides, {"env": {"kwargs": environment_arguments}})
    return arguments, overrides


def tell_overruled(file: Path, preset: str) -> None:
    """Say which keys of a preset, given beside a file, that file sets otherwise."""
    otherwise, _ = overruled(read_yaml_mapping(config_path(file)), preset_keys(preset))
    if otherwise and not is_read():  # else: the process that started this one has said it
        wins = f"sets {', '.join(otherwise)} itself, which wins over the preset {preset}"
        print(f"note: {file} {wins}", file=sys.stderr)


def take_environment_arguments(argv: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Split each `--env.kwargs.NAME VALUE` off; return the rest, and these as a nested mapping."""
    rest: list[str] = []
    found: dict[str, Any] = {}
    tokens = iter(argv)
    for token in tokens:
        if not token.startswith(f"--{FREE_KEYS}"):
            rest.append(token)
            continue
        name, equals, text = token.partition("=")
        value = text if equals else next(tokens, "--")
        if value.startswith("--") or name.endswith("."):
            raise ConfigError(f"{name}: expected --{FREE_KEYS}NAME VALUE")
        key = name.removeprefix(f"--{FREE_KEYS}")
        if value_at(found, key) is not None:
            raise ConfigError(f"argument {name}: given more than once")
        found = merge(found, nested({key: parse_yaml(value, name)}))
    return rest, found


def _attach_negative_numbers(argv: Sequence[str]) -> list[str]:
    tokens: list[str] = []
    for token in argv:
        may_wait = tokens and tokens[-1].startswith("--") and "=" not in tokens[-1]
        if may_wait and NEGATIVE_NUMBER.match(token):
            tokens[-1] += f"={token}"
        else:
            tokens.append(token)
    return tokens


def _refuse(token: str, known: Sequence[str]) -> NoReturn:
    name, _, _ = token.removeprefix("--").partition("=")
    if not token.startswith("--") or not name:
        raise ConfigError(f"unexpected argument {token!r} (--help explains the options)")
    raise ConfigError(f"unknown option --{name}, the nearest is {nearest(name, known, '--')}")


def _value(key: Key, text: str) -> Any:
    """Return a key's value: by YAML, but text itself for a key of text, such as a run named 1e4."""
    if key.hint is str or get_origin(key.hint) is Literal:
        return text
    if key.hint == str | None:
        return None if text == "null" else text
    return parse_yaml(text, f"--{key.name}")


def _help(key: Key) -> str:
    default = key.default if isinstance(key.default, str) else json.dumps(key.default)
    notes = [] if key.hint is str else [expected(key.hint, key.option)]
    notes.append(f"default: {default}" if default else "no default")
    return f"{key.option.help} ({'; '.join(notes)})"
