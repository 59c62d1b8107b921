"""Reports of a training: each arrives as it was sent, whatever happens to the file between."""

import io
import math
from functools import partial
from pathlib import Path

import pytest

from sac.terminal import reports
from sac.terminal.progress import Progress

REPORTS: list[reports.Report] = [
    reports.Started("runs/a \udcff"),
    reports.Reached(500, 1000, {"episodes": 3, "mean_return": -1.5, "seconds_left": 7}),
    reports.Result("runs/a", 1000, 1000, 2, -1.5, 0.25, 10),
    reports.Result("runs/a", 7, 1000),
]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "reports.jsonl"
    monkeypatch.setenv(reports.FILE_VARIABLE, str(path))
    return path


def test_reports_arrive_as_they_were_sent(file: Path) -> None:
    reader = reports.Reader(file)
    assert list(reader.new()) == []
    for report in REPORTS:
        reports.send(report)
        assert list(reader.new()) == [report]
    assert list(reader.new()) == []
    assert list(reports.Reader(file).new()) == REPORTS


def test_numbers_that_are_not_finite_arrive(file: Path) -> None:
    reports.send(reports.Reached(1, 2, {"alpha": math.nan, "mean_return": -math.inf}))
    (report,) = reports.Reader(file).new()
    assert isinstance(report, reports.Reached)
    assert math.isnan(report.numbers["alpha"]) and report.numbers["mean_return"] == -math.inf


def test_half_a_line_waits_for_its_other_half(file: Path) -> None:
    for report in REPORTS:
        reports.send(report)
    whole = file.read_bytes()
    file.write_bytes(b"")
    reader, found = reports.Reader(file), []
    for end in range(0, len(whole) + 1):
        file.write_bytes(whole[:end])
        found += list(reader.new())
    assert found == REPORTS


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"\xff\n",
        b"3\n",
        b"[]\n",
        b'{"kind": "Result", "st{"kind": "Started", "run_directory": "a"}\n',
        b'{"kind": "Unknown"}\n',
        b'{"kind": "Started", "folder": "a"}\n',
        b'{"run_directory": "a"}\n',
    ],
)
def test_line_that_is_no_report_is_left_out(file: Path, line: bytes) -> None:
    file.write_bytes(line)
    reports.send(REPORTS[0])
    assert list(reports.Reader(file).new()) == [REPORTS[0]]


def test_reader_that_has_left_does_not_stop_a_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(reports.FILE_VARIABLE, str(tmp_path / "gone" / "reports.jsonl"))
    reports.send(REPORTS[0])
    assert not list(tmp_path.iterdir())


def test_nothing_is_reported_where_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(reports.FILE_VARIABLE, raising=False)
    assert not reports.is_read()
    reports.send(REPORTS[0])


def test_progress_reports_what_it_would_print(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress(1000, clock=lambda: 0.0) as progress:
        for step in range(0, 1001, 10):
            progress.update(step, partial(dict, episodes=3, updates=step))
        progress.message("evaluation")
    steps = list(reports.Reader(file).new())
    assert [report.step for report in steps if isinstance(report, reports.Reached)] == [
        *range(50, 1001, 50)
    ]
    last = steps[-1]
    assert isinstance(last, reports.Reached) and last.total_steps == 1000
    assert [*last.numbers] == ["episodes", "steps_per_second", "updates_per_second", "seconds_left"]
    assert capsys.readouterr().out == "evaluation\n"


def test_progress_on_a_stream_of_its_own_is_shown_there(file: Path) -> None:
    stream = io.StringIO()
    with Progress(1000, stream=stream) as progress:
        progress.update(1)
    assert stream.getvalue().startswith("step 1/1,000") and not file.exists()
