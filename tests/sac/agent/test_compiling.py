"""train.compile: what is chosen, what is said of it, and that a run remembers it."""

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

import autograd as torch
from autograd.compiled import BuildError
from sac.agent import compiling
from sac.agent.compiling import Compilation
from sac.errors import ConfigError
from sac.training.train import train
from tests.autograd.compiled.drivers import library
from tests.sac.tiny_runs import tiny_config

CPU = torch.device("cpu")
MORE = {"train": {"total_steps": 80}}


@pytest.fixture
def without_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> None:
        raise BuildError("there is no C compiler: install one")

    monkeypatch.setattr("autograd.compiled.load", load)


def config(root: Path, compile: str) -> Any:
    return tiny_config(root, {"train": {"compile": compile}})


def updates_of(run: Path) -> str:
    return json.loads((run / "versions.json").read_bytes())["updates"]


def test_modes() -> None:
    with pytest.raises(ConfigError, match=r"train.compile: expected one of auto, always, never"):
        Compilation("sometimes", CPU)
    with pytest.raises(ConfigError, match="on a GPU, which has kernels of its own, got always"):
        Compilation("always", torch.device("cuda"))
    for mode in ("auto", "never"):
        choice = Compilation(mode, torch.device("cuda"))
        assert choice.compiler is None and choice.note == []
    never = Compilation("never", CPU)
    assert never.compiler is None and never.note == [] and never.name == "numpy"


@pytest.mark.parametrize(("threads", "words"), [(1, "on 1 thread"), (3, "on up to 3 threads")])
def test_kernels_and_threads_are_told(
    monkeypatch: pytest.MonkeyPatch, threads: int, words: str
) -> None:
    kernels = library()
    monkeypatch.setattr(compiling, "update_threads", lambda: threads)
    choice = Compilation("always", CPU)
    assert choice.compiler.threads == threads and choice.compiler.library is kernels
    assert choice.note == [f"updates run compiled, {words}"]
    assert choice.name == f"compiled by {kernels.compiler}"


def test_short_vectors_are_left_alone_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograd.compiled.load", lambda: Mock(is_fast=False))
    choice = Compilation("auto", CPU)
    assert choice.compiler is None and "this processor's vectors are short" in choice.note[0]
    assert Compilation("always", CPU).compiler is not None


@pytest.mark.usefixtures("without_compiler")
def test_always_without_a_compiler_begins_nothing(tmp_path: Path) -> None:
    message = "train.compile: always can't be had: there is no C compiler: install one"
    with pytest.raises(ConfigError, match=message):
        train(config(tmp_path, "always"))
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("without_compiler")
def test_auto_without_a_compiler_says_one_line_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = train(config(tmp_path, "auto")).run_directory
    text = " ".join(capsys.readouterr().out.split())
    assert text.count("updates run in NumPy, not compiled: there is no C compiler") == 1
    assert updates_of(run) == "numpy"


def test_resume_by_the_other_path_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"compiled by {library().compiler}"
    run = train(config(tmp_path, "never")).run_directory
    assert updates_of(run) == "numpy"
    assert "updates run" not in capsys.readouterr().out
    train(resume=run, overrides={"train": {"total_steps": 80, "compile": "always"}})
    text = " ".join(capsys.readouterr().out.split())
    assert f"updates numpy -> {name}" in text and "may differ in their bits" in text
    assert "updates run compiled" in text
    manifest = json.loads((run / "checkpoints" / "80" / "manifest.json").read_bytes())
    assert manifest["versions"]["updates"] == name
    train(resume=run, overrides={"train": {"total_steps": 100, "compile": "never"}})
    text = " ".join(capsys.readouterr().out.split())
    assert f"updates numpy -> {name} -> numpy" in text
