"""The time until an evaluation reaches a return: what is measured, and what is made of it."""

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from scripts.benchmarks import learning, solving
from scripts.benchmarks.command import main
from scripts.benchmarks.process import can_keep_to_processors
from scripts.benchmarks.report import PAGE
from scripts.benchmarks.solving import Solved, medians, read, to_markdown
from scripts.benchmarks.workers import our_solving

TINY = """
env: {id: Pendulum-v1}
agent: {hidden_sizes: [4]}
train: {total_steps: 60, learning_starts: 50, batch_size: 4}
evaluation: {every_steps: 20, episodes: 1}
"""
MEASURED = Solved("pendulum", "ours", 0, -180, 8.0, 4000, "2026-01-01", "a machine")


@pytest.mark.parametrize(("target", "step"), [(-1e9, 20), (0.0, None)])
def test_ours_ends_with_the_first_evaluation_that_reaches_the_target(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    target: float,
    step: int | None,
) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    monkeypatch.setattr(learning, "CONFIGS", tmp_path)
    monkeypatch.chdir(tmp_path)
    arguments = ["--config", "tiny", "--seed", "0", "--target", str(target)]
    monkeypatch.setattr(sys, "argv", ["our_solving", *arguments])
    our_solving.main()
    lines = capsys.readouterr().out.splitlines()
    assert json.loads(lines[-1]) == {"step": step}
    last = 20 if step else 60
    assert sum("evaluation at step" in line for line in lines) == last / 20


def test_what_is_known_is_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(name: str, side: str, seed: int, python: str) -> Solved:
        pythons[side] = python
        return replace(MEASURED, config=name, side=side, seed=seed, seconds=10.0 + seed)

    pythons: dict[str, str] = {}
    monkeypatch.setattr(solving, "_measure", measure)
    file = tmp_path / "lines.jsonl"
    file.write_text(json.dumps(asdict(MEASURED)) + "\n")
    assert main(["solve", "--only", "pendulum", "--lines", str(file)]) == 0
    assert [(each.side, each.seed) for each in read(file)] == [("ours", seed) for seed in range(3)]
    assert "11.0 s" in capsys.readouterr().out  # of 8, 11 and 12
    command = ["solve", "--only", "pendulum", "--lines", str(file)]
    assert main([*command, "--peer-python", "peer/python"]) == 0
    assert [each.side for each in read(file)] == ["ours"] * 3 + ["sb3", "sbx"] * 3
    assert main([*command, "--rltools-python", "python"]) == 0
    assert [each.side for each in read(file)][9:] == ["rltools"] * 3
    at = str(Path("peer/python").absolute())  # as the peers run in another folder
    assert pythons == {"ours": sys.executable, "sb3": at, "sbx": at, "rltools": "python"}


def test_rltools_is_compiled_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, fake = tmp_path / "log", tmp_path / "python"
    lines = [f'echo "$TMPDIR $@" >> {log}', f"nproc >> {log}; sleep 0.05", "echo '{\"step\": 20}'"]
    fake.write_text("\n".join(["#!/bin/sh", *lines]))
    fake.chmod(0o755)
    monkeypatch.setattr(solving, "SEEDS", (7,))
    file = tmp_path / "lines.jsonl"
    file.write_text(json.dumps(asdict(replace(MEASURED, seed=7))) + "\n")
    command = ["solve", "--only", "pendulum", "--lines", str(file)]
    assert main([*command, "--rltools-python", str(fake)]) == 0
    asked = "-m workers.rltools_solving --env Pendulum-v1 --steps 10000 --every-steps 2000"
    asked += " --episodes 5 --seed 7 --target -180"
    (first, _, second, processors) = log.read_text().splitlines()
    folder = first.split()[0]
    assert [first, second] == [f"{folder} {asked} --compile-only", f"{folder} {asked}"]
    assert processors == "1" or not can_keep_to_processors()
    solved = read(file)[1]
    assert (solved.side, solved.step) == ("rltools", 20)


def test_a_side_that_does_not_get_there_counts_with_its_full_time() -> None:
    ours = [replace(MEASURED, seed=seed, seconds=8.0 + seed) for seed in solving.SEEDS]
    theirs = [replace(each, side="sb3", seconds=each.seconds * 10, step=None) for each in ours]
    (row,) = medians([*ours, *theirs])
    shown = ["Pendulum-v1 to -180", "9.0 s", "90.0 s (3 of 3 seeds never)", "", ""]
    assert row == [*shown, "0.10", "", ""]


def test_what_has_run_on_some_seeds_is_compared_on_these() -> None:
    ours = [replace(MEASURED, seed=seed, seconds=8.0 + seed) for seed in solving.SEEDS]
    theirs = replace(MEASURED, side="sb3", seed=2, seconds=20.0, step=None)
    (row,) = medians([*ours, theirs])
    shown = [
        "Pendulum-v1 to -180",
        "9.0 s",
        "20.0 s (1 of 1 seeds never; 1 of 3 seeds run)",
        "",
        "",
    ]
    assert row == [*shown, "0.50", "", ""]


def test_page_tells_what_was_measured() -> None:
    assert to_markdown(medians(read())) in PAGE.read_text(encoding="utf-8")


def test_unknown_task(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "--only", "acrobot"]) == 2
    assert "--only: expected names of pendulum, cartpole" in capsys.readouterr().err
