"""The configs command: what is shipped, and what it is for."""

import pytest

from sac.cli import main
from sac.config.shipped import FOLDER, PRESETS, names


def test_every_shipped_name_is_listed_with_its_purpose(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["configs"]) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    known = {name: text for name, text in lines}
    assert {*names(FOLDER), *names(PRESETS)} <= known.keys()
    assert known["pendulum"].startswith("Pendulum-v1: ")
