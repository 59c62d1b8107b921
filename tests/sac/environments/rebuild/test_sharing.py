"""What is one object stays one when an environment is brought back, and nothing else changes."""

import copy
from typing import Any

import gymnasium
import numpy as np
import pytest

from sac.environments.rebuild.made import read_made
from sac.environments.rebuild.snapshot import load_snapshot, take_snapshot
from tests.sac.environments.rebuild.test_snapshot import through_files
from tests.sac.environments_for_tests import CopyingCountingEnv

ROWS = np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])


class Task:
    def __init__(self, goal: float) -> None:
        self.goal, self.visits = np.array([goal, 0.0]), 0


TASKS = [Task(1.0), Task(2.0), Task(3.0)]


class Choosing(CopyingCountingEnv):
    """Takes one of a few goals in each episode: of its own, of a constant, as it is."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        own = {"rows": ROWS.copy(), "arrays": list(ROWS.copy())}
        constants: dict[str, Any] = {"constant": ROWS, "constant tasks": TASKS}
        self.tasks: Any = own.get(kind, [Task(1.0), Task(2.0), Task(3.0)])
        pool = constants.get(kind, self.tasks)
        if kind in constants:
            del self.tasks
        self.choose = lambda i: pool[i]  # where no search finds a constant
        self.task: Any = self.choose(0)

    def reset(self, **kwargs: Any) -> Any:
        self.episode += 1
        self.task = self.choose(self.episode % 3)
        return super().reset(**kwargs)

    def goals(self) -> list[float]:
        return [self.goal_of(self.choose(i)) for i in range(3)]

    @staticmethod
    def goal_of(task: Any) -> float:
        return float(task.goal[0] if isinstance(task, Task) else task[0])


def brought_to(env: gymnasium.Env, resets: int, other: gymnasium.Env | None = None) -> Any:
    """Bring an environment to where it, or another, was before some resets."""
    other = env if other is None else other
    made, others = read_made(env), read_made(other)
    snapshot = through_files(take_snapshot(other, others))
    for _ in range(resets):
        env.reset()
    load_snapshot(env, snapshot, made)


@pytest.mark.parametrize("kind", ["rows", "arrays", "tasks", "constant", "constant tasks"])
@pytest.mark.parametrize("resets", [1, 2, 3])
def test_what_is_chosen_among_is_not_overwritten(kind: str, resets: int) -> None:
    env = Choosing(kind)
    read_made(env)
    env.reset()
    chosen = env.goal_of(env.task)
    brought_to(env, resets)
    assert env.goal_of(env.task) == chosen
    assert env.goals() == [1.0, 2.0, 3.0]


def test_the_chosen_is_one_of_those_it_is_chosen_from_again() -> None:
    first, second = Choosing("tasks"), Choosing("tasks")
    for env in (first, second):
        read_made(env)
        env.reset()
    first.task.visits = 7
    brought_to(second, 1, first)
    assert second.task is second.tasks[first.tasks.index(first.task)]
    assert [task.visits for task in second.tasks] == [task.visits for task in first.tasks]


class Part:
    def __init__(self, counts: Any) -> None:
        self.counts = counts


class Late(CopyingCountingEnv):
    """What it makes in its first reset belongs together: counts, and a view of a memory."""

    def __init__(self, counts: Any, *, is_late: bool, is_odd: bool = False) -> None:
        super().__init__()
        self.counts, self.part, self.pair = counts, Part(counts), (counts, 0)
        if is_odd:
            self.part.owner = lambda: None  # type: ignore[attr-defined]
        self.is_late = is_late
        self.memory = self.position = np.zeros(0)
        if not is_late:
            self.make()

    def make(self) -> None:
        self.memory = np.zeros(5)
        self.position = self.memory[1:3]

    def reset(self, **kwargs: Any) -> Any:
        if self.is_late and not len(self.memory):
            self.make()
        return super().reset(**kwargs)


@pytest.mark.parametrize("is_odd", [False, True])
@pytest.mark.parametrize("counts", [{"n": 0}, [0], np.zeros(1)], ids=["dict", "list", "array"])
def test_what_two_objects_share_stays_shared(counts: Any, is_odd: bool) -> None:
    first, second = (Late(copy.copy(counts), is_late=True, is_odd=is_odd) for _ in range(2))
    key = "n" if isinstance(counts, dict) else 0
    read_made(first)
    first.part.counts[key] = 5
    brought_to(second, 1, first)
    assert second.counts is second.part.counts is second.pair[0]
    assert second.counts[key] == 5


@pytest.mark.parametrize("is_late", [False, True])
def test_a_view_stays_one(is_late: bool) -> None:
    first, second = (Late({}, is_late=is_late) for _ in range(2))
    for env in (first, second):
        read_made(env)
        env.reset()
    first.position[:] = 3.0
    brought_to(second, 1, first)
    assert second.position.tolist() == [3.0, 3.0]
    second.memory[1] = 4.0
    assert second.position.tolist() == [4.0, 3.0]


def test_what_the_constructor_gave_to_something_hidden_stays_one_with_it() -> None:
    """As an array to whose memory a simulator points."""
    first, second = (Late({}, is_late=False) for _ in range(2))
    hidden = second.memory
    read_made(first)
    first.memory[:] = 2.0
    brought_to(second, 1, first)
    assert hidden.tolist() == [2.0] * 5


def test_a_sharing_that_is_made_up_changes_nothing() -> None:
    env = Late({"n": 0}, is_late=False)
    snapshot = take_snapshot(env, read_made(env))
    env.other = {"n": 1}  # type: ignore[attr-defined]
    other = env.other  # type: ignore[attr-defined]
    views = [{"place": [0, "position"], "of": [0, "memory"], "shape": [2], "strides": [8]}]
    snapshot["sharing"] = {
        "replaced": [[0, "position"]],
        "shared": [[[0, "counts"], [0, "other"]], [[0, "action_space"], [0, "part"]]],
        "views": [{**views[0], "offset": 80}],
    }
    load_snapshot(env, snapshot, read_made(env))
    assert env.other is other  # type: ignore[attr-defined]
    assert isinstance(env.part, Part)
    assert env.position.tolist() == [0.0, 0.0]
