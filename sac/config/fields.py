"""The values that configuration fields take: one source for checks, messages and --help."""

import dataclasses
import math
import numbers
import os
import re
import reprlib
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sac.config.yaml_text import EXPONENT_NUMBER, Unclear
from sac.errors import ConfigError

COUNT_LIMIT = 10**12  # far above any use, far below an overflow of 64 bits
NESTING_LIMIT = 20
DEVICE = re.compile(r"auto|cpu|cuda(:\d{1,4})?")


@dataclasses.dataclass(frozen=True)
class Option:
    """A field's help text and, for numbers, its range; an infinity leaves a side open."""

    help: str
    at_least: float = -math.inf
    above: float = -math.inf
    at_most: float = math.inf

    def admits(self, number: float) -> bool:
        """Return whether `number` is in range."""
        return self.at_least <= number <= self.at_most and number > self.above

    @property
    def range_in_words(self) -> str:
        """Return the range as the end of a phrase such as `a number ...`; empty if it is open."""
        if math.isfinite(self.at_least) and math.isfinite(self.at_most):
            return f"from {_digits(self.at_least)} to {_digits(self.at_most)}"
        sides = {"of at least": self.at_least, "above": self.above, "at most": self.at_most}
        return " and ".join(f"{word} {_digits(n)}" for word, n in sides.items() if math.isfinite(n))


def count(help: str, *, at_least: int = 1, at_most: int = COUNT_LIMIT) -> Option:
    """Return the Option of a count."""
    return Option(help, at_least=at_least, at_most=at_most)


def check_device(device: str) -> None:
    """Raise ConfigError if `device` is no name of a device, which may be missing here."""
    if DEVICE.fullmatch(device) is None:
        raise ConfigError(f"device: expected auto, cpu, cuda or cuda:N, got {shown(device)}")


def options(cls: type) -> dict[str, tuple[Any, Option | None]]:
    """Return each field's annotation and Option; a section has no Option but fields of its own."""
    hints = typing.get_type_hints(cls, include_extras=True)
    found: dict[str, tuple[Any, Option | None]] = {}
    for field in dataclasses.fields(cls):
        hint = hints[field.name]
        is_option = typing.get_origin(hint) is typing.Annotated
        found[field.name] = typing.get_args(hint) if is_option else (hint, None)
    return found


def make_readable(cls: Any) -> None:
    """Let `help(cls)` show the plain types of a section, and what its keys mean below its text."""
    hints = typing.get_type_hints(cls)
    cls.__init__.__annotations__ = {f.name: hints[f.name] for f in dataclasses.fields(cls)}
    keys = [f"{name}: {option.help}" for name, (_, option) in options(cls).items() if option]
    cls.__doc__ = "\n".join([cls.__doc__ or "", "", *keys])  # none under python -OO


def check_fields(section: Any, prefix: str) -> None:
    """Convert each field of a frozen dataclass to its type; ConfigError if one does not fit."""
    for name, (hint, option) in options(type(section)).items():
        if option is not None:
            value = checked(getattr(section, name), hint, option, prefix + name)
            object.__setattr__(section, name, value)


def checked(value: Any, hint: Any, option: Option, key: str) -> Any:
    """Return `value` as `hint`; ConfigError names the key, the expected and the given value."""
    try:
        return convert(value, hint, option)
    except ValueError:
        message = f"{key}: expected {expected(hint, option)}, got {shown(value)}"
        if typing.get_origin(hint) is Sequence and isinstance(value, str | int):
            message += f": write [{', '.join(str(value).replace(',', ' ').split())}]"
        raise ConfigError(message) from None


def whole(name: str, value: Any, *, at_least: int = 1, at_most: int = COUNT_LIMIT) -> int:
    """Return an argument `name`, NumPy's integers too, as an int; ConfigError if out of range."""
    return checked(value, int, count("", at_least=at_least, at_most=at_most), name)


def convert(value: Any, hint: Any, option: Option) -> Any:
    """Return `value` converted to the annotation `hint`, or raise ValueError."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _first_fit(value, arguments, option)
    if origin is typing.Literal:
        return _member(value, arguments)
    if origin is Sequence:
        items = _only(value, (list, tuple))
        return tuple(convert(item, arguments[0], option) for item in items)
    if dataclasses.is_dataclass(hint):
        return _instance(value, hint)
    return _CONVERTERS[origin or hint](value, option)


def expected(hint: Any, option: Option) -> str:
    """Return the values that `convert` takes, in words."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(expected(argument, option) for argument in arguments)
    if origin is typing.Literal:
        return ("one of " if len(arguments) > 1 else "") + ", ".join(arguments)
    if origin is Sequence:
        return f"a list, each {expected(arguments[0], option)}"
    if dataclasses.is_dataclass(hint):
        return "with " + " and ".join(field.name for field in dataclasses.fields(hint))
    if hint in (int, float):
        return f"{_NAMES[hint]} {option.range_in_words or '(finite)'}"
    return _NAMES[origin or hint]


def shown(value: Any) -> str:
    """Return a short form of `value` for a message."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return _SHORT.repr(value)


def _digits(number: float) -> str:
    text = re.sub(r"e\+0*", "e", f"{number:g}")
    return text if float(text) == number else str(number)


def _first_fit(value: Any, hints: Sequence[Any], option: Option) -> Any:
    for hint in hints:
        try:
            return convert(value, hint, option)
        except ValueError:
            continue
    raise ValueError


def _member(value: Any, choices: Sequence[str]) -> str:
    if isinstance(value, str) and value in choices:
        return value
    raise ValueError


def _only(value: Any, kind: type | tuple[type, ...]) -> Any:
    if isinstance(value, kind):
        return value
    raise ValueError


def _instance(value: Any, cls: Any) -> Any:
    if isinstance(value, cls):
        return value
    try:
        return cls(**_only(value, Mapping))
    except TypeError:  # a key too many, one too few, or one that is not text
        raise ValueError from None


def _number(value: Any, option: Option) -> float:
    if isinstance(value, str) and EXPONENT_NUMBER.match(value):
        value = float(value)  # PyYAML itself loads 3e-4 as text
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ValueError
    try:
        number = float(value)
    except OverflowError:
        raise ValueError from None
    if number - number != 0 or not option.admits(number):  # inf - inf and nan - nan are not 0
        raise ValueError
    return number


def _whole(value: Any, option: Option) -> int:
    # Not through float, which rounds above 2**53.
    is_integral = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    number = value if is_integral else _number(value, option)
    whole = int(number)
    if whole != number or not option.admits(whole):
        raise ValueError
    return whole


def _text(value: Any, option: Option) -> str:
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if isinstance(text, str) and text.isprintable():  # also refuses undecodable command line bytes
        return str(text)
    raise ValueError


def _plain(value: Any, depth: int) -> Any:
    """Return a copy in YAML's types: a resume would lose what config.yaml cannot hold."""
    if depth > NESTING_LIMIT:
        raise ValueError
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise ValueError
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Unclear):
        raise ConfigError(
            f"{value!r} may be a number or text: write .nan, .inf or -.inf, or '{value}' in quotes"
        )
    kinds: dict[type, Any] = {str: str, numbers.Integral: int, numbers.Real: float}
    for kind, plain in kinds.items():
        if isinstance(value, kind):
            return plain(value)
    raise ValueError


class _Short(reprlib.Repr):
    def repr_int(self, x: int, level: int) -> str:
        try:
            str(x)
        except ValueError:  # Python writes no integer of more than 4300 digits
            return "a number of thousands of digits"
        return super().repr_int(x, level)


_SHORT = _Short()
_SHORT.maxstring = _SHORT.maxother = 60

_NAMES = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    types.NoneType: "null",
    dict: "keys with plain values (text, numbers, true/false, null, lists, mappings)",
}

_CONVERTERS: dict[Any, Callable[[Any, Option], Any]] = {
    int: _whole,
    float: _number,
    bool: lambda value, option: _only(value, bool),
    str: _text,
    types.NoneType: lambda value, option: _only(value, types.NoneType),
    dict: lambda value, option: _plain(_only(value, Mapping), depth=0),
}
