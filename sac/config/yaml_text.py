"""The configuration's YAML: PyYAML's safe subset with the numbers of YAML 1.2."""

import re
from pathlib import Path
from typing import Any

import yaml

from sac.errors import ConfigError

# PyYAML follows YAML 1.1, where 1e4 and 1.5e3 are text, as they lack a dot or the exponent's sign,
# and so is -.5; 020000 is octal, and 190:20:30 counts in sixties. YAML 1.2 and people read all but
# the last, which is text, as decimal numbers.
EXPONENT_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+\Z")
SIGNED_FRACTION = re.compile(r"[-+]\.[0-9]+\Z")
DECIMAL_NUMBER = re.compile(r"[-+]?[0-9][0-9_]*\Z")
SIXTIES = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?\Z")
NOT_FINITE = re.compile(r"[-+]?(nan|inf|infinity)\Z", re.IGNORECASE)
MAX_BYTES = 2**22
FLOAT_TAG, INT_TAG = "tag:yaml.org,2002:float", "tag:yaml.org,2002:int"
TEXT_TAG, UNCLEAR_TAG = "tag:yaml.org,2002:str", "!unclear"
NUMERIC = "-+.0123456789"


class Unclear(str):
    """A nan or inf without quotes: text in YAML, where a number is written .nan and .inf."""

    __slots__ = ()


class ConfigLoader(yaml.SafeLoader):
    """SafeLoader that reads 1e4 as a number and refuses duplicate keys and shared collections."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose a node; an alias may only be a scalar, so that no small file grows huge."""
        mark = self.peek_event().start_mark if self.check_event(yaml.AliasEvent) else None
        node = super().compose_node(parent, index)
        if mark is not None and not isinstance(node, yaml.ScalarNode):
            problem = "an alias (*) may not stand for a list or mapping"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Construct a mapping; a repeated key would silently drop the first value."""
        seen: set[tuple[str, str]] = set()
        for key_node, _ in node.value if isinstance(node, yaml.MappingNode) else []:
            key = (key_node.tag, str(key_node.value))
            if key in seen:
                problem = f"the key {key_node.value!r} appears twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)

    def construct_whole(self, node: Any) -> int:
        """Construct a whole number: decimal, whatever zeros it begins with, or 0x or 0b."""
        text = node.value.replace("_", "")
        return int(text, 10 if DECIMAL_NUMBER.match(text) else 0)


class ConfigDumper(yaml.SafeDumper):
    """SafeDumper that quotes what ConfigLoader reads as a number and writes plain lists inline."""

    def represent_list(self, data: Any) -> Any:
        """Represent a list in brackets if it holds no collections."""
        flow = not any(isinstance(item, (list, dict)) for item in data)
        return self.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=flow)


ConfigDumper.add_representer(list, ConfigDumper.represent_list)
ConfigLoader.add_constructor(INT_TAG, ConfigLoader.construct_whole)
ConfigLoader.add_constructor(UNCLEAR_TAG, lambda loader, node: Unclear(node.value))
for tag, pattern, first in (
    (FLOAT_TAG, EXPONENT_NUMBER, NUMERIC),
    (FLOAT_TAG, SIGNED_FRACTION, "-+"),
    (INT_TAG, DECIMAL_NUMBER, NUMERIC),
    (UNCLEAR_TAG, NOT_FINITE, "-+nNiI"),
):
    ConfigLoader.add_implicit_resolver(tag, pattern, list(first))
    ConfigDumper.add_implicit_resolver(tag, pattern, list(first))
for first in "-+0123456789":  # before the others, as the first pattern that fits is taken
    ConfigLoader.yaml_implicit_resolvers[first].insert(0, (TEXT_TAG, SIXTIES))


def parse_yaml(text: str, source: str) -> Any:
    """Return the value of YAML text; ConfigError names `source` if it is not valid."""
    try:
        return yaml.load(text, Loader=ConfigLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = "" if mark is None else f" (line {mark.line + 1}, column {mark.column + 1})"
        raise ConfigError(f"{source} is not valid YAML: {error.problem}{place}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a 13th month
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"{source} is not valid YAML: {reason}") from None


def dump_yaml(data: Any) -> str:
    """Return ASCII block-style YAML that `parse_yaml` reads back to an equal value.

    ConfigError if it is longer than `read_yaml_mapping` takes.
    """
    text = yaml.dump(data, Dumper=ConfigDumper, sort_keys=False, width=100)
    if len(text) > MAX_BYTES:
        raise ConfigError(
            f"the configuration takes {len(text)} bytes as YAML, more than {MAX_BYTES}: keep data "
            "in a file, and name that in env.kwargs"
        )
    return text


def read_yaml_mapping(path: Path) -> dict[Any, Any]:
    """Return the mapping in a file; ConfigError if it cannot be read, or holds something else."""
    try:
        if path.is_file() and path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path} has more than {MAX_BYTES} bytes, which is no configuration")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"config file {path} does not exist") from None
    except IsADirectoryError:
        raise ConfigError(f"{path} is a directory, expected a YAML file") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text (byte {error.start}), expected YAML") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(f"cannot read config file {path}: {reason}") from None
    data = parse_yaml(text, str(path))
    if data is None:
        raise ConfigError(f"{path} is empty, expected keys such as `env: {{id: Pendulum-v1}}`")
    if not isinstance(data, dict):
        raise ConfigError(f"{path} holds a {type(data).__name__}, expected keys with values")
    return data
