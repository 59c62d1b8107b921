"""YAML's numbers, what is refused in it, and files that hold none."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from sac.config import yaml_text
from sac.config.yaml_text import dump_yaml, parse_yaml, read_yaml_mapping
from sac.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e4", 1e4),
        ("-3e-4", -3e-4),
        ("1.5e3", 1.5e3),
        (".5e1", 5.0),
        ("-.5", -0.5),
        ("+.25", 0.25),
        ("-.", "-."),
        ("1.E2", 100.0),
        ("7", 7),
        ("'1e4'", "1e4"),
        ("1e4x", "1e4x"),
        ("e4", "e4"),
        ("auto", "auto"),
        ("020000", 20000),
        ("-012", -12),
        ("0x10", 16),
        ("1_000", 1000),
        ("190:20:30", "190:20:30"),
        ("1:30.5", "1:30.5"),
        (".inf", float("inf")),
        ("information", "information"),
    ],
)
def test_exponents_are_numbers(text: str, value: Any) -> None:
    parsed = parse_yaml(text, "test")
    assert (parsed, type(parsed)) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    [
        *"1e4 1.5e3 -.5e1 -.5 true null é \ud800 020000 190:20:30 nan -inf Infinity".split(),
        "",
        " a",
    ],
)
def test_text_stays_text(text: str) -> None:
    assert parse_yaml(dump_yaml({"key": [text]}), "test") == {"key": [text]}


def test_other_loaders_read_what_is_written() -> None:
    data = {"a": 1e-5, "b": [1, 2.5], "c": {"d": None}, "e": "1e4"}
    assert yaml.safe_load(dump_yaml(data)) == data


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\na: 2", "the key 'a' appears twice (line 2, column 1)"),
        ("a: &x [1]\nb: *x", "an alias (*) may not stand for a list or mapping (line 2, column 4)"),
        ("a: &x {b: *x}", "an alias (*) may not stand for a list or mapping (line 1, column 11)"),
        ("a: *x", "found undefined alias 'x' (line 1, column 4)"),
        ("a: [", "(line 1, column 5)"),
        ("a: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("{[1]: 2}", "unhashable key"),
        ("a: 2001-13-01", "month must be in 1..12"),
        ("a\x00", "special characters are not allowed"),
        ("--- 1\n--- 2", "but found another document"),
        ("[" * 5000, "recursion"),
    ],
)
def test_refused_yaml_names_source_reason_and_place(text: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "a.yaml")
    message = str(caught.value)
    assert message.startswith("a.yaml is not valid YAML: ")
    assert reason in message
    assert "\n" not in message


def test_alias_of_a_number_is_allowed() -> None:
    assert parse_yaml("a: &lr 1e-3\nb: *lr", "test") == {"a": 1e-3, "b": 1e-3}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"# only a comment\n", "is empty"),
        (b"- a\n- b\n", "holds a list, expected keys with values"),
        (b"hello", "holds a str, expected keys with values"),
        (b"a: [", "is not valid YAML"),
        (b"seed: \xff", "is not UTF-8 text (byte 6)"),
        (b"\xff\xfes\x00e\x00", "is not UTF-8 text (byte 0)"),
    ],
)
def test_file_without_keys_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_yaml_mapping(path)
    assert str(caught.value).startswith(f"{path} {reason}")


def test_path_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        read_yaml_mapping(tmp_path / "missing.yaml")
    with pytest.raises(ConfigError, match="is a directory, expected a YAML file"):
        read_yaml_mapping(tmp_path)
    with pytest.raises(ConfigError, match="cannot read config file"):
        read_yaml_mapping(tmp_path / ("x" * 5000))
    with pytest.raises(ConfigError, match="cannot read config file"):
        read_yaml_mapping(Path("a\0b"))


def test_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "windows.yaml"
    path.write_bytes(b"\xef\xbb\xbfseed: 1\r\n")
    assert read_yaml_mapping(path) == {"seed": 1}


def test_more_than_can_be_read_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, data = tmp_path / "large.yaml", {"key": list(range(100))}
    path.write_text(dump_yaml(data), encoding="utf-8")
    monkeypatch.setattr(yaml_text, "MAX_BYTES", path.stat().st_size)
    assert read_yaml_mapping(path) == data
    with pytest.raises(ConfigError, match="keep data in a file"):
        dump_yaml({"key": list(range(101))})
