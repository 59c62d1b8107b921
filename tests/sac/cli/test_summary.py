"""The summary of a run: where it lies, how it stands, and commands that work as they are."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sac.cli.summary import MODULE_COMMANDS, print_summary, shown_path
from sac.terminal.reports import Result


@pytest.fixture
def working_directory(tmp_path: Path) -> Iterator[Path]:
    before = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)


def commands(text: str) -> list[list[str]]:
    return [shlex.split(line) for line in text.splitlines() if line.startswith("  ")]


def test_summary(working_directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = working_directory / "runs" / "my run"
    result = Result(str(run), 1000, 1000, 2, -1.5, 0.5, episodes=2)
    print_summary(result, {name: f"python scripts/{name}.py" for name in MODULE_COMMANDS})
    text = capsys.readouterr().out
    assert "Run directory: 'runs/my run'" in text
    assert "-1.50 +- 0.50 over 2 episodes" in text
    assert "Findings: 2, in findings.csv" in text
    assert commands(text) == [
        ["python", "scripts/doctor.py", "runs/my run"],
        ["tensorboard", "--logdir", "runs"],
        ["python", "scripts/evaluate.py", "runs/my run"],
        ["python", "scripts/train.py", "--resume", "runs/my run", "--train.total_steps", "2000"],
    ]


def test_summary_says_when_the_return_was_and_of_a_better_one(
    working_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told: dict[str, Any] = {
        "mean_return": 9.0,
        "std_return": 0.0,
        "episodes": 1,
        "evaluated_step": 1000,
    }
    print_summary(Result(str(working_directory / "run"), 1276, 1500, 0, **told, best_return=21.5))
    text = capsys.readouterr().out
    assert "Mean return at step 1,000: 9.00 +- 0.00 over 1 episode\n" in text
    assert "Best mean return: 21.50, of the policy that evaluate plays\n" in text
    told |= {"evaluated_step": 1500}
    print_summary(Result(str(working_directory / "run"), 1500, 1500, 0, **told, best_return=9.0))
    text = capsys.readouterr().out
    assert "Mean return: 9.00" in text and "Best" not in text


def test_summary_of_a_run_that_stopped_at_its_return(
    working_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_summary(Result(str(working_directory / "run"), 300, 1000, has_reached_goal=True))
    last = commands(capsys.readouterr().out)[-1]
    assert last[-4:] == ["--resume", "run", "--train.stop_at_return", "null"]


def test_summary_of_an_unfinished_run(
    working_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_summary(Result(str(working_directory / "run"), 300, 1000))
    assert commands(capsys.readouterr().out) == [
        ["tensorboard", "--logdir", "."],
        ["python", "-m", "sac", "evaluate", "run"],
        ["python", "-m", "sac", "train", "--resume", "run"],
    ]


def test_commands_on_a_run_without_a_signature(
    working_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_summary(Result(str(working_directory / "run"), 9, 9, findings=1), needs_trust=True)
    assert commands(capsys.readouterr().out) == [
        ["python", "-m", "sac", "doctor", "run", "--trust"],
        ["tensorboard", "--logdir", "."],
        ["python", "-m", "sac", "evaluate", "run", "--trust"],
        ["python", "-m", "sac", "train", "--resume", "run", "--trust", "--train.total_steps", "18"],
    ]


def test_paths_elsewhere_are_shown_whole(working_directory: Path) -> None:
    assert shown_path(Path("/somewhere/run")) == "/somewhere/run"
    assert shown_path(Path("runs/run")) == "runs/run"
