"""Places of results, which are refused before the work."""

import os
from pathlib import Path

import pytest

from sac.disk.places import check_file_place, check_place
from sac.errors import ConfigError


def test_place_that_can_be(tmp_path: Path) -> None:
    check_place(tmp_path / "new", "--output")
    check_place(tmp_path, "--output")
    check_file_place(tmp_path / "file.gif", "--video")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no/file.gif", "--video: the folder '.*no' does not exist"),
        (".", "--video: expected the name of a file, got the folder"),
    ],
)
def test_place_where_no_file_can_be(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_file_place(tmp_path / name, "--video")


def test_folder_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # nothing is refused to root
    with pytest.raises(ConfigError, match=r"a folder that you may write to, got '.*file\.gif'"):
        check_file_place(tmp_path / "file.gif", "--video")
