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
        ([], "policy.onnx", "best", None),
        (["-o", "a.safetensors", "--checkpoint", "last"], "a.safetensors", "last", None),
        (["--output=b", "--format", "numpy", "--checkpoint", "1e4"], "b", "10000", "numpy"),
    ],
)
def test_arguments_reach_the_export(
    export: Recorder,
    capsys: pytest.CaptureFixture[str],
    argv: list[str],
    output: str,
    checkpoint: str,
    format: str | None,
) -> None:
    assert run("runs/x", *argv) == 0
    keywords = {"checkpoint": checkpoint, "format": format}
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
