"""The configs command: what is shipped, and what it is for."""

import pytest

from sac.cli import main
from sac.config.shipped import FOLDER, PRESETS, SPACES, names


def test_every_shipped_name_is_listed_with_its_purpose(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["configs"]) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    known = [name for name, text in lines if text]
    for name in (*names(FOLDER), *names(PRESETS), *names(SPACES)):
        assert name in known
    assert dict(reversed(lines))["pendulum"].startswith("Pendulum-v1: ")
