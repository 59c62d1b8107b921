"""When learning starts where a configuration leaves it out."""

from pathlib import Path

import pytest

from sac.config import Config


@pytest.mark.parametrize(
    ("train", "starts"),
    [
        ({"total_steps": 57}, 5),
        ({"total_steps": 1000}, 100),
        ({"total_steps": 1001}, 1000),
        ({"total_steps": 1}, 0),
        ({"total_steps": 1000, "learning_starts": 1000}, 1000),
        ({}, 1000),
    ],
)
def test_default_gives_way_to_fewer_steps_and_says_so(
    capsys: pytest.CaptureFixture[str], train: dict[str, int], starts: int
) -> None:
    assert Config.from_dict({"train": train}).train.learning_starts == starts
    line = f"train.learning_starts is {starts}, as its default 1,000 is not below train"
    assert (line in capsys.readouterr().err) == (starts < 1000)


def test_default_follows_other_steps_of_a_finished_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def starts(config: Config, **train: int) -> int:
        return config.merged({"train": train}).train.learning_starts

    plain = Config.from_dict({"env": {"id": "a"}})
    assert (starts(plain, total_steps=500), starts(plain, total_steps=5000)) == (50, 1000)
    assert "train.learning_starts is 50, as its default" in capsys.readouterr().err
    assert starts(plain, total_steps=500, learning_starts=60) == 60
    short = plain.merged({"train": {"total_steps": 500}}).merged({"seed": 1})
    assert (short.train.learning_starts, starts(short, total_steps=5000)) == (50, 1000)
    assert capsys.readouterr().err.count("train.learning_starts is 50") == 1
    given = Config.from_dict({"train": {"total_steps": 500, "learning_starts": 50}})
    assert given.train == short.train
    assert starts(given, total_steps=5000) == starts(given.merged({}), total_steps=5000) == 50
    (tmp_path / "run.yaml").write_text(short.to_yaml(), encoding="utf-8")
    assert starts(Config.load(tmp_path / "run.yaml"), total_steps=5000) == 50
