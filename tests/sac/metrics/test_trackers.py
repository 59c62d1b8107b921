"""Trackers: they get TensorBoard's numbers, and whatever they do, a run loses nothing by it."""

import re
import struct
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sac import Callback, Config, Report, train
from sac.errors import ConfigError
from sac.metrics import trackers
from tests.sac.tiny_runs import assert_same_arrays, metrics, saved_arrays, tiny_config

BLOCK = 32768  # bytes of wandb's file, in which it writes records as LevelDB does


class FakeRun:
    """A tracker's run that notes what it gets, and fails or hangs at one of its methods."""

    trouble: Mapping[str, BaseException | threading.Event]
    opened: list["FakeRun"]

    def __init__(self, parameters: Mapping[str, Any], name: str, identity: str | None) -> None:
        self.parameters, self.name, self.resumed = parameters, name, identity
        self.identity = identity or "a1"
        self.place = "somewhere"
        self.logged: list[trackers.Row] = []
        self.closed: list[bool] = []
        self.opened.append(self)
        self._suffer("open")

    def _suffer(self, method: str) -> None:
        match self.trouble.get(method):
            case BaseException() as error:
                raise error
            case threading.Event() as event:
                event.wait()

    def log(self, rows: Sequence[trackers.Row]) -> None:
        self._suffer("log")
        self.logged += rows

    def close(self, *, is_failed: bool) -> None:
        self._suffer("close")
        self.closed.append(is_failed)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakeRun]]:
    """The class of wandb's runs in these tests."""
    module = ModuleType("fake_tracker")

    class Run(FakeRun): ...

    Run.trouble, Run.opened = {}, []
    module.Run = Run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fake_tracker", module)
    monkeypatch.setattr(trackers, "MODULES", {"wandb": "fake_tracker"})
    monkeypatch.setattr("sac.training.train.check_installed", lambda names: None)
    yield Run
    for event in Run.trouble.values():
        if isinstance(event, threading.Event):
            event.set()


def tracked(root: Path, **logging: Any) -> Config:
    return tiny_config(root, {"logging": {"also": ["wandb"], **logging}})


def numbers_of(logged: list[trackers.Row]) -> dict[tuple[int, str], float]:
    return {(step, tag): number for step, row in logged for tag, number in row.items()}


def table_of(run: Path) -> dict[tuple[int, str], float]:
    return {
        (int(row["step"]), tag): float(cell)
        for row in metrics(run)
        for tag, cell in row.items()
        if tag != "step"
    }


def test_tracker_gets_the_numbers_of_metrics_csv_and_the_users_own(
    tmp_path: Path, fake: type[FakeRun], capsys: pytest.CaptureFixture[str]
) -> None:
    class Own(Callback):
        def on_step(self, report: Report) -> None:
            if report.step == 7:
                report.log({"my/number": 2})

    run = train(tracked(tmp_path), callbacks=[Own()]).run_directory
    (given,) = fake.opened
    numbers = numbers_of(given.logged)
    assert numbers.pop((7, "my/number")) == 2
    assert numbers == table_of(run)
    assert (given.name, given.closed, given.resumed) == (run.name, [False], None)
    assert given.parameters["agent.gamma"] == 0.99
    assert "wandb: somewhere" in capsys.readouterr().out.splitlines()


def test_resumed_run_goes_on_in_the_same_run_of_the_tracker(
    tmp_path: Path, fake: type[FakeRun]
) -> None:
    run = train(tracked(tmp_path)).run_directory
    train(resume=run, overrides={"train": {"total_steps": 80}})
    first, second = fake.opened
    assert (second.resumed, (run / "wandb.id").read_text()) == (first.identity, "a1\n")
    assert numbers_of(first.logged) | numbers_of(second.logged) == table_of(run)
    assert not {step for step, _ in second.logged} & set(range(61))


@pytest.mark.parametrize("method", ["open", "log", "close"])
@pytest.mark.parametrize("kind", [RuntimeError, SystemExit, "hangs"])
def test_tracker_that_fails_or_hangs_is_told_once_and_changes_nothing(
    tmp_path: Path,
    fake: type[FakeRun],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    method: str,
    kind: Any,
) -> None:
    monkeypatch.setattr(trackers, "QUIET_SECONDS", 0.01)
    monkeypatch.setattr(trackers, "CLOSE_SECONDS", 0.02)
    if kind != "hangs":
        monkeypatch.setattr(trackers, "QUIET_SECONDS", 60.0)
    fake.trouble = {method: threading.Event() if kind == "hangs" else kind("no network")}
    result = train(tracked(tmp_path / "tracked"))
    out = capsys.readouterr().out
    told = re.findall("wandb: .* nothing in this run depends on it.*", out)
    assert len(told) == 1
    reason = "it has not taken the last numbers" if kind == "hangs" else f"{kind.__name__}: no net"
    assert reason in told[0]
    assert result.step == 60
    plain = train(tiny_config(tmp_path / "plain")).run_directory
    assert metrics(result.run_directory, "time/") == metrics(plain, "time/")
    assert_same_arrays(saved_arrays(result.run_directory, "agent"), saved_arrays(plain, "agent"))


def test_tracker_that_falls_behind_is_left(
    tmp_path: Path,
    fake: type[FakeRun],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(trackers, "WAITING", 3)
    monkeypatch.setattr(trackers, "AT_ONCE", 1)
    fake.trouble = {"log": threading.Event()}
    train(tracked(tmp_path))
    assert capsys.readouterr().out.count("it is 3 rows behind") == 1


def test_run_that_fails_is_marked_as_failed(tmp_path: Path, fake: type[FakeRun]) -> None:
    config = tracked(tmp_path).merged({"env": {"id": "FailingForTests-v0"}})
    with pytest.raises(ValueError, match="unstable"):
        train(config.merged({"env": {"kwargs": {"fails_at": 15}}}))
    assert fake.opened[0].closed == [True]


@pytest.mark.parametrize("has_folder", [False, True])
def test_tracker_that_is_not_installed_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_folder: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    if has_folder:  # as wandb leaves one where it ran, which Python takes for a package
        (tmp_path / "wandb").mkdir()
    with pytest.raises(ConfigError, match=r"logging\.also: wandb is not installed: pip install"):
        train(tracked(tmp_path / "runs"))
    assert not (tmp_path / "runs").exists()


# The real ones, without a network.


def wandb_records(path: Path) -> Iterator[Any]:
    """The records of wandb's own file: no release offers a reader for long."""
    from wandb.proto import wandb_internal_pb2

    data, position, parts = path.read_bytes(), 7, b""
    while position < len(data):
        if BLOCK - position % BLOCK < 7:
            position += BLOCK - position % BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", data[position : position + 7])
        parts += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield wandb_internal_pb2.Record.FromString(parts)
            parts = b""


def wandb_history(record: Any) -> dict[str, float]:
    items = record.history.item
    return {"/".join(item.nested_key) or item.key: float(item.value_json) for item in items}


@pytest.mark.extras
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_wandb_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb = pytest.importorskip("wandb", reason="the extra wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.chdir(tmp_path)
    run = train(tracked(tmp_path / "runs")).run_directory
    train(resume=run, overrides={"train": {"total_steps": 80}})
    wandb.teardown()  # a run's `finish` returns before all of it is in its file
    identity = (run / "wandb.id").read_text().strip()
    files = sorted((tmp_path / "wandb").glob("offline-run-*/*.wandb"))
    assert [path.name for path in files] == [f"run-{identity}.wandb"] * 2
    records = [record for path in files for record in wandb_records(path)]
    logged = [wandb_history(record) for record in records if record.HasField("history")]
    found = {
        (int(row["step"]), tag): number
        for row in logged
        for tag, number in row.items()
        if not tag.startswith("_") and tag != "step"
    }
    assert found == table_of(run)
    described = [record.run for record in records if record.HasField("run")]
    assert {(each.run_id, each.display_name) for each in described} == {(identity, run.name)}
    config = {item.key: item.value_json for item in described[0].config.update}
    assert config["agent.gamma"] == "0.99"


@pytest.mark.extras
@pytest.mark.filterwarnings("ignore")  # of MLflow and what it uses
def test_mlflow_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tracking = pytest.importorskip("mlflow.tracking", reason="the extra mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.chdir(tmp_path)
    config = tracked(tmp_path / "runs", also=["mlflow"])
    run = train(config).run_directory
    train(resume=run, overrides={"train": {"total_steps": 80}})
    client, identity = tracking.MlflowClient(), (run / "mlflow.id").read_text().strip()
    logged = client.get_run(identity)
    assert (logged.info.status, logged.info.run_name) == ("FINISHED", run.name)
    assert logged.data.params["agent.gamma"] == "0.99"
    found = {
        (point.step, tag): point.value
        for tag in logged.data.metrics
        for point in client.get_metric_history(identity, tag)
    }
    assert found == table_of(run)
