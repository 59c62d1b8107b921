"""What each variant learns: studies, their lines, and the table that is told of them."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import gymnasium
import numpy as np
import pytest

from sac.config.shipped import PRESETS, names
from scripts.benchmarks import family, family_command
from scripts.benchmarks.command import main
from scripts.benchmarks.family import (
    NAMES,
    PLAIN,
    TASKS,
    PeerLine,
    Task,
    evaluation_after,
    result,
    study_config,
)
from scripts.benchmarks.family_report import draw
from scripts.benchmarks.learning import Line, Lines, digest, settings_of
from scripts.benchmarks.workers import our_learning


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(family, "PEER_LINES", tmp_path / "peers.jsonl")
    monkeypatch.setattr(family, "TIMES", tmp_path / "times.json")
    monkeypatch.setitem(TASKS, "tiny", Task("Pendulum-v1", 1_000, 2, (PLAIN, "tqc")))
    return tmp_path / "lines.jsonl"


def line_of(study: str, seed: int, mean_return: float) -> Line:
    settings = digest(settings_of(study_config(study)))
    return Line(
        study, seed, mean_return, mean_return - 9, 1_000, 1.0, [(1_000, mean_return, 1.0)],
        settings, "abc", "2026-01-01", "a machine", {"numpy": "2"}, 120.0,
    )  # fmt: skip


def test_every_shipped_preset_is_a_variant() -> None:
    assert sorted(NAMES) == sorted([PLAIN, *names(PRESETS)])


@pytest.mark.parametrize("task", TASKS)
def test_studies_differ_by_the_preset_alone(task: str) -> None:
    plain = settings_of(study_config(f"{task}/{PLAIN}"))
    if longer := TASKS[task].longer:  # whose curves it shows
        assert settings_of(study_config(longer + f"/{PLAIN}"))["env.id"] == plain["env.id"]
    for name in TASKS[task].variants:
        settings = settings_of(study_config(f"{task}/{name}"))
        assert settings["env.id"] == plain["env.id"]
        assert settings["train.total_steps"] == TASKS[task].steps
        assert (settings == plain) == (name == PLAIN)


def test_every_variant_that_a_peer_has_is_learned_beside_it_once_in_pendulum() -> None:
    tasks = [TASKS[name] for name in family_command.PEER_TASKS]
    taught = [name for task in tasks if task.env_id == "Pendulum-v1" for name in task.variants]
    assert sorted(taught) == sorted(NAMES)


def test_the_table_shows_what_is_known(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(tiny)
    for seed, mean_return in ((0, -900.0), (1, -700.0)):
        lines.add(line_of("tiny/tqc", seed, mean_return), settings_of(study_config("tiny/tqc")))
    for seed, mean_return in ((0, -800.0), (1, -1000.0), (2, -600.0)):
        family.add_peer(PeerLine("tqc", "sb3", "tiny", seed, mean_return, 5_000, 9.0, "", "", {}))
    family.add_peer(PeerLine("tqc", "sb3", "pendulum", 0, -400.0, 5_000, 9.0, "", "", {}))
    assert main(["family", "--no-train", "--json", "--lines", str(tiny)]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    row = next(row for row in rows if row["variant"] == "tqc")
    assert row["Pendulum-v1 at 1,000"] == "-800 in 2 min; sb3 -800 (worst -1,000)"
    assert row["Pendulum-v1 at 5,000"] == "sb3 -400"
    plain = next(row for row in rows if row["variant"] == PLAIN)
    assert plain["Pendulum-v1 at 1,000"] == ""


def test_a_shorter_task_shows_the_curves_of_a_longer_one(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TASKS, "tinier", Task("Pendulum-v1", 500, 1, ("tqc",), "tiny"))
    lines = Lines(tiny)
    for seed, early in ((0, -900.0), (1, -700.0)):
        line = line_of("tiny/sac", seed, -300.0)
        line = replace(line, curve=[(500, early, 0.5), *line.curve])
        lines.add(line, settings_of(study_config("tiny/sac")))
    found = result("tinier/sac", lines)
    assert found is not None
    assert (found.median, found.minutes) == (-800, None)
    assert result("tinier/tqc", lines) is None  # it has no line of its own yet
    assert result("tinier/redq", lines) is None


def test_what_came_in_the_time_of_plain_sac_counts_its_own_seconds(tiny: Path) -> None:
    # Of 200 seconds on the clock the process had 100.
    curve = [(100, -9.0, 40.0), (200, -5.0, 80.0), (300, -1.0, 200.0)]
    line = replace(line_of("tiny/sac", 0, 0.0), curve=curve, seconds=200.0, processor_seconds=100.0)
    assert evaluation_after(line, 45.0) == -5
    assert evaluation_after(line, 19.0) is None
    assert evaluation_after(replace(line, processor_seconds=None), 45.0) is None


def test_the_time_of_updates_stands_beside_that_of_each_peer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {"work": "crossq, 1 update 17/6", "peer": peer, "ours_ms": 8.123, "ratio_to_peer": ratio}
        for peer, ratio in (("sb3", 0.5), ("sbx", 0.8))
    ]
    alone = {"work": "redq, 20 updates 17/6", "peer": None, "ours_ms": 90.0, "ratio_to_peer": None}
    monkeypatch.setattr(family, "TIMES", tmp_path / "times.json")
    assert family.known_times() == {}
    family.TIMES.write_text(json.dumps({"rows": [*rows, alone]}))
    times = family.known_times()
    assert times["crossq"].text == "8.12 (0.50 of sb3, 0.80 of sbx)"
    assert times["redq"].text == "90"


def test_the_figure_shows_those_that_learn_longest(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    lines = Lines(tiny)
    draw(lines, tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()  # as nothing is known
    study = f"half_cheetah/{PLAIN}"
    lines.add(line_of(study, 0, 100.0), settings_of(study_config(study)))
    draw(lines, tmp_path / "one.png")
    assert (tmp_path / "one.png").stat().st_size > 10_000


def test_a_study_is_trained(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TASKS, "tiny", Task("Pendulum-v1", 60, 1, (PLAIN,)))
    config = study_config(f"tiny/{PLAIN}").merged({"train": {"learning_starts": 50}})
    monkeypatch.setattr(our_learning, "study_config", lambda _: config)
    arguments = ["--config", f"tiny/{PLAIN}", "--seed", "0", "--runs", str(tiny.parent / "runs")]
    monkeypatch.setattr(sys, "argv", ["our_learning", *arguments, "--lines", str(tiny)])
    assert our_learning.main() == 0
    assert Lines(tiny).of(f"tiny/{PLAIN}", config)[0].steps == 60


class TwoSteps(gymnasium.Env[Any, Any]):
    """Episodes of two steps; a return tells how often the environment was reset before."""

    observation_space = action_space = gymnasium.spaces.Box(-1, 1, (1,))

    def __init__(self) -> None:
        self.seeds: list[int | None] = []

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        self.seeds.append(seed)
        self.steps = 0
        return np.zeros(1), {}

    def step(self, action: Any) -> Any:
        self.steps += 1
        return np.zeros(1), len(self.seeds) / 2, False, self.steps == 2, {}


def test_what_peers_learn_too_is_judged_by_the_same_episodes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SB3's evaluate_policy resets an environment that had the seed once more, without it."""
    env = TwoSteps()
    monkeypatch.setattr(our_learning, "EPISODES", 3)
    monkeypatch.setattr(our_learning.SACAgent, "load", Mock())
    monkeypatch.setattr(our_learning.gymnasium, "make", {"Pendulum-v1": env}.__getitem__)
    assert our_learning._returns("pendulum/sac", Path()) == [2, 3, 4]
    assert env.seeds[:2] == [our_learning.EVALUATION_SEED, None] and not any(env.seeds[1:])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "chess"], "--only: expected names of half_cheetah"),
        (["--variants", "ppo"], "--variants: expected names of sac"),
    ],
)
def test_unknown_names_are_refused(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["family", "--no-train", *arguments]) == 2
    assert words in capsys.readouterr().err
