"""The evaluate command: what it asks for, and what it prints."""

import json
from pathlib import Path
from typing import Any

import pytest

from sac.cli import run_command
from tests.sac.cli.conftest import Recorder

DEFAULTS = {
    "episodes": 20,
    "seed": 0,
    "checkpoint": "best",
    "deterministic": True,
    "num_envs": 1,
    "device": "auto",
}


def run(*argv: object) -> int:
    return run_command("evaluate", [str(argument) for argument in argv], "evaluate.py")


@pytest.mark.parametrize(
    ("argv", "changes"),
    [
        ([], {}),
        (["--episodes", "5", "--seed", "7"], {"episodes": 5, "seed": 7}),
        (["--episodes=1e2"], {"episodes": 100}),
        (["--checkpoint", "last"], {"checkpoint": "last"}),
        (["--checkpoint", "10000"], {"checkpoint": "10000"}),
        (["--checkpoint", "1e4"], {"checkpoint": "10000"}),
        (["--stochastic"], {"deterministic": False}),
        (["--num_envs", "4", "--device", "cuda:1"], {"num_envs": 4, "device": "cuda:1"}),
    ],
)
def test_arguments_reach_the_evaluation(
    evaluate: Recorder, tmp_path: Path, argv: list[str], changes: dict[str, Any]
) -> None:
    assert run(tmp_path, *argv) == 0
    assert evaluate.calls == [((tmp_path,), DEFAULTS | changes)]


def test_json_is_one_object_on_one_line(
    evaluate: Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--json") == 0
    captured = capsys.readouterr()
    assert captured.out.count("\n") == 1
    assert json.loads(captured.out) == evaluate.result.to_dict()
    assert "hello" in captured.err


def test_table_shows_every_number(
    evaluate: Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path) == 0
    text = capsys.readouterr().out
    for words in ("Pen[bold]dulum-v1, 2 episodes", "-150", "10.0", "-160", "-140", "200", "10000"):
        assert words in text


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["nowhere"], "nowhere does not exist, expected a run directory"),
        (["x" * 5000], "does not exist, expected a run directory"),
        ([], "the following arguments are required: RUN"),
        ([".", "--episodes", "0"], "--episodes: expected a whole number from 1 to 1e6, got 0"),
        ([".", "--episodes", "many"], "--episodes: expected a whole number from 1 to 1e6"),
        ([".", "--seed", "-1"], "--seed: expected a whole number from 0"),
        ([".", "--num_envs", "inf"], "--num_envs: expected a whole number from 1"),
        ([".", "--checkpoint", "newest"], "--checkpoint: expected one of best, last or a whole"),
        ([".", "--checkpoint", "-1"], "--checkpoint: expected one of best, last or a whole"),
        ([".", "--device", "tpu"], "device: expected auto, cpu, cuda or cuda:N, got 'tpu'"),
        ([".", "--jsn"], "--jsn"),
    ],
)
def test_refusal_is_one_line_and_status_2(
    evaluate: Recorder, capsys: pytest.CaptureFixture[str], argv: list[str], message: str
) -> None:
    assert run(*argv) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not captured.out
    assert not evaluate.calls


def test_error_from_the_evaluation_is_a_message(
    damaged_evaluate: Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--json") == 2
    captured = capsys.readouterr()
    assert captured.err.endswith("error: policy.safetensors is damaged\n")
    assert not captured.out
