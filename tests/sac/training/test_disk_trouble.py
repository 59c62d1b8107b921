"""A disk that is full or refuses, a run's folder that vanishes: the training goes on, exactly."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sac.diagnosis import Evidence, Result, live
from sac.errors import DiskError
from sac.metrics.findings import read_findings
from sac.replay.storage import disk as replay_storage
from sac.training.collector import Collector
from sac.training.train import train
from tests.sac.faults import Disk
from tests.sac.tiny_runs import checkpoint_steps, metrics, tiny_config
from tests.sac.training.test_exact_resume import assert_same_runs, train_until_killed

WARNING = "The training goes on; each checkpoint to come tries again"
CHANGES: dict[str, Any] = {
    "env": {"num_envs": 2},
    "train": {"total_steps": 80},
    "checkpoint": {"every_steps": 10},
    "evaluation": {"every_steps": 15},
    "logging": {"every_steps": 1},
}


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small that the replay grows while there is no room."""
    monkeypatch.setattr(replay_storage, "SEGMENT_BYTES", 256)


def at_steps(monkeypatch: pytest.MonkeyPatch, events: dict[int, Callable[[], None]]) -> None:
    """Call each event before the step that reaches its number of transitions."""
    collect = Collector.collect

    def collect_after_event(self: Collector, *, random: bool) -> Any:
        due = [step for step in events if step <= self._transitions]
        for step in sorted(due):
            events.pop(step)()
        return collect(self, random=random)

    monkeypatch.setattr(Collector, "collect", collect_after_event)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("undisturbed")
    return train(tiny_config(root, CHANGES)).run_directory


def event_points(run: Path) -> list[tuple[int, str, float]]:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    points = []
    for path in sorted(run.glob("events.out.tfevents.*")):
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                if value.HasField("tensor") and not value.tag.startswith("time/"):
                    numbers = value.tensor.float_val
                    points += [(event.step, value.tag, number) for number in numbers]
    return points


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # protobuf's generated code
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EIO])
def test_full_disk_is_told_once_and_nothing_is_lost(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    undisturbed: Path,
    error: int,
) -> None:
    disk = Disk()
    seen: list[list[int]] = []

    def fill_up() -> None:
        disk.error = error

    def make_room() -> None:
        disk.error = None
        (run,) = tmp_path.iterdir()
        seen.append(checkpoint_steps(run))
        assert metrics(run, "time/") == metrics(undisturbed, "time/")[: len(metrics(run))]

    at_steps(monkeypatch, {25: fill_up, 55: make_room})
    with disk.faults.installed():
        run = train(tiny_config(tmp_path, CHANGES)).run_directory
    assert seen == [[10, 20]]
    assert_same_runs(undisturbed, run)
    assert event_points(run) == event_points(undisturbed)
    told = " ".join(capsys.readouterr().out.split())
    assert told.count(WARNING) == 1
    assert os.strerror(error) in told
    assert told.count("the run can be saved again, and is at step 60") == 1


def test_disk_that_stays_full_ends_the_run_with_an_error_and_it_can_be_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: Path
) -> None:
    disk = Disk()

    def fill_up() -> None:
        disk.error = errno.ENOSPC

    with monkeypatch.context() as patch, disk.faults.installed():
        at_steps(patch, {25: fill_up})
        with pytest.raises(DiskError, match="No space left on device"):
            train(tiny_config(tmp_path, CHANGES))
        (run,) = tmp_path.iterdir()
        assert checkpoint_steps(run) == [10, 20]
        assert not list(run.glob(".*"))
    train(resume=run)
    assert_same_runs(undisturbed, run)


def test_findings_that_could_not_be_written_are_written_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk()

    def fill_up() -> None:
        disk.error = errno.ENOSPC

    def make_room() -> None:
        disk.error = None

    def examine(evidence: Evidence) -> dict[str, Result]:
        return {f"check of {evidence.step}": Result("ill", "it is", "rest")}

    monkeypatch.setattr(live, "examine", examine)
    at_steps(monkeypatch, {25: fill_up, 55: make_room})
    with disk.faults.installed():
        run = train(tiny_config(tmp_path, CHANGES)).run_directory
    found = [(row["step"], row["check"]) for row in read_findings(run)]
    assert found == [(str(step), f"check of {step}") for step in (16, 30, 46, 60, 76, 80)]


def test_full_disk_and_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: Path
) -> None:
    disk = Disk()

    def fill_up() -> None:
        disk.error = errno.ENOSPC

    with monkeypatch.context() as patch, disk.faults.installed():
        at_steps(patch, {25: fill_up})
        train_until_killed(patch, 47, config=tiny_config(tmp_path, CHANGES))
    (run,) = tmp_path.iterdir()
    assert checkpoint_steps(run) == [10, 20]
    train(resume=run)
    assert_same_runs(undisturbed, run)


def test_disk_that_is_full_from_the_start_is_an_error_at_once(tmp_path: Path) -> None:
    disk = Disk()
    disk.error = errno.ENOSPC
    with disk.faults.installed(), pytest.raises(Exception, match="No space left on device") as info:
        train(tiny_config(tmp_path, CHANGES))
    assert "Can't" in str(info.value)


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_vanished_run_folder_that_comes_back(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    undisturbed: Path,
    how: str,
) -> None:
    root, away = tmp_path / "runs", tmp_path / "away"

    def vanish() -> None:
        (run,) = root.iterdir()
        if how == "copied":  # other files of the same names come back
            shutil.copytree(run, away / run.name)
            shutil.rmtree(run)
        else:
            away.mkdir()
            run.rename(away / run.name)

    def come_back() -> None:
        (run,) = away.iterdir()
        assert not list(root.iterdir()), "nothing is made in its place"
        shutil.move(run, root / run.name)

    at_steps(monkeypatch, {25: vanish, 55: come_back})
    run = train(tiny_config(root, CHANGES)).run_directory
    told = " ".join(capsys.readouterr().out.split())
    assert told.count(WARNING) == 1
    assert "No such file or directory" in told
    if how == "moved":
        assert_same_runs(undisturbed, run)
    # The logs of a copy end where it was made; what is resumed from is whole.
    more = {"train": {"total_steps": 100}}
    assert train(resume=run, overrides=more).step == 100


def test_run_folder_that_is_gone_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def vanish() -> None:
        (run,) = tmp_path.iterdir()
        shutil.rmtree(run)

    at_steps(monkeypatch, {25: vanish})
    with pytest.raises(DiskError, match="No such file or directory"):
        train(tiny_config(tmp_path, CHANGES))
    assert not list(tmp_path.iterdir())


# For real.

CHILD = """
import sys
from pathlib import Path
import pytest
from sac.replay.storage import disk as replay_storage
from tests.sac.training.test_disk_trouble import CHANGES, at_steps
from tests.sac.tiny_runs import tiny_config
from sac.training.train import train

replay_storage.SEGMENT_BYTES = 256
{events}
patch = pytest.MonkeyPatch()
at_steps(patch, {{25: fill_up, 55: make_room}})
print(train(tiny_config(Path(sys.argv[1]), CHANGES)).run_directory)
"""
LIMITED = """
import resource
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
def fill_up(): resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
def make_room(): resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
"""
FILLED = """
import os
filler = Path(sys.argv[1]).parent / "filler"
def fill_up():
    with open(filler, "wb", buffering=0) as file:
        try:
            while True: file.write(bytes(1000))
        except OSError: pass
def make_room(): filler.unlink()
"""


def run_child(root: Path, events: str) -> Path:
    root.mkdir()
    result = subprocess.run(
        [sys.executable, "-c", CHILD.format(events=events), str(root)],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert result.returncode == 0, result.stderr
    assert " ".join(result.stdout.split()).count(WARNING) == 1, result.stdout
    (run,) = root.iterdir()
    return run


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_limit_on_the_size_of_files(tmp_path: Path, undisturbed: Path) -> None:
    run = run_child(tmp_path / "runs", LIMITED)
    assert_same_runs(undisturbed, run)


def test_small_disk_that_fills_up(tmp_path: Path, undisturbed: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=700k", "tmpfs", str(disk)]
    if mount is None or subprocess.run([mount, *options], capture_output=True).returncode != 0:
        pytest.skip("this user may not mount a small disk")
    try:
        run = run_child(disk / "runs", FILLED)
        assert_same_runs(undisturbed, run)
        shutil.copytree(run, tmp_path / "kept")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert train(resume=tmp_path / "kept", overrides={"train": {"total_steps": 90}}).step == 90
