import errno
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sac.errors import ConfigError, SACError
from sac.metrics.events import EventFile
from sac.plots.runs import elapsed_seconds, find_runs, read_metric, read_run
from tests.sac.plots.runs_for_tests import METRIC, write_run


def test_finds_runs_themselves_and_below_each_once(tmp_path: Path) -> None:
    first = write_run(tmp_path, "a")
    second = write_run(tmp_path, "sweep/b")
    (first / "best").mkdir()
    (first / "best" / "config.yaml").touch()
    (tmp_path / "empty").mkdir()
    assert find_runs([tmp_path]) == ([first, second], [])
    assert find_runs([second, tmp_path, first]) == ([second, first], [])


def test_folders_that_cannot_be_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, locked = write_run(tmp_path, "a"), tmp_path / "locked"
    locked.mkdir()
    scan = os.scandir

    def scan_as_a_stranger(path: str | Path) -> Any:  # root may read every folder
        if Path(path) == locked:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scan_as_a_stranger)
    error = f"{locked} can't be read: Permission denied"
    assert find_runs([tmp_path, locked]) == ([run], [error])
    assert find_runs([locked]) == ([], [error])


@pytest.mark.parametrize(
    ("name", "message"),
    [("nowhere", "does not exist"), ("empty", "contains none"), ("file", "is not a folder")],
)
def test_where_there_is_no_run(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=message) as error:
        find_runs([tmp_path / name])
    assert name in str(error.value)


def test_empty_cells_and_a_row_cut_short_hold_no_value(tmp_path: Path) -> None:
    run = write_run(tmp_path, steps=(5, 10, 15, 20), values=("", 1.5, "nan", -2))
    with open(run / "metrics.csv", "a", encoding="utf-8") as file:
        file.write("25,3")
    steps, values = read_metric(run / "metrics.csv", METRIC)
    assert (steps.tolist(), values.tolist()) == ([10, 20], [1.5, -2.0])
    read = read_run(run, METRIC)
    assert (read.config.env.id, read.x.tolist()) == ("CartPole-v1", [10.0, 20.0])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"step,eval/mean_return,x\n", "has no value of eval/mean_return"),
        (b"step,eval/mean_return,x\n1,,2\n", "has no value of eval/mean_return"),
        (b"step\n", "is damaged"),
        (b"time,eval/mean_return\n1,2\n", "is damaged"),
        (b"step,eval/mean_return\n1\n2,2\n", "is damaged: line 2"),
        (b"step,eval/mean_return\n1,2\n2,two\n", "is damaged: line 3"),
        (b"step,eval/mean_return\nx,2\n2,2\n", "is damaged: line 2"),
        (b"\xff\xfe\x00", "is damaged"),
        (b'step,"' + b"x" * 200_000, "is damaged"),
        (b"step,eval/mean_retrun\n1,2\n", "nearest is eval/mean_retrun"),
    ],
)
def test_damage_is_named_with_the_file(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(content)
    with pytest.raises(SACError, match=message) as error:
        read_metric(path, METRIC)
    assert str(path) in str(error.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SACError, match=r"metrics\.csv does not exist"):
        read_metric(tmp_path / "metrics.csv", METRIC)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_time_counts_sessions_without_the_pause_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    clock.now = time.time()
    monkeypatch.setattr("sac.metrics.events.time.time", clock)
    first = EventFile(tmp_path, resume_step=None)
    for step in (10, 20, 30):
        clock.now += 5
        first.scalars(step, {METRIC: 1.0})
    first.close()
    clock.now += 3600
    second = EventFile(tmp_path, resume_step=20)
    clock.now += 7
    second.scalars(40, {METRIC: 1.0})
    second.close()
    seconds = elapsed_seconds(tmp_path, np.array([0, 10, 15, 20, 40]))
    np.testing.assert_allclose(seconds, [0, 5, 5, 10, 17], atol=1e-3)


def test_no_event_file_tells_no_time(tmp_path: Path) -> None:
    with pytest.raises(SACError, match="has no event files"):
        read_run(write_run(tmp_path), METRIC, over_time=True)
