"""The plot command: what it asks for, what it prints, what it refuses."""

from pathlib import Path
from typing import Any

import pytest

from sac.cli import run_command
from sac.plots import PlotSettings
from tests.sac.cli.conftest import Recorder


def run(*argv: object) -> int:
    return run_command("plot", [str(argument) for argument in argv], "plot.py")


@pytest.fixture
def plot(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder(result=["runs/x is empty: left out"])
    monkeypatch.setattr("sac.plots.plot", recorder)
    return recorder


@pytest.mark.parametrize(
    ("argv", "settings"),
    [
        ([], {}),
        (["--group-by", "env,agent.gamma"], {"group_by": ["env", "agent.gamma"]}),
        (["--group_by=name"], {"group_by": ["name"]}),
        (["--x", "time", "--smooth", "5"], {"x": "time", "smooth": 5}),
        (["--statistic", "iqm", "--final"], {"statistic": "iqm", "final": True}),
        (["--metric", "rollout/episode_return"], {"metric": "rollout/episode_return"}),
    ],
)
def test_arguments_reach_the_figure(
    plot: Recorder,
    capsys: pytest.CaptureFixture[str],
    argv: list[str],
    settings: dict[str, Any],
) -> None:
    assert run("a", "b", "-o", "c.svg", *argv) == 0
    expected = ([Path("a"), Path("b")], Path("c.svg"), PlotSettings(**settings))
    assert plot.calls == [(expected, {})]
    captured = capsys.readouterr()
    assert captured.out.endswith("c.svg\n")
    assert captured.err == "warning: runs/x is empty: left out\n"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "required: RUN"),
        (["a", "--smooth", "0"], "--smooth: expected a whole number from 1"),
        (["a", "--x", "hours"], "invalid choice: 'hours'"),
        (["a", "--statistic", "max"], "invalid choice: 'max'"),
        (["nowhere"], "nowhere does not exist"),
    ],
)
def test_refusal_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], argv: list[str], message: str
) -> None:
    assert run(*argv) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and message in captured.err
    assert captured.err.count("\n") == 1
