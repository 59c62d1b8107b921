"""The export command: what it asks for, what it prints, what it refuses."""

from pathlib import Path

import pytest

from sac.cli import run_command
from tests.sac.cli.conftest import Recorder


def run(*argv: object) -> int:
    return run_command("export", [str(argument) for argument in argv], "export.py")


@pytest.fixture
def export(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder(result="policy.onnx: agrees")
    monkeypatch.setattr("sac.export.export", recorder)
    return recorder


@pytest.mark.parametrize(
    ("argv", "output", "checkpoint", "format"),
    [
        ([], "policy.onnx", {}, None),
        (["--format", "numpy"], "policy.safetensors", {}, "numpy"),
        (
            ["-o", "a.safetensors", "--checkpoint", "last"],
            "a.safetensors",
            {"checkpoint": "last"},
            None,
        ),
        (
            ["--output=b", "--format", "numpy", "--checkpoint", "1e4"],
            "b",
            {"checkpoint": "10000"},
            "numpy",
        ),
    ],
)
def test_arguments_reach_the_export(
    export: Recorder,
    capsys: pytest.CaptureFixture[str],
    argv: list[str],
    output: str,
    checkpoint: dict[str, str],
    format: str | None,
) -> None:
    assert run("runs/x", *argv) == 0
    keywords = {**checkpoint, "format": format}
    assert export.calls == [((Path("runs/x"), Path(output)), keywords)]
    assert capsys.readouterr().out.endswith("policy.onnx: agrees\n")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "the following arguments are required: RUN"),
        (["runs/x", "--format", "torch"], "--format: invalid choice: 'torch'"),
        (
            ["runs/x", "--checkpoint", "newest"],
            "--checkpoint: expected one of best, last or a whole",
        ),
        (["runs/x", "-o", "policy.pt"], "--output: expected a name that ends in .onnx or"),
    ],
)
def test_refusals(capsys: pytest.CaptureFixture[str], argv: list[str], message: str) -> None:
    assert run(*argv) == 2
    assert message in capsys.readouterr().err


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder(result="card: agrees")
    monkeypatch.setattr("sac.share.card.write_card", recorder)
    return recorder


def test_arguments_reach_the_card(card: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("runs/x", "--card") == 0
    options = ["-o", "hub", "--episodes", "3", "--checkpoint", "last", "--trust"]
    assert run("runs/x", "--card", *options) == 0
    assert card.calls == [
        ((Path("runs/x"), Path("card")), {"episodes": 20, "trust": False}),
        ((Path("runs/x"), Path("hub")), {"checkpoint": "last", "episodes": 3, "trust": True}),
    ]
    assert capsys.readouterr().out.endswith("card: agrees\n")


@pytest.mark.parametrize("options", [["--episodes", "3"], ["--trust"]])
def test_options_of_the_card_without_it(
    capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    assert run("runs/x", *options) == 2
    assert "are about the evaluation in a --card" in capsys.readouterr().err


def test_card_has_no_format(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("runs/x", "--card", "--format", "onnx") == 2
    assert "--format is that of one file" in capsys.readouterr().err
