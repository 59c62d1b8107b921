"""The sweep command: what it says, and what it refuses before anything starts."""

import errno
import importlib.util
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from sac.cli import main
from sac.config import Config
from sac.sweep.child import LocalChild
from sac.sweep.folder import SweepFolder
from sac.sweep.space import Space
from tests.sac.tiny_runs import tiny_config


def files(root: Path, space: str = "agent.tau: [0.1, 0.2]") -> list[str]:
    (root / "tiny.yaml").write_text(tiny_config(root).to_yaml())
    (root / "space.yaml").write_text(space)
    return ["sweep", "--config", str(root / "tiny.yaml"), "--space", str(root / "space.yaml")]


def test_help_explains_the_space(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["sweep", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for words in (
        "--trials",
        "{log: [1e-4, 3e-3]}",
        "--backend",
        "median",
        "goes on when the same",
    ):
        assert words in shown


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--seed", "3"], "--seeds_per_trial"),
        (["--address", "auto"], "give --backend ray, too"),
        (["--trials", "0"], "--trials: expected"),
        (["--timeout", "-1"], "--timeout: expected"),
        (["--evaluation.env", "none"], "a sweep compares returns"),
        (["--agent.taau", "1"], "the nearest is --agent.tau"),
        (["--pruner", "best"], "--pruner"),
        (["--sweep", "../x-sweep"], "got '../x-sweep'; give --sweep x-sweep"),
        (["--sweep", "/up/x"], "got '/up/x'; give --sweep up_x"),
        (["--sweep", ""], "got ''; give --sweep sweep"),
    ],
)
def test_refusals(
    tmp_path: Path, options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*files(tmp_path), *options]) == 2
    assert words in capsys.readouterr().err
    assert not list(tmp_path.glob("*sweep*"))


@pytest.mark.parametrize(
    ("space", "option"),
    [
        ("train.n_step: {int: [1, 5]}", "--train.n_step=4"),
        ("agent.target_std: [0.1, 0.2]", "--agent.target_std=null"),
        ("device: [cpu, cuda]", "--device=cpu"),
        ("env.kwargs.g: [5, 10]", "--env.kwargs.g=7"),
    ],
)
def test_an_option_for_what_the_space_chooses_is_refused(
    tmp_path: Path, space: str, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*files(tmp_path, space), option]) == 2
    key = option.partition("=")[0]
    assert f"error: {key}: the space chooses it for each trial" in capsys.readouterr().err
    assert not list(tmp_path.glob("*sweep*"))


def test_an_option_may_say_what_a_key_is_where_its_condition_does_not_hold() -> None:
    document: dict[str, Any] = {"agent.critic": ["sac", "tqc"]}
    document |= {"train.n_step": {"int": [1, 5], "if": {"agent.critic": "tqc"}}}
    overrides = {"train": {"n_step": 4}}
    Space(document, Config.load("pendulum", overrides)).check_options(overrides)


def test_config_and_space_are_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "--config", "pendulum"]) == 2
    assert "expected --config FILE and --space FILE" in capsys.readouterr().err


def test_a_wrong_space_leaves_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(files(tmp_path, "agent.tau: [0.1, 3]")) == 2
    assert "agent.tau, at 3: agent.tau: expected" in capsys.readouterr().err
    assert not list(tmp_path.glob("*sweep*"))


@pytest.mark.skipif(importlib.util.find_spec("optuna") is not None, reason="Optuna is here")
def test_without_optuna_it_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(files(tmp_path)) == 2
    shown = capsys.readouterr().err
    assert "a sweep needs Optuna" in shown and "[optuna]" in shown
    assert not list(tmp_path.glob("*sweep*"))


@pytest.mark.extras
def test_a_sweep_prints_json_and_makes_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("optuna", reason="the extra optuna")
    command = [*files(tmp_path), "--trials", "2", "--workers", "2", "--json"]
    assert main([*command, "--agent.gamma", "0.9"]) == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert found["best"]["state"] == "complete" and len(found["trials"]) == 2
    assert found["sweep"] == str(tmp_path / "tiny-sweep")
    assert "gamma: 0.9" in (tmp_path / "tiny-sweep" / "best.yaml").read_text()
    assert main([*command, "--agent.gamma", "0.8"]) == 2
    assert "another agent.gamma: 0.9, now 0.8" in capsys.readouterr().err


@pytest.mark.extras
def test_a_sweep_whose_files_can_not_be_written_says_how_it_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    optuna = pytest.importorskip("optuna", reason="the extra optuna")
    command = [*files(tmp_path), "--trials", "1"]
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    database = optuna.exceptions.StorageInternalError("An exception is raised during the commit.")
    database.__cause__ = full
    for error in (full, database):

        def write(*arguments: object, error: Exception = error) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(SweepFolder, "write_rows", write)
            assert main(command) == 2
        shown = " ".join(capsys.readouterr().err.split())
        assert "No space left on device" in shown and "the same command goes on" in shown
    assert main(command) == 0


@pytest.mark.extras
def test_a_sweep_without_a_complete_trial_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("optuna", reason="the extra optuna")
    command = [*files(tmp_path, "env.kwargs.foo: [5, 10]"), "--trials", "1", "--json"]
    for _ in range(2):  # the second finds the trial that failed
        assert main(command) == 1
        shown = capsys.readouterr()
        found = json.loads(shown.out)
        assert found["best"] is None
        assert [trial["state"] for trial in found["trials"]] == ["failed"]
        assert "\nerror: no trial is complete, 1 failed: mend what they say" in shown.err
        assert "give more --trials" in shown.err
    in_no_time = [*command, "--timeout", "1e-9", "--sweep", "other"]
    assert main(in_no_time) == 1
    assert "error: no trial is complete, none began before --timeout" in capsys.readouterr().err


@pytest.mark.extras
def test_a_trial_that_somebody_ended_is_to_be_gone_on_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("optuna", reason="the extra optuna")
    command = [*files(tmp_path), "--trials", "1"]
    # As if its training had been sent SIGTERM from outside.
    read = vars(LocalChild)["status"].fget
    ended = property(lambda child: None if read(child) is None else 128 + signal.SIGTERM)
    monkeypatch.setattr(LocalChild, "status", ended)
    assert main(command) == 0
    assert f"Go on: python -m sac sweep --config {tmp_path}" in capsys.readouterr().out
    monkeypatch.undo()
    assert main(command) == 0
    assert "Go on" not in capsys.readouterr().out
