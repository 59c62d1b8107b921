"""The display that several trainings share."""

import io
import re

import pytest

from sac.sweep.board import STEP_LINE, SharedProgress
from sac.terminal.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines_of_a_training() -> list[str]:
    """What a training prints where its output is a pipe."""
    stream = io.StringIO()
    with Progress(2000, stream=stream) as progress:
        for step in range(0, 2001, 500):
            progress.update(step, episodes=3, mean_return=-1234.5)
        progress.message("evaluation at step 2,000: mean return 1.00")
    return stream.getvalue().splitlines()


def test_lines_of_a_training_are_understood() -> None:
    *steps, message = lines_of_a_training()
    found = [STEP_LINE.fullmatch(line) for line in steps]
    assert [match is not None and match[1] for match in found] == ["500", "1,000", "1,500", "2,000"]
    assert STEP_LINE.fullmatch(message) is None


def test_in_a_file_every_line_says_whose_it_is() -> None:
    stream, lines = io.StringIO(), lines_of_a_training()
    with SharedProgress(["seed 0", "seed 1"], stream) as shared:
        shared.state("seed 1", "started")
        for line in lines:
            shared.line("seed 1", line)
    shown = stream.getvalue().splitlines()
    assert shown == ["seed 1: started", *(f"seed 1: {line}" for line in lines)]


def test_in_a_terminal_each_training_has_a_bar_and_messages_scroll_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    stream = Terminal()
    with SharedProgress(["seed 0", "seed 1"], stream) as shared:
        for line in lines_of_a_training()[:2]:
            shared.line("seed 1", line)
        shared.line("seed 1", "evaluation [bold]of[/bold] a step")
        shared.state("seed 0", "ended with exit status 9")
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    assert "seed 1: evaluation [bold]of[/bold] a step" in text
    last = text.split("evaluation", 1)[1]
    assert re.search(r"seed 0 .* 0 % +ended with exit status 9", last)
    assert re.search(r"seed 1 .* 50 % +episodes 3  return -1,23[45] ", last)
