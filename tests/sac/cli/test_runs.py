"""What the commands that look at runs share: which checkpoint of a run, and which not."""

from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from sac.cli import run_command
from sac.diagnosis.run import diagnose
from sac.evaluation.evaluate import evaluate
from sac.export import export
from sac.run.layout import CHECKPOINTS_FOLDER
from sac.share.card import write_card
from sac.share.episodes import record
from sac.training.train import train
from tests.sac.tiny_runs import tiny_config


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tiny_config(tmp_path_factory.mktemp("runs"))).run_directory


@pytest.mark.parametrize("command", ["evaluate", "doctor", "export", "export --card", "record"])
@pytest.mark.parametrize("which", ["last", "20"])
def test_checkpoint_among_those_of_a_checkpoint_is_refused(
    run: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    which: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    name, *options = command.split()
    options += ["-o", "new"] * (name == "record")
    checkpoint = run / CHECKPOINTS_FOLDER / "40"
    assert run_command(name, [str(checkpoint), *options, "--checkpoint", which], name) == 2
    message = f"--checkpoint {which} chooses among those of a run, and '{checkpoint}' is a"
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_checkpoint_is_chosen_among_those_of_a_run(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--episodes", "1", "--json"]
    for path, more, step in (
        (run, ["--checkpoint", "20"], 20),
        (run / CHECKPOINTS_FOLDER / "40", [], 40),
    ):
        assert run_command("evaluate", [str(path), *options, *more], "evaluate") == 0
        assert f'"checkpoint_step": {step}' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "function"),
    [
        ("evaluate", evaluate),
        ("doctor", diagnose),
        ("export", export),
        ("export", write_card),
        ("record", record),
    ],
)
def test_help_names_the_default_of_the_function(
    capsys: pytest.CaptureFixture[str], command: str, function: Callable[..., Any]
) -> None:
    default = signature(function).parameters["checkpoint"].default
    with pytest.raises(SystemExit):
        run_command(command, ["--help"], command)
    words = " ".join(capsys.readouterr().out.split())
    assert f"a step. (default: {default})" in words
