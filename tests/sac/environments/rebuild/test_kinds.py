"""Which kinds of values a snapshot holds, and that they come back as what they were."""

import enum
import threading
from collections import Counter, OrderedDict, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from sac.environments.rebuild.made import read_made
from sac.environments.rebuild.recorder import Recorder
from sac.environments.rebuild.snapshot import load_snapshot, take_snapshot
from sac.training.train import train
from tests.sac.environments.rebuild.test_snapshot import through_files
from tests.sac.environments_for_tests import CopyingCountingEnv
from tests.sac.tiny_runs import tiny_config


class Mode(enum.IntEnum):
    EASY = 0
    HARD = 1


class Point(NamedTuple):
    x: float
    label: str


class Named:
    def __init__(self, count: int) -> None:
        self.name, self.count = "thing", count

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Named) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


KINDS: list[tuple[Any, Any]] = [
    ("easy", "hard"),
    (Mode.EASY, Mode.HARD),
    (set(), {3, (1, "a")}),
    (frozenset(), frozenset({1.5, None})),
    ({0: 0}, {0: 1, 5: [2]}),
    ({}, {(0, 1): 2.5}),
    (Counter(), Counter(n=3)),
    (defaultdict(int), defaultdict(int, n=3)),
    (OrderedDict(a=1), OrderedDict(b=2, a=1)),
    (Point(1.0, "a"), Point(2.0, "b")),
    (Named(0), Named(4)),
    ([Mode.EASY], [Mode.HARD]),
    (np.int64(0), np.int64(3)),
]


class Keeping(CopyingCountingEnv):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


def brought(before: Any, after: Any, other: Any) -> Any:
    first, second = Keeping(before), Keeping(other)
    others, made = read_made(first), read_made(second)
    first.value = after
    load_snapshot(second, through_files(take_snapshot(first, others)), made)
    return second.value


@pytest.mark.parametrize(("before", "after"), KINDS, ids=lambda value: type(value).__name__)
def test_each_kind_comes_back_as_what_it_was(before: Any, after: Any) -> None:
    value = brought(before, after, before)
    assert type(value) is type(after)
    assert value == after
    if isinstance(after, defaultdict):
        assert value["new"] == 0


class Length(float):
    pass


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("easy", "../hard"),
        ("a", "module:function"),
        (None, "human"),
        (Length(1), Length(2)),
        (Mode.EASY, 1),
        (1, Mode.HARD),
    ],
)
def test_what_can_not_come_back_stays_as_it_is(before: Any, after: Any) -> None:
    """Text that may name a file or code, and what would come back as something else."""
    value = brought(before, after, before)
    assert value is before


@pytest.mark.parametrize("name", ["video_folder", "logFile", "render_mode", "save_path"])
def test_text_that_names_files_is_no_part_of_a_snapshot(name: str) -> None:
    env = Keeping(0)
    vars(env)[name] = "videos"
    (layer,) = read_made(env)
    assert name not in layer.nodes


class Locked:
    def __init__(self) -> None:
        self.lock, self.count, self.name = threading.Lock(), 0, "a"


def test_what_changed_and_no_snapshot_holds_is_named() -> None:
    env: Any = Keeping(0)
    env.path, env.history, env.large, env.part = "a/b", [], np.zeros(200_000), Locked()
    env.still, env.remade = "c/d", np.zeros(200_000)
    recorder = Recorder(env)
    recorder.reset()
    assert recorder.snapshot()["unsaved"] == []  # type: ignore[index]
    env.path, env.large[3], env.part.count, env.value = "a/c", 1.0, 1, 1
    env.history += [(i, 0.5) for i in range(2000)]
    env.remade = np.ones(200_000)
    expected = ["path", "history", "large", "part.count"]
    assert sorted(recorder.snapshot()["unsaved"]) == sorted(expected)  # type: ignore[index]
    assert sorted(recorder.recording()["unsaved"]) == sorted(expected)  # type: ignore[index]


class Visits(Keeping):
    """Keeps where it was in text that a checkpoint leaves out."""

    def __init__(self) -> None:
        super().__init__(0)
        self.place = "a/0"

    def step(self, action: Any) -> Any:
        self.place = f"a/{self.steps_in_all}"
        return super().step(action)


@pytest.mark.parametrize("kind", ["same", "copy"])
def test_a_run_says_what_is_not_brought_back(kind: str, tmp_path: Path, capsys: Any) -> None:
    evaluation = {"env": kind, "every_steps": 20}
    run = train(tiny_config(tmp_path, {"evaluation": evaluation}), env=Visits).run_directory
    told = "environment 0: place: changed since construction"
    assert capsys.readouterr().out.count(told) == (kind == "same")
    train(resume=run, env=Visits, overrides={"train": {"total_steps": 65}})
    assert told in capsys.readouterr().out
