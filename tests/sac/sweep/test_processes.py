"""What is collected from processes that report, print and die; the trainings here are no more."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sac.sweep import child
from sac.sweep.board import Board
from sac.sweep.plan import Plan
from sac.sweep.processes import Run, Supervisor, local_start, train_in_processes
from sac.terminal.reports import Reached, Report, Result

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


def test_what_a_training_leaves_running_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "LINE_SECONDS", 0.1)
    # Its output stays open until the one that sleeps ends.
    command = ["sh", "-c", "sleep 600 & echo $!; exit 3"]
    training = child.LocalChild(command, {}, tmp_path / "reports")
    lines: list[child.Event] = []
    while training.status is None:
        lines += training.new()
        time.sleep(0.01)
    (left,) = [*lines, *training.new()]
    os.kill(int(str(left)), signal.SIGKILL)  # it was still there
    assert training.status == 3


ENDS_ONCE = """
import signal, time
told = []
signal.signal(signal.SIGTERM, lambda *_: told.append(1))
reports.send(reports.Reached(6, 10))
until = time.monotonic() + 60
while not told and time.monotonic() < until:
    time.sleep(0.01)
time.sleep(0.5)
sys.exit(len(told))
"""


def test_a_run_that_is_over_is_told_so_once() -> None:
    """A second signal would end it without a checkpoint."""

    class Over:
        def __init__(self) -> None:
            self.runs = [Run("a", command=(sys.executable, "-c", CHILD + ENDS_ONCE))]
            self.is_told = False

        def next(self) -> Run | None:
            return self.runs.pop() if self.runs else None

        def reported(self, run: Run, report: Report) -> None:
            self.is_told |= isinstance(report, Reached) and report.step == 6

        def is_over(self, run: Run) -> bool:
            return self.is_told

        def ended(self, run: Run) -> str:
            self.status = run.status
            return "over"

    jobs = Over()
    with local_start({"WORDS": "a child"}) as start:
        assert Supervisor(jobs, Board(), 1, start).train() is None
    assert jobs.status == 1


def test_a_child_ends_with_its_parent(tmp_path: Path) -> None:
    child = (
        "import time; from sac.terminal import reports; reports.end_with_reader();"
        "print('up', flush=True); time.sleep(60)"
    )
    parent = (
        "import sys, os, time; from pathlib import Path; from sac.sweep.child import LocalChild;"
        f"c = LocalChild([sys.executable, '-c', {child!r}], {{}}, Path({str(tmp_path / 'r')!r}));\n"
        "while 'up' not in c.new(): time.sleep(0.01)\n"
        "print(c._process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    shown = subprocess.run([sys.executable, "-c", parent], capture_output=True, text=True).stdout
    until = time.monotonic() + 20
    while is_alive(int(shown)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_alive(int(shown))


def is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


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
