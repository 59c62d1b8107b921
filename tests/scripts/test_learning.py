"""What the shipped configurations learn: lines of finished trainings, and what is told of them."""

import json
import sys
from pathlib import Path

import pytest

from sac.config import Config
from sac.sweep.plan import Plan
from sac.sweep.processes import Run
from scripts.benchmarks import learning, learning_command, learning_report, trainings
from scripts.benchmarks.command import main
from scripts.benchmarks.learning import GOALS, Aim, Goal, Line, Lines, Row, digest, settings_of
from scripts.benchmarks.report import PAGE, README, write_section
from scripts.benchmarks.workers import our_learning

GOAL = Goal("tiny", 2, Aim(-1500, -1400), "nobody -1 at 9")
TINY = """
env: {id: Pendulum-v1}
agent: {hidden_sizes: [4]}
train: {total_steps: 60, learning_starts: 50, batch_size: 4}
evaluation: {every_steps: 30, episodes: 1}
"""


@pytest.fixture(autouse=True)
def one_tiny_goal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    monkeypatch.setattr(learning, "CONFIGS", tmp_path)
    monkeypatch.setattr(learning_command, "GOALS", (GOAL,))


def line_of(config: Config, seed: int, mean_return: float) -> Line:
    curve = [(30, -1600.0, 0.5), (60, mean_return, 1.0)]
    return Line(
        "tiny", seed, mean_return, mean_return - 9, 60, 1.0, curve,
        digest(settings_of(config)), "abc", "2026-01-01", "a machine", {"numpy": "2"}, 20.0 + seed,
    )  # fmt: skip


def lines_with(path: Path, *returns: float) -> Lines:
    config, lines = learning.load_config("tiny"), Lines(path / "lines.jsonl")
    for seed, mean_return in enumerate(returns):
        lines.add(line_of(config, seed, mean_return), settings_of(config))
    return lines


def train_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    arguments = ["--config", "tiny", "--seed", "1", "--runs", str(path / "runs")]
    arguments += ["--lines", str(path / "lines.jsonl")]
    monkeypatch.setattr(sys, "argv", ["our_learning", *arguments])
    return our_learning.main()


def test_a_finished_training_is_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert train_one(tmp_path, monkeypatch) == 0
    line = Lines(tmp_path / "lines.jsonl").of("tiny", learning.load_config("tiny"))[1]
    assert (line.seed, line.steps, [point[0] for point in line.curve]) == (1, 60, [30, 60])
    assert line.lowest_return <= line.mean_return < 0 < line.seconds
    assert line.versions["numpy"] and line.commit and line.machine and line.processor_seconds


def test_a_training_without_its_line_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Lines, "add", interrupt)
        train_one(tmp_path, patch)
    assert train_one(tmp_path, monkeypatch) == 0
    assert len(list((tmp_path / "runs").glob("*/*/config.yaml"))) == 1
    (line,) = Lines(tmp_path / "lines.jsonl").of("tiny", learning.load_config("tiny")).values()
    assert line.processor_seconds is None  # there were two processes
    assert len((tmp_path / "lines.jsonl").read_text().splitlines()) == 2  # settings and the run


@pytest.mark.parametrize(
    ("section", "key", "value", "holds"),
    [
        ("agent", "gamma", 0.9, False),
        ("train", "total_steps", 70, False),
        ("evaluation", "episodes", 3, True),
        ("checkpoint", "every_steps", 7, True),
    ],
)
def test_a_line_holds_until_what_is_learned_changes(
    tmp_path: Path, section: str, key: str, value: float, holds: bool
) -> None:
    lines = lines_with(tmp_path, -1.0)
    config = learning.load_config("tiny").merged({section: {key: value}, "seed": 7})
    assert bool(lines.of("tiny", config)) == holds


@pytest.mark.parametrize(("value", "holds"), [(1.0, True), (2.0, False)])
def test_a_line_older_than_a_key_holds_while_that_has_its_default(
    tmp_path: Path, value: float, holds: bool
) -> None:
    config, lines = learning.load_config("tiny"), Lines(tmp_path / "lines.jsonl")
    older = settings_of(config)
    del older["agent.reward_scale"]
    lines.add(line_of(config, 0, -1.0), older)
    now = config.merged({"agent": {"reward_scale": value}})
    assert bool(lines.of("tiny", now)) == holds


def test_only_what_has_no_line_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines_with(tmp_path, -1.0)
    plans: list[Plan] = []

    def train(plan: Plan) -> tuple[list[Run], int | None]:
        plans.append(plan)
        return [Run("tiny seed 1", 3)], None

    monkeypatch.setattr(trainings, "train_in_processes", train)
    assert main(["learn", "--lines", str(tmp_path / "lines.jsonl"), "--workers", "1"]) == 3
    assert list(plans[0].commands) == ["tiny seed 1"]
    assert plans[0].workers == 1 and plans[0].variables["OPENBLAS_NUM_THREADS"] == "1"


def test_unknown_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["learn", "--only", "pendulumm"]) == 2
    assert "--only: expected names of tiny; got pendulumm" in capsys.readouterr().err


def test_table_in_text_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines_with(tmp_path, -1450.0, -1200.4)
    arguments = ["learn", "--lines", str(tmp_path / "lines.jsonl"), "--no-train", "--json"]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    (row,) = json.loads(printed.out)["rows"]
    assert row["returns"] == {"0": -1450.0, "1": -1200.4}
    assert (row["lowest"], row["met"], row["aim"]["every"]) == (-1450, True, -1500)
    assert "-1,450" in printed.err and "yes" in printed.err


@pytest.mark.parametrize(
    ("returns", "met"),
    [([-1450, -1300], True), ([-1450], False), ([-1501, -1000], False), ([-1499, -1450], False)],
)
def test_goal_is_met_by_every_seed_and_by_their_median(
    tmp_path: Path, returns: list[float], met: bool
) -> None:
    (row,) = learning.rows([GOAL], lines_with(tmp_path, *returns))
    assert row.is_met == met


def test_a_goal_without_an_aim_is_shown(tmp_path: Path) -> None:
    goal = Goal("tiny", 1, None, "nobody -1 at 9")
    (row,) = learning.rows([goal], lines_with(tmp_path, -1450.0))
    assert row.is_met is None
    assert "| 60 | 0 | -1,450 | -1,450 | none |  | 20 s |" in learning_report.to_markdown([row])
    assert json.loads(learning_report.to_json([row]))["rows"][0]["aim"] is None


def test_tuning_seeds_stand_apart(tmp_path: Path) -> None:
    config, lines = learning.load_config("tiny"), lines_with(tmp_path, -1450.0)
    for seed in (101, 100):
        lines.add(line_of(config, seed, -1000.0 - seed), settings_of(config))
    (row,) = learning.rows([GOAL], lines)
    assert (row.lowest, row.median) == (-1450, -1450)
    assert "| -1,100, -1,101 (100, 101) |" in learning_report.to_markdown([row])


def test_readme_keeps_what_stands_around_its_table(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    place = "<!-- scripts/benchmark.py learn writes this -->\nold\n<!-- up to here -->"
    readme.write_text(f"before\n{place}\nafter\n")
    table = learning_report.to_markdown(learning.rows([GOAL], lines_with(tmp_path, -1450.0)))
    write_section("learn", table, readme)
    text = readme.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert "| Pendulum-v1 | 60 | 0 (of 0 to 1) | -1,450 | -1,450 | -1,500, -1,400 | " in text
    assert "| not yet known | 20 s |" in text
    write_section("learn", table, readme)
    assert readme.read_text() == text


def test_figure_shows_the_curves(tmp_path: Path) -> None:
    found = learning.rows([GOAL], lines_with(tmp_path, -1450.0, -1200.0))
    curve = learning_report.curve_of("", found[0].config, found[0].lines)
    assert curve.center.tolist() == [-1600, -1325]
    learning_report.draw([*found, Row(GOAL, found[0].config, [], [])], tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_pages_tell_what_the_lines_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    rows = learning.rows(GOALS, Lines())
    assert any(row.lines for row in rows)
    short = learning_report.to_markdown(rows, without=learning_report.DETAILS)
    assert short in README.read_text(encoding="utf-8")
    assert learning_report.to_markdown(rows) in PAGE.read_text(encoding="utf-8")
