"""The doctor command: what it prints, its exit status, and what it says to bad input."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sac.cli import run_command
from sac.diagnosis import CHECKS
from sac.diagnosis.run import diagnose
from tests.sac.diagnosis.patients import Patient, env, trained

TINY = {
    "agent": {"hidden_sizes": [8]},
    "train": {"total_steps": 60, "learning_starts": 20, "batch_size": 32},
    "checkpoint": {"every_steps": 30},
}


def doctor(*argv: object) -> int:
    return run_command("doctor", [str(argument) for argument in argv], "doctor.py")


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("well"), TINY)


@pytest.fixture(scope="module")
def ill(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("ill"), TINY, env(reward_factor=1e4))


@pytest.fixture
def copy(well: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(well, tmp_path / "copy"))


def test_report_has_a_line_for_every_check(
    well: Path, ill: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(well, ill) == 0
    text = capsys.readouterr().out
    first, second = text.split(f"{ill}: ")
    early = "nothing wrong found at step 60; too early to judge: entropy, alpha, Q bias"
    assert first.startswith(f"{well}: {early}\n\nFine:\n")
    assert all(f"  {name}: " in first for name in CHECKS)
    assert "\nToo early to judge:\n  entropy: after 16 updates\n" in first
    assert "\nUnknown:\n  learning: " in first
    assert "! rewards: about " in second
    assert "\n  Remedy: agent.reward_scale: 0.0001.\n" in second
    assert "finding" in second.splitlines()[0]


def test_json_is_one_object_on_one_line(ill: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(ill, "--json") == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    report = json.loads(out)
    assert (report["run"], report["step"]) == (str(ill), 60)
    assert list(report["checks"]) == list(CHECKS)
    assert "rewards" in report["illnesses"]
    assert report["checks"]["rewards"]["remedy"] == "agent.reward_scale: 0.0001"


def test_strict_tells_by_the_exit_status(well: Path, ill: Path) -> None:
    assert doctor(well, "--strict") == 0
    assert doctor(well, ill, "--strict") == 1


def test_run_is_left_as_it_was(ill: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in ill.rglob("*")}
    assert doctor(ill) == 0
    assert {path: path.stat().st_mtime_ns for path in ill.rglob("*")} == before


def test_run_need_not_be_writable(well: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, original = [], os.open

    def watched(path: Any, flags: int, *args: Any, **keys: Any) -> int:
        if str(path).startswith(str(well)):
            opened.append(flags & (os.O_RDWR | os.O_WRONLY))
        return original(path, flags, *args, **keys)

    monkeypatch.setattr(os, "open", watched)
    assert doctor(well) == 0
    assert opened and not any(opened)


def test_damage_of_the_newest_checkpoint_is_a_finding(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy / "checkpoints" / "60" / "agent.safetensors").write_bytes(b"spoilt")
    assert doctor(copy, "--strict") == 1
    text = " ".join(capsys.readouterr().out.split())
    assert "! checkpoint: '" in text and "is damaged" in text
    assert "That of step 30 was examined" in text


def test_whole_numbers_may_be_those_of_numpy(well: Path) -> None:
    numbers: Any = {"checkpoint": np.int64(60), "episodes": np.int64(1), "seed": np.int64(3)}
    report, expected = diagnose(well, **numbers), diagnose(well, checkpoint=60, episodes=1, seed=3)
    assert report.note == "" and report.results["Q bias"] == expected.results["Q bias"]


def test_checkpoint_of_a_step(ill: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(ill, "--checkpoint", "30", "--episodes", "2") == 0
    text = capsys.readouterr().out
    assert "at step 30; " in text
    assert doctor(ill / "checkpoints" / "30", "--json", "--episodes", "2") == 0
    assert json.loads(capsys.readouterr().out)["step"] == 30


def test_damaged_newest_checkpoint(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copy / "checkpoints" / "60" / "policy.safetensors").write_bytes(b"")
    assert doctor(copy) == 0
    assert "at step 30; " in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, b"", b"step,train/entropy\n"])
def test_metrics_that_are_gone_or_empty(
    copy: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy / "metrics.csv").unlink()
    if content is not None:
        (copy / "metrics.csv").write_bytes(content)
    assert doctor(copy) == 0
    assert "nothing wrong" in capsys.readouterr().out


def test_environment_that_cannot_be_played_in(
    tmp_path: Path, copy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(self: Patient, action: object) -> None:
        raise RuntimeError("the simulator is not there")

    monkeypatch.setattr(Patient, "step", step)
    assert doctor(copy) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "could not be played in: RuntimeError: the simulator is not there" in out
    assert "truncation: no evaluation episode was played" in out


def test_environment_that_was_an_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(trained(tmp_path, TINY, source=Patient)) == 0
    assert "given as an object" in capsys.readouterr().out


def test_only_the_best_checkpoint_is_left(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(copy / "checkpoints")
    assert doctor(copy) == 2
    assert doctor(copy / "best") == 2
    assert "has no replay: expected the directory of a run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "the following arguments are required: RUN"),
        (["nowhere"], "nowhere does not exist: expected a run directory"),
        (["pyproject.toml"], "pyproject.toml is not a folder"),
        (["tests"], "'tests' has no checkpoints"),
        (["x" * 5000], "does not exist"),
        (["tests", "--checkpoint", "best"], "--checkpoint: expected last or a whole number"),
        (["tests", "--episodes", "0"], "--episodes: expected a whole number from 1"),
        (["tests", "--device", "tpu"], "device: expected auto, cpu, cuda or cuda:N"),
        (["tests", "--jsn"], "--jsn"),
    ],
)
def test_refusal_is_one_line_and_status_2(
    argv: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(*argv) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and message in captured.err
    assert captured.err.count("\n") == 1 and not captured.out
