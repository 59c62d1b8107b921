"""The evaluate command: what it asks for, and what it prints."""

import csv
import io
import json
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sac.cli import run_command
from sac.cli.evaluation_table import print_table
from sac.evaluation.result import EvaluationResult
from tests.sac.cli.conftest import RESULT, Recorder

DEFAULTS = {
    "env_overrides": {},
    "episodes": 20,
    "seed": 0,
    "deterministic": True,
    "num_envs": 1,
    "max_steps": 100_000,
    "device": "auto",
    "with_random": False,
    "video": None,
    "trust": False,
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
        (["--trust"], {"trust": True}),
        (["--checkpoint", "10000"], {"checkpoint": "10000"}),
        (["--checkpoint", "1e4"], {"checkpoint": "10000"}),
        (["--stochastic"], {"deterministic": False}),
        (["--num_envs", "4", "--device", "cuda:1"], {"num_envs": 4, "device": "cuda:1"}),
        (["--random"], {"with_random": True}),
        (["--max_steps", "1e3"], {"max_steps": 1000}),
        (["--env.id", "Other-v0"], {"env_overrides": {"id": "Other-v0"}}),
        (
            ["--env.kwargs.g", "-1", "--env.kwargs.wind.power=3"],
            {"env_overrides": {"kwargs": {"g": -1, "wind": {"power": 3}}}},
        ),
        (
            ["--render", "human", "--num_envs", "4", "--env.kwargs.g=2"],
            {"env_overrides": {"kwargs": {"render_mode": "human", "g": 2}}, "num_envs": 1},
        ),
    ],
)
def test_arguments_reach_the_evaluation(
    evaluate: Recorder, tmp_path: Path, argv: list[str], changes: dict[str, Any]
) -> None:
    assert run(*argv, tmp_path) == 0
    assert evaluate.calls == [((tmp_path,), DEFAULTS | changes)]


def test_film_comes_with_the_evaluation(
    evaluate: Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = tmp_path / "a.gif"
    assert run(tmp_path, "--video", film, "--seed", "7") == 0
    assert evaluate.calls == [((tmp_path,), DEFAULTS | {"seed": 7, "video": film})]
    assert capsys.readouterr().out.endswith(f"Film: {film}\n")


def test_several_runs_are_evaluated_alike(
    evaluate: Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert run(tmp_path, other, "--json") == 0
    assert evaluate.calls == [((tmp_path,), DEFAULTS), ((other,), DEFAULTS)]
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["run"] for line in lines] == ["runs/x[bold]"] * 2


def test_figures_beside_runs_are_left_out(
    evaluate: Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figure, folder = tmp_path / "E-c-seeds-2026.png", tmp_path / "run"
    figure.touch()
    folder.mkdir()
    assert run(figure, folder, "--json") == 0
    assert evaluate.calls == [((folder,), DEFAULTS)]
    assert run(figure) == 2
    assert f"{figure} is not a folder" in capsys.readouterr().err


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
    for words in ("Pen[bold]dulum-v1, 3 episodes", "-130.00", "-160.00 to -90.00", "29.44",
                  "-140.00", "-160.00", "-90.00", "159.0", "77, 200", "10000",
                  "Published for Pen[bold]dulum-v1: -157 (somebody)"):  # fmt: skip
        assert words in text, words


def test_table_shows_arguments_of_the_environments_and_how_actions_were_taken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    results = []
    for g in (9.81, 1.62):
        kwargs = {"g": g, "mode": "a"}
        chance = EvaluationResult([-900.0], [200], env=RESULT.env, env_kwargs=kwargs)
        results.append(replace(RESULT, env_kwargs=kwargs, random_policy=chance))
    print_table([*results, replace(RESULT, env_kwargs={"mode": "a"})])
    text = capsys.readouterr().out
    (line,) = [line for line in text.splitlines() if "env.kwargs.g" in line]
    assert (line.count("9.81"), line.count("1.62")) == (2, 2)
    assert "env.kwargs.mode" in text
    assert text.count("random") == 2, "in each of two environments"
    print_table([replace(RESULT, env_kwargs={"g": 5}, deterministic=False), RESULT])
    text = capsys.readouterr().out
    assert "env.kwargs.g" in text and "sampled" in text and "most likely" in text


def test_table_of_many_runs_folds_no_number(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    print_table([replace(RESULT, run=f"run-{i}", returns=[-1234.56 - i] * 9) for i in range(8)])
    text = capsys.readouterr().out
    for i in range(8):
        assert f"run-{i}" in text and text.count(f"-{1234.56 + i}") >= 3
    assert text.count("interquartile mean") == text.count("95 % interval of the mean") > 1


def test_runs_of_one_name_are_headed_by_more_of_their_paths(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    paths = ["/runs/a/best", "/runs/b/best", "/runs/a/last", "best"]
    print_table([replace(RESULT, run=path) for path in paths])
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "return" in line]
    assert line.replace("\u2503", " ").split() == ["return", "a/best", "b/best", "last", "best"]


def test_table_tells_environments_of_other_wrappers_apart(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    chance = EvaluationResult([-900.0], [200], env=RESULT.env)
    clipped = {"class_path": "gymnasium.wrappers.ClipReward", "kwargs": {"min_reward": -1}}
    plain = replace(RESULT, random_policy=chance)
    wrapped = replace(plain, env_wrappers=[clipped], published=None)
    print_table([plain, wrapped])
    text = capsys.readouterr().out
    assert text.count("random") == 2
    assert "env.wrappers" in text and "ClipReward(min_reward=-1)" in text
    assert "Published for" in text, "of the run without wrappers"


def test_json_has_null_for_what_is_no_number(
    evaluate: Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate.result = replace(RESULT, returns=[math.nan, -math.inf, 1.0])
    assert run(tmp_path, "--json") == 0
    captured = capsys.readouterr()

    def refuse(text: str) -> None:
        raise AssertionError(f"{text} is no JSON")

    (line,) = (each for each in captured.out.splitlines() if each.startswith("{"))
    document = json.loads(line, parse_constant=refuse)
    assert (document["returns"], document["mean_return"]) == ([None, None, 1.0], None)
    assert "warning: " in captured.err and "2 of 3 returns are no finite" in captured.err


def test_table_has_a_column_for_each_run_and_one_for_random_actions(
    evaluate: Recorder,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    chance = EvaluationResult([-900.0], [200], env=RESULT.env)
    evaluate.result = replace(RESULT, random_policy=chance)
    assert run(tmp_path, tmp_path) == 0
    text = capsys.readouterr().out
    header = next(line for line in text.splitlines() if "random actions" in line)
    assert header.count("x[bold]") == 2
    means = next(line for line in text.splitlines() if line.startswith("│ mean "))
    assert (means.count("-130.00"), means.count("-900.00")) == (2, 1)
    assert text.count("Published") == 1


def test_success_rate_has_a_row_where_an_environment_reports_it(
    evaluate: Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path) == 0
    assert "success" not in capsys.readouterr().out
    evaluate.result = replace(RESULT, successes=[True, False, True])
    assert run(tmp_path) == 0
    assert "67 %" in capsys.readouterr().out


def test_csv_is_a_header_and_a_line_for_each_policy(
    evaluate: Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = EvaluationResult([-900.0], [200], env=RESULT.env)
    evaluate.result = replace(RESULT, random_policy=chance)
    assert run(tmp_path, "--csv") == 0
    trained, untrained = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (trained["policy"], untrained["policy"]) == ("trained", "random")
    assert trained["run"] == "runs/x[bold]"
    assert {name: trained[name] for name in RESULT.summary()} == {
        name: "" if value is None else str(value) for name, value in RESULT.summary().items()
    }
    assert untrained["mean_return"] == "-900.0"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["nowhere"], "nowhere does not exist: expected a run directory"),
        (["x" * 5000], "does not exist: expected a run directory"),
        ([], "the following arguments are required: RUN"),
        ([".", "--episodes", "0"], "--episodes: expected a whole number from 1 to 1e6, got 0"),
        ([".", "--episodes", "many"], "--episodes: expected a whole number from 1 to 1e6"),
        ([".", "--seed", "-1"], "--seed: expected a whole number from 0"),
        ([".", "--num_envs", "inf"], "--num_envs: expected a whole number from 1"),
        ([".", "--checkpoint", "newest"], "--checkpoint: expected one of best, last or a whole"),
        ([".", "--checkpoint", "-1"], "--checkpoint: expected one of best, last or a whole"),
        ([".", "--device", "tpu"], "device: expected auto, cpu, cuda or cuda:N, got 'tpu'"),
        ([".", "--jsn"], "--jsn"),
        ([".", "--json", "--csv"], "not allowed with"),
        ([".", "--render", "ascii"], "invalid choice: 'ascii'"),
        ([".", "--env.kwargs.g"], "--env.kwargs.g: expected --env.kwargs.NAME VALUE"),
        ([".", "--env.kwargs.=3"], "expected --env.kwargs.NAME VALUE"),
        ([".", "--env.kwargs.g", "["], "--env.kwargs.g is not valid YAML"),
        ([".", ".", "--video", "a.gif"], "--video films one run"),
        ([".", "--render", "human", "--video", "a.gif"], "--video and --render"),
        ([".", "nowhere"], "nowhere does not exist: expected a run directory"),
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


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            PermissionError(13, "Permission denied", "a.csv"),
            "Can't use 'a.csv': Permission denied.",
        ),
        (OSError(28, "No space left on device"), "No space left on device."),
    ],
)
def test_stray_error_of_a_file_is_a_message(
    evaluate: Recorder,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    error: OSError,
    message: str,
) -> None:
    evaluate.error = error
    assert run(tmp_path, "--json") == 2
    captured = capsys.readouterr()
    assert captured.err.endswith(f"error: {message}\n")
    assert not captured.out


def test_error_of_an_environment_or_a_connection_keeps_its_traceback(
    evaluate: Recorder, tmp_path: Path
) -> None:
    of_environment = FileNotFoundError(2, "No such file or directory", "asset.xml")
    of_environment.add_note("In environment 0, in its reset.")
    for error in (of_environment, ConnectionResetError(104, "reset"), OSError("no display")):
        evaluate.error = error
        with pytest.raises(type(error)):
            run(tmp_path)


def test_run_in_a_folder_without_permission(
    evaluate: Recorder,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stat = os.stat

    def refuse(path: Any, **more: Any) -> os.stat_result:
        if "locked" in str(path):
            raise PermissionError(13, "Permission denied", path)
        return stat(path, **more)

    monkeypatch.setattr(os, "stat", refuse)
    assert run(tmp_path / "locked" / "run") == 2
    assert "locked/run is in a folder without permission to look into" in capsys.readouterr().err
    assert not evaluate.calls
