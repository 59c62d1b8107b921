"""A training beside code of one's own: callbacks, loops, early stops; the bits stay the same."""

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sac import Callback, Config, Report, Trainer, train
from sac.errors import ConfigError, SACError
from tests.sac.tiny_runs import (
    assert_same_arrays,
    checkpoint_steps,
    metrics,
    saved_arrays,
    steps_with,
    tiny_config,
)


class Diary(Callback):
    """Notes what it is told; does something at a step."""

    def __init__(self, at: int = -1, act: Callable[[Report], object] = lambda report: None) -> None:
        self.told: list[tuple[str, int]] = []
        self.reports: list[Report] = []
        self.at, self.act = at, act

    def on_step(self, report: Report) -> None:
        self.told.append(("step", report.step))
        self.reports.append(report)
        if report.step == self.at:
            self.act(report)

    def on_episode(self, report: Report) -> None:
        self.told.append(("episode", report.step))

    def on_evaluation(self, report: Report) -> None:
        self.told.append(("evaluation", report.step))

    def on_checkpoint(self, report: Report) -> None:
        assert report.checkpoint is not None and report.checkpoint.is_dir()
        self.told.append(("checkpoint", int(report.checkpoint.name)))

    def on_end(self, report: Report) -> None:
        self.told.append(("end", report.step))

    def steps(self, kind: str) -> list[int]:
        return [step for name, step in self.told if name == kind]


def fail(report: Report) -> None:
    raise ZeroDivisionError("of the user's")


def assert_same_runs(first: Path, second: Path) -> None:
    assert metrics(first, "time/") == metrics(second, "time/")
    assert_same_arrays(saved_arrays(first, "agent"), saved_arrays(second, "agent"))
    assert_same_arrays(saved_arrays(first, "replay"), saved_arrays(second, "replay"))


def test_callbacks_are_told_of_everything_and_change_no_bit(tmp_path: Path) -> None:
    diary = Diary()
    run = train(tiny_config(tmp_path), callbacks=[diary, Callback()]).run_directory
    assert diary.steps("step") == list(range(1, 61))
    assert diary.steps("episode") == steps_with(run, "rollout/episode_return") != []
    assert diary.steps("evaluation") == [30, 60]
    assert diary.steps("checkpoint") == [20, 40, 60]
    assert diary.steps("end") == [60] and diary.told[-1] == ("end", 60)
    assert {report.run_directory for report in diary.reports} == {run}
    assert sum(e.length for report in diary.reports for e in report.episodes) <= 60
    assert_same_runs(run, train(tiny_config(tmp_path)).run_directory)


def test_a_loop_of_ones_own_is_the_same_training(tmp_path: Path) -> None:
    trainer = Trainer(tiny_config(tmp_path))
    reports = list(trainer)
    assert [report.step for report in reports] == [*range(1, 61), 60]
    assert [report.is_end for report in reports] == [False] * 60 + [True]
    assert trainer.result is not None and trainer.result.step == 60
    assert reports[-1].agent.updates == 50
    assert_same_runs(reports[-1].run_directory, train(tiny_config(tmp_path)).run_directory)


def test_metrics_are_those_of_the_last_update_by_their_tags(tmp_path: Path) -> None:
    shown: dict[int, dict[str, float]] = {}
    config = tiny_config(tmp_path, {"logging": {"every_steps": 1}})
    for report in Trainer(config):
        shown[report.step] = report.metrics
    run = report.run_directory
    assert shown[10] == {}
    for row in metrics(run)[10:]:
        logged = {name: float(cell) for name, cell in row.items() if name.startswith("train/")}
        assert logged.pop("train/rollbacks") == 0
        assert shown[int(row["step"])] == logged


@pytest.mark.parametrize("at", [25, 40])  # between checkpoints, and at one
def test_callback_stops_the_run_and_a_resume_makes_the_same_bits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], at: int
) -> None:
    diary = Diary(at, lambda report: report.stop("seen enough"))
    result = train(tiny_config(tmp_path), callbacks=[diary])
    assert (result.step, result.stopped, result.interrupted_by) == (at, "seen enough", None)
    assert checkpoint_steps(result.run_directory)[-1] == at
    assert diary.told[-1] == ("end", at) and diary.steps("checkpoint")[-1] == at
    out = capsys.readouterr().out
    assert f"stopped at step {at} (seen enough) and saved: resume {result.run_directory}" in out
    again = train(resume=result.run_directory)
    assert (again.step, again.stopped) == (60, None)
    assert_same_runs(again.run_directory, train(tiny_config(tmp_path)).run_directory)


def test_exception_of_a_callback_is_raised_after_all_is_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ZeroDivisionError, match="of the user's"):
        train(tiny_config(tmp_path), callbacks=[Diary(35, fail)])
    (run,) = tmp_path.iterdir()
    assert checkpoint_steps(run) == [20, 35]
    assert f"left before its end; all until step 35 is saved in {run}" in capsys.readouterr().out
    assert_same_runs(
        train(resume=run).run_directory, train(tiny_config(tmp_path / "other")).run_directory
    )


def leave(trainer: Trainer) -> None:
    for report in trainer:
        if report.step == 35:
            break


def test_loop_that_is_left_saves(tmp_path: Path) -> None:
    leave(Trainer(tiny_config(tmp_path / "by nobody's hand")))
    with Trainer(tiny_config(tmp_path / "with")) as trainer:
        leave(trainer)
    assert trainer.result is None and list(trainer) == []
    trainer = Trainer(tiny_config(tmp_path / "closed"))
    reports = iter(trainer)
    while next(reports).step < 35:
        pass
    trainer.close()
    for root in tmp_path.iterdir():
        (run,) = root.iterdir()
        assert checkpoint_steps(run) == [20, 35], root.name
        assert train(resume=run).step == 60


def test_trainer_that_is_never_used_starts_nothing(tmp_path: Path) -> None:
    with Trainer(tiny_config(tmp_path)):
        pass
    Trainer(tiny_config(tmp_path))
    gc.collect()
    assert not list(tmp_path.iterdir())


def test_exception_is_raised_where_nothing_can_be_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sac.errors import DiskError
    from sac.training.run_state import RunState

    def full(*args: object) -> None:
        raise DiskError("the disk is full")

    def fill_disk(report: Report) -> None:
        monkeypatch.setattr(RunState, "save", full)
        fail(report)

    with pytest.raises(ZeroDivisionError):
        train(tiny_config(tmp_path), callbacks=[Diary(35, fill_disk)])
    assert "step 35 could not be saved: the disk is full" in capsys.readouterr().out


# protobuf's generated code, not ours
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_own_numbers_are_in_tensorboard_alone(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    class Logs(Callback):
        def on_episode(self, report: Report) -> None:
            report.log({"my/number": report.step / 2})

        def on_end(self, report: Report) -> None:
            report.log({"my/end": 1})

    run = train(tiny_config(tmp_path), callbacks=[Logs()]).run_directory
    events = EventAccumulator(str(run)).Reload()
    steps = steps_with(run, "rollout/episode_return")
    assert [(e.step, e.value) for e in events.Scalars("my/number")] == [(s, s / 2) for s in steps]
    assert [(e.step, e.value) for e in events.Scalars("my/end")] == [(60, 1)]
    assert "my/number" not in metrics(run)[-1]


@pytest.mark.parametrize("name", ["train/alpha", "", " "])
def test_own_numbers_have_names_of_their_own(tmp_path: Path, name: str) -> None:
    diary = Diary(15, lambda report: report.log({name: 1.0}))
    with pytest.raises(SACError, match=r"report\.log: expected names that are not the run's"):
        train(tiny_config(tmp_path), callbacks=[diary])


@pytest.mark.parametrize("callbacks", [[Callback], [print]])
def test_what_is_no_callback_is_refused_before_anything_starts(
    tmp_path: Path, callbacks: Any
) -> None:
    with pytest.raises(ConfigError, match=r"inherit from sac\.Callback, got"):
        train(tiny_config(tmp_path), callbacks=callbacks)
    assert not list(tmp_path.iterdir())


def test_trainer_refuses_what_train_refuses() -> None:
    with pytest.raises(ConfigError, match="expected a Config"):
        Trainer({"env": {"id": "CartPole-v1"}})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="no config"):
        Trainer(Config(), resume="runs/x")


# Early stops at a return.


def test_run_stops_at_a_return_and_goes_on_only_if_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tiny_config(tmp_path, {"train": {"stop_at_return": 1}})  # CartPole's least is 8
    result = train(config)
    run = result.run_directory
    assert (result.step, result.total_steps, checkpoint_steps(run)) == (30, 60, [20, 30])
    assert result.evaluation is not None and result.stopped is not None
    assert result.stopped == (
        f"mean return {result.evaluation.mean_return:.2f} of train.stop_at_return 1"
    )
    assert f"saved: resume {run} with another goal to go on" in capsys.readouterr().out
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert train(resume=run).step == 30
    assert "nothing to do: the run stopped at step 30, after a mean" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    again = train(resume=run, overrides={"train": {"stop_at_return": None}})
    assert (again.step, again.stopped) == (60, None)
    assert_same_runs(run, train(tiny_config(tmp_path)).run_directory)


def test_run_below_the_return_goes_on_to_its_end(tmp_path: Path) -> None:
    result = train(tiny_config(tmp_path, {"train": {"stop_at_return": 1000}}))
    assert (result.step, result.stopped) == (60, None)


@pytest.mark.parametrize("evaluation", [{"env": "none"}, {"every_steps": 0}])
def test_return_that_nobody_measures_is_refused(
    tmp_path: Path, evaluation: dict[str, object]
) -> None:
    changes = {"train": {"stop_at_return": 1}, "evaluation": evaluation}
    with pytest.raises(ConfigError, match=r"train\.stop_at_return: expected null"):
        tiny_config(tmp_path, changes)


def test_run_resumed_into_its_due_evaluation_stops_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An evaluation that a signal had cut short is told of in the first report."""
    from sac.evaluation.evaluate import EvaluationStopped
    from sac.training import loop

    def cut(*args: object, **kwargs: object) -> None:
        raise EvaluationStopped

    diary = Diary(30, lambda report: report.stop("a signal"))
    with monkeypatch.context() as patch:
        patch.setattr(loop, "run_episodes", cut)
        run = train(tiny_config(tmp_path), callbacks=[diary]).run_directory
    assert diary.steps("evaluation") == []
    diary = Diary()
    result = train(resume=run, overrides={"train": {"stop_at_return": 1}}, callbacks=[diary])
    assert result.step == 30 and result.stopped is not None
    assert diary.told == [("evaluation", 30), ("checkpoint", 30), ("end", 30)]
