"""What is collected from processes that report, print and die; the trainings here are no more."""

import sys
from pathlib import Path

import pytest

from sac.sweep.plan import Plan
from sac.sweep.processes import Run, train_in_processes
from sac.terminal.reports import Result

CHILD = """
import os, signal, sys
from sac.terminal import reports
print("hello from", os.environ["WORDS"], sys.argv[-1], flush=True)
reports.send(reports.Started("runs/a"))
reports.send(reports.Reached(5, 10, {"alpha": 0.5}))
print("told")
"""
FINISHES = 'reports.send(reports.Result("runs/a", 10, 10))'
DIES = """
with open(os.environ[reports.FILE_VARIABLE], "ab") as file:
    file.write(b'{"kind": "Result", "run_directory": "ru')
os.kill(os.getpid(), signal.SIGKILL)
"""


def collect(end: str, seeds: list[int]) -> list[Run]:
    commands = {f"seed {seed}": [sys.executable, "-c", CHILD + end, str(seed)] for seed in seeds}
    plan = Plan(commands, 2, {"WORDS": "a child"})
    runs, interrupted_by = train_in_processes(plan)
    assert interrupted_by is None
    return runs


def test_reports_and_printed_lines_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    runs = collect(FINISHES, [3, 5, 8])
    result = Result("runs/a", 10, 10)
    assert runs == [Run(f"seed {seed}", 0, Path("runs/a"), result) for seed in (3, 5, 8)]
    lines = capsys.readouterr().out.splitlines()
    for seed in (3, 5, 8):
        own = [line for line in lines if line.startswith(f"seed {seed}: ")]
        assert sorted(own) == sorted(
            f"seed {seed}: {text}"
            for text in (
                "started",
                f"hello from a child {seed}",
                "step 5/10 (50 %)  alpha 0.5",
                "told",
                "done",
            )
        )
        assert own[0].endswith("started") and own[-1].endswith("done")


@pytest.mark.skipif(sys.platform == "win32", reason="no signal kills there")
def test_child_that_dies_in_the_middle_of_a_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert collect(DIES, [3]) == [Run("seed 3", 128 + 9, Path("runs/a"), None)]
    shown = capsys.readouterr().out
    assert "seed 3: told\n" in shown and shown.endswith("seed 3: failed with exit status 137\n")


def test_child_that_says_nothing_at_all() -> None:
    assert collect("raise SystemExit(4)", [1])[0].status == 4
    plan = Plan({"one": [sys.executable, "-c", "raise SystemExit(7)"]}, 1, {})
    assert train_in_processes(plan) == ([Run("one", 7)], None)


@pytest.mark.skipif(sys.platform == "win32", reason="no signal kills there")
def test_child_that_a_signal_ends_early_was_interrupted(capsys: pytest.CaptureFixture[str]) -> None:
    collect("os.kill(os.getpid(), signal.SIGTERM)", [1])
    collect("sys.exit(130)", [2])
    shown = capsys.readouterr().out
    assert "seed 1: interrupted\n" in shown and "seed 2: interrupted\n" in shown
