import io
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import SupportsFloat

import numpy as np
import pytest

from sac.terminal.progress import Progress

ROOT = Path(__file__).parents[3]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def environment_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")


def train(stream: io.StringIO, total_steps: int = 1000, start_step: int = 0) -> list[str]:
    """A run of 100 steps and 50 updates a second, of which episodes end at step 600."""
    clock = Clock()

    def numbers() -> dict[str, SupportsFloat]:
        late = {"episodes": 1234, "mean_return": -1203.4} if step >= 600 else {}
        return {"updates": step // 2, "alpha": np.float32(0.25), **late}

    with Progress(total_steps, start_step, stream=stream, clock=clock) as progress:
        for step in range(start_step + 1, total_steps + 1):
            clock.now += 0.01
            progress.update(step, numbers)
            if step == 600:
                progress.message("evaluation: mean return -150")
    return stream.getvalue().splitlines()


def test_plain_lines_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    lines = train(stream)
    assert "\r" not in stream.getvalue() and "\x1b" not in stream.getvalue()
    assert lines.count("evaluation: mean return -150") == 1
    assert lines[0] == "step 50/1,000 (5 %)  alpha 0.25  100 steps/s  51 updates/s"
    assert lines[1] == (
        "step 100/1,000 (10 %)  alpha 0.25  100 steps/s  50 updates/s  0:00:09 left"
    )
    assert lines[-1] == (
        "step 1,000/1,000 (100 %)  alpha 0.25  episodes 1,234  return -1,203  "
        "100 steps/s  50 updates/s  0:00:00 left"
    )
    assert len(lines) == 21


def test_the_last_step_is_always_shown() -> None:
    clock = Clock()
    stream = io.StringIO()
    with Progress(1000, stream=stream, clock=clock) as progress:
        progress.update(1)
        progress.update(7)
    assert stream.getvalue().startswith("step 7/1,000 (0 %)")


def test_a_slow_run_prints_by_the_clock() -> None:
    clock = Clock()
    stream = io.StringIO()
    with Progress(10_000_000, stream=stream, clock=clock) as progress:
        for step in range(1, 11):
            clock.now += 30
            progress.update(step)
    assert [line.split("/")[0] for line in stream.getvalue().splitlines()] == [
        "step 3",
        "step 5",
        "step 7",
        "step 9",
        "step 10",
    ]


def test_time_left_counts_updates_and_evaluations() -> None:
    clock, stream = Clock(), io.StringIO()
    with Progress(2000, stream=stream, clock=clock) as progress:
        for step in range(1, 2001):
            clock.now += 0.001 if step <= 500 else 0.1  # random steps, then steps with an update
            clock.now += 10 * (step % 500 == 0)  # an evaluation
            progress.update(step, partial(dict, updates=max(0, step - 500)))
    lines = [line for line in stream.getvalue().splitlines() if line.startswith("step")]
    assert all("left" not in line for line in lines[:6])
    assert all("left" in line for line in lines[6:])
    told = {line.split("/")[0]: line.rpartition("  ")[2] for line in lines}
    assert told["step 800"] == "0:02:00 left"  # 1,200 steps of 0.1 s
    assert told["step 1,100"] == "0:01:48 left"  # 900, and one evaluation in 500 steps before


def test_a_resumed_run_counts_its_own_rate() -> None:
    assert "  100 steps/s  " in train(io.StringIO(), start_step=500)[0]


def test_live_display_in_a_terminal() -> None:
    threads = threading.active_count()
    stream = Terminal()
    with Progress(10, stream=stream):
        assert threading.active_count() == threads, "no thread draws beside the training"
    train(stream)
    text = stream.getvalue()
    for part in ("1,000/1,000", "100 %", "100 steps/s", "50 updates/s", "alpha 0.25", "1,234"):
        assert part in text
    assert "evaluation: mean return -150" in text
    assert 10 < text.count("steps/s") < 60, "drawn twice a second, not at every step"
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l"), "the cursor is shown again"


def test_the_terminal_is_restored_after_an_error() -> None:
    stream = Terminal()
    with pytest.raises(KeyboardInterrupt), Progress(10, stream=stream) as progress:
        progress.update(1)
        raise KeyboardInterrupt
    assert stream.getvalue().rindex("\x1b[?25h") > stream.getvalue().rindex("\x1b[?25l")


def test_dumb_terminals_get_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert train(Terminal()) == train(io.StringIO())


def test_numbers_are_read_only_when_they_are_shown() -> None:
    class Number:
        reads = 0

        def __float__(self) -> float:
            Number.reads += 1
            return 1.0

    asked: list[int] = []

    def numbers() -> dict[str, SupportsFloat]:
        asked.append(step)
        return {"alpha": Number()}

    stream = io.StringIO()
    with Progress(1000, stream=stream, clock=Clock()) as progress:
        for step in range(1, 1001):
            progress.update(step, numbers)
    assert Number.reads == len(stream.getvalue().splitlines()) == 20
    assert set(asked) == {1, *range(50, 1001, 50)}


def test_heavy_libraries_are_imported_when_used() -> None:
    code = (
        "import sys, sac.terminal.progress, sac.metrics.logger, sac.run.checkpoint\n"
        "import sac.evaluation.evaluate\n"
        "print([m for m in ('rich', 'tensorboard', 'safetensors') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
