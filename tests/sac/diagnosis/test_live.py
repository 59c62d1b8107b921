"""The checks in a training: told once, written down, and without a trace in what is learned."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sac.diagnosis import Evidence, Result, live
from sac.diagnosis.live import Watch
from sac.errors import SACError
from sac.metrics.findings import read_findings
from sac.metrics.history import History
from sac.metrics.table import read_columns
from sac.training.train import train
from tests.sac.diagnosis.patients import Patient, env, trained
from tests.sac.tiny_runs import assert_same_arrays, metrics, saved_arrays

TINY: dict[str, Any] = {
    "agent": {"hidden_sizes": [8]},
    "train": {"total_steps": 60, "learning_starts": 20, "batch_size": 8},
    "evaluation": {"every_steps": 20, "episodes": 1},
    "checkpoint": {"every_steps": 20, "keep": 9},
}
LARGE = env(reward_factor=1e4)


def test_each_illness_is_told_once_in_one_line_and_written_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained(tmp_path, TINY, LARGE)
    lines = [line for line in capsys.readouterr().out.splitlines() if "warning" in line]
    (line,) = (line for line in lines if "rewards: " in line)
    assert line.startswith("warning at step 20: rewards: about ")
    assert line.endswith("(remedy: agent.reward_scale: 0.0001)")
    findings = {finding["check"]: finding for finding in read_findings(run)}
    assert len(findings) == len(lines) == len(read_findings(run))
    assert findings["rewards"]["step"] == "20"
    assert findings["rewards"]["remedy"] == "agent.reward_scale: 0.0001"


def test_learning_is_the_same_to_the_last_bit_without_the_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = trained(tmp_path, TINY, LARGE)
    monkeypatch.setattr(Watch, "look", lambda *arguments: None)
    alone = trained(tmp_path, TINY, LARGE)
    assert read_findings(watched) and not read_findings(alone)
    assert metrics(watched, "time/") == metrics(alone, "time/")
    for name in ("agent", "replay", "state"):
        assert_same_arrays(saved_arrays(watched, name), saved_arrays(alone, name))


def test_resumed_run_keeps_what_was_found_before_and_drops_what_was_found_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found_at: list[int] = []

    def examine(evidence: Evidence) -> dict[str, Result]:
        found_at.append(evidence.step)
        name = f"check of {evidence.step}"
        return {name: Result("ill", "it is", "rest"), "always": Result("ill", "so", "rest")}

    monkeypatch.setattr(live, "examine", examine)
    run = trained(tmp_path, TINY)
    assert [finding["step"] for finding in read_findings(run)] == ["20", "20", "40", "60"]
    newest = run / "checkpoints" / "60"
    newest.rename(tmp_path / "lost")
    capsys.readouterr()
    train(resume=run)
    assert found_at == [20, 40, 60, 60]
    expected = ["check of 20", "always", "check of 40", "check of 60"]
    assert [finding["check"] for finding in read_findings(run)] == expected
    assert capsys.readouterr().out.count("warning") == 1


def test_a_check_that_fails_ends_no_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def examine(evidence: Evidence) -> dict[str, Result]:
        raise SACError("no room")

    monkeypatch.setattr(live, "examine", examine)
    (finding,) = read_findings(trained(tmp_path, TINY))
    assert (finding["check"], finding["finding"]) == ("doctor", "it failed: SACError: no room")


def test_checks_see_what_metrics_csv_holds_without_reading_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[History] = []
    reads: list[Path] = []

    def examine(evidence: Evidence) -> dict[str, Result]:
        expected = History(read_columns(reads[-1]))
        for tag in ("rollout/episode_return", "eval/mean_return", "train/entropy"):
            for mine, of_file in zip(evidence.history[tag], expected[tag], strict=True):
                assert_array_equal(mine, of_file)
        seen.append(evidence.history)
        return {}

    def count(path: Path) -> Any:
        reads.append(path)
        return read_columns(path)

    monkeypatch.setattr(live, "examine", examine)
    monkeypatch.setattr(live, "read_columns", count)
    run = trained(tmp_path, TINY)
    train(resume=run, overrides={"train": {"total_steps": 100}})
    assert len(seen) == 5 and len(reads) == 2
    assert len(seen[-1]["eval/mean_return"].steps) == 5


def test_numbers_of_the_users_own_are_not_kept() -> None:
    history = History({"step": np.array([5.0, 9.0]), "eval/mean_return": np.array([1.0, 2.0])}, 5)
    history.add(10, {"eval/mean_return": 3.0, "my/number": 4.0})
    history.add(11, {"eval/mean_return": float("nan")})
    assert_array_equal(history["eval/mean_return"], [[5, 10], [1, 3]])
    assert len(history["my/number"].steps) == 0


@pytest.mark.parametrize("section", [{"vectorization": "async"}, None], ids=["async", "an object"])
def test_other_environments_are_not_made_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, section: dict[str, Any] | None
) -> None:
    def checker_fault(config: Any) -> str:
        return "it was made"

    monkeypatch.setattr(live, "checker_fault", checker_fault)
    assert "environment checker" in {f["check"] for f in read_findings(trained(tmp_path, TINY))}
    if section is None:
        run = trained(tmp_path, TINY, source=Patient)
    else:
        run = trained(tmp_path, TINY, {"env": section})
    assert "environment checker" not in {finding["check"] for finding in read_findings(run)}


def test_files_that_others_changed_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    assert read_findings(tmp_path) == []
    path = tmp_path / "findings.csv"
    path.write_bytes(b"step,check,finding,remedy\n5,a,b,c\nx,a,b,c\n6,a\n7,a,b,c,d\n\xff")
    assert [finding["step"] for finding in read_findings(tmp_path)] == ["5"]
