"""The command that an error names as its cure."""

import tomllib
from pathlib import Path

import pytest

from sac import errors

ROOT = Path(__file__).parents[2]


def test_extra_of_an_installed_package_is_installed_by_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert errors.install_command("video") == 'pip install -e ".[video]"'
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    monkeypatch.setattr(errors, "__file__", str(tmp_path / "sac" / "errors.py"))
    assert errors.install_command("video") == f'pip install "{project["name"]}[video]"'
