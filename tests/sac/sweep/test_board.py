"""The display that several trainings share."""

import io
import re

import pytest

from sac.sweep.board import Board
from sac.terminal.reports import Reached

HALF = Reached(1000, 2000, {"episodes": 3, "mean_return": -1234.4, "steps_per_second": 98.7})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_in_a_file_every_line_says_whose_it_is() -> None:
    stream = io.StringIO()
    with Board(["seed 0", "seed 1"], stream) as board:
        board.state("seed 1", "started")
        board.reached("seed 1", HALF)
        board.message("seed 0", "evaluation at step 2,000")
    assert stream.getvalue().splitlines() == [
        "seed 1: started",
        "seed 1: step 1,000/2,000 (50 %)  episodes 3  return -1,234  99 steps/s",
        "seed 0: evaluation at step 2,000",
    ]


def test_in_a_terminal_each_training_has_a_bar_and_messages_scroll_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    stream = Terminal()
    with Board(["seed 0", "seed 1", "seed 2"], stream) as board:
        board.reached("seed 1", HALF)
        board.message("seed 1", "evaluation [bold]of[/bold] a step")
        board.state("seed 0", "ended with exit status 9")
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    assert "seed 1: evaluation [bold]of[/bold] a step" in text
    assert "steps/s" not in text.split("seed 1", 1)[0], "nothing is shown before it is known"
    last = text.split("evaluation", 1)[1]
    assert re.search(r"seed 0 .* 0 % +ended with exit status 9", last)
    assert re.search(r"seed 1 .* 50 % +episodes 3  return -1,234  99 steps/s", last)
    assert re.search(r"seed 2 .* 0 % +waiting", last)
    assert stream.getvalue().rindex("\x1b[?25h") > stream.getvalue().rindex("\x1b[?25l")
