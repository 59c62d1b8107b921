"""Evaluation's environment is like the given one, and apart from it."""

import functools
import gc
import multiprocessing
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils import EzPickle

from sac.environments import VectorEnvironment, separate_source
from sac.errors import EnvironmentSetupError
from tests.sac.environments.test_environments import check_transitions, from_source, opened
from tests.sac.environments_for_tests import (
    COUNTING,
    CopyingCountingEnv,
    CountingEnv,
    CountingVectorEnv,
)

__all__ = ["opened"]  # a fixture


@pytest.mark.parametrize(
    "source",
    [
        CountingEnv,
        CountingEnv(),
        gymnasium.make(COUNTING),
        gymnasium.wrappers.TransformReward(gymnasium.make(COUNTING), lambda reward: reward),
        gymnasium.make_vec(COUNTING, 2, "sync"),
        CountingVectorEnv(2),
    ],
    ids=["class", "env", "made", "wrapped", "made vector", "native"],
)
def test_a_separate_source_leaves_the_first_alone(
    source: Any, opened: list[VectorEnvironment]
) -> None:
    first, second, reference = (
        from_source(opened, each)
        for each in (source, separate_source(source)[0], separate_source(source)[0])
    )
    action = np.zeros((first.num_envs, 1), np.float32)
    np.testing.assert_array_equal(first.reset(1), reference.reset(1))
    check_transitions(second, 10, seed=3)
    np.testing.assert_array_equal(
        first.step(action).observation, reference.step(action).observation
    )


def test_what_cannot_be_copied_asks_for_a_callable() -> None:
    env = CountingEnv()
    env.lock = multiprocessing.Lock()  # type: ignore[attr-defined]
    with pytest.raises(EnvironmentSetupError, match="give a callable"):
        separate_source(env)


class AnewEnv(CopyingCountingEnv, EzPickle):
    """Is constructed anew where it is copied, as MuJoCo's and Box2D's are."""

    def __init__(self, bonus: float = 0.0) -> None:
        super().__init__()
        EzPickle.__init__(self, bonus)
        self.bonus, self.mode = bonus, "easy"
        self.table = np.zeros(3)

    def shaped(self, reward: float) -> float:
        return reward

    def step(self, action: Any) -> Any:
        observation, reward, *rest = super().step(action)
        return observation, self.shaped(reward) + self.bonus + self.table[0], *rest


ANEW = "AnewForTests-v0"
ANEW_ENV: Any = AnewEnv
gymnasium.register(ANEW, ANEW_ENV, disable_env_checker=True)


@pytest.mark.parametrize(
    "make",
    [
        lambda: gymnasium.make(ANEW),
        AnewEnv,
        lambda: gymnasium.wrappers.TimeLimit(AnewEnv(), 100),
        lambda: gymnasium.make_vec(ANEW, 1, "sync"),
    ],
    ids=["made", "constructed", "wrapped", "made vector"],
)
def test_what_was_set_since_an_environment_was_made_is_in_its_copy(make: Any) -> None:
    env: Any = make()
    is_vector = isinstance(env, gymnasium.vector.SyncVectorEnv)
    single = env.envs[0] if is_vector else env
    inner: Any = single.unwrapped
    inner.bonus, inner.mode, inner.table[:] = 5.0, "hard", 20.0
    inner.shaped = lambda reward: 100 * reward
    source, notes = separate_source(env)
    assert notes == []
    copied: Any = source() if callable(source) else source
    copied.reset(seed=1)
    actions = np.zeros((1, 1) if is_vector else 1, np.float32)
    assert copied.step(actions)[1] == 125
    another: Any = copied.envs[0].unwrapped if is_vector else copied.unwrapped
    assert another.mode == "hard"
    assert another.table is not inner.table


class Configured(CopyingCountingEnv):
    """Is told what to reward by attributes of several kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.allowed, self.kind = {0: 0.0}, set[int](), float
        self.bonus: Any = functools.partial(max, 0)

    def step(self, action: Any) -> Any:
        observation, _, *rest = super().step(action)
        reward = self.kind(self.table[0] + len(self.allowed) + self.bonus(-1))
        return observation, reward, *rest


CONFIGURED = "ConfiguredForTests-v0"
CONFIGURED_ENV: Any = Configured
gymnasium.register(CONFIGURED, CONFIGURED_ENV, disable_env_checker=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("table", {0: 7.0}),
        ("allowed", set(range(7))),
        ("bonus", functools.partial(max, 7)),
        ("bonus", lambda x: 7),
        ("kind", lambda x: 7.0),
    ],
)
def test_every_kind_of_setting_is_taken_over(name: str, value: Any) -> None:
    env: Any = gymnasium.make(CONFIGURED)
    setattr(env.unwrapped, name, value)
    source: Any = separate_source(env)[0]
    copied = source()
    copied.reset(seed=1)
    assert copied.step(np.zeros(1, np.float32))[1] == 7


class Task:
    def __init__(self, env: gymnasium.Env) -> None:
        self.env, self.threshold, self.levels = env, 0.1, 1  # not plain, as it refers to others


class HandlesEnv(CopyingCountingEnv):
    """Made by its id, with a handle that no name tells."""

    made = 0
    closed: list[int] = []  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        HandlesEnv.made += 1
        self.number = HandlesEnv.made
        self.task = Task(self)

    def close(self) -> None:
        HandlesEnv.closed.append(self.number)


HANDLES = "HandlesForTests-v0"
HANDLES_ENV: Any = HandlesEnv
gymnasium.register(HANDLES, HANDLES_ENV, disable_env_checker=True)


def test_what_each_has_for_itself_stays_and_what_was_set_deep_below_is_taken_over() -> None:
    env: Any = gymnasium.make(HANDLES)
    env.unwrapped.task.threshold, env.unwrapped.task.levels = 0.5, 7
    source: Any = separate_source(env)[0]
    inner = source().unwrapped
    assert inner.number not in (env.unwrapped.number, *HandlesEnv.closed)
    assert (inner.task.threshold, inner.task.levels) == (0.5, 7)
    assert inner.task is not env.unwrapped.task
    assert env.unwrapped.number not in HandlesEnv.closed
    assert len(HandlesEnv.closed) == 1  # the one that was compared with


def test_attributes_that_a_vector_environment_set_are_in_its_copy() -> None:
    env: Any = gymnasium.make_vec(ANEW, 2, "sync")
    env.set_attr("bonus", [1.0, 2.0])
    source: Any = separate_source(env)[0]
    assert source().get_attr("bonus") == (1.0, 2.0)


def test_processes_that_cannot_be_looked_into_are_told() -> None:
    env = gymnasium.make_vec("CartPole-v1", 2, "async")
    try:
        _, [note] = separate_source(env)
    finally:
        env.close()
    assert "what was set in this one's processes" in note


SIMULATORS: list[list[float]] = []  # a library's own, which Python knows by their numbers


class RemoteEnv(CopyingCountingEnv):
    def __init__(self) -> None:
        super().__init__()
        self.client = len(SIMULATORS)
        SIMULATORS.append([0.0])

    def reset(self, **kwargs: Any) -> Any:
        SIMULATORS[self.client][0] = 0.0
        return super().reset(**kwargs)

    def step(self, action: Any) -> Any:
        SIMULATORS[self.client][0] += 1
        observation, _, *rest = super().step(action)
        return observation, SIMULATORS[self.client][0], *rest


def test_copies_that_share_a_simulator_are_refused_with_the_choices() -> None:
    with pytest.raises(EnvironmentSetupError, match=r"share a simulator.*callable.*same.*or none"):
        separate_source(RemoteEnv())
    source, notes = separate_source(RemoteEnv)
    assert (source, notes) == (RemoteEnv, [])


class Handle:
    freed = 0

    def __del__(self) -> None:
        Handle.freed += 1


def test_what_frees_something_is_not_copied() -> None:
    env: Any = CopyingCountingEnv()
    env.parts = {"handle": Handle()}
    with pytest.raises(EnvironmentSetupError, match=r"its Handle holds something.*callable"):
        separate_source(env)
    gc.collect()
    assert Handle.freed == 0


class RestlessEnv(CopyingCountingEnv):
    def step(self, action: Any) -> Any:
        observation, _, *rest = super().step(action)
        return observation, np.random.default_rng().random(), *rest


def test_what_cannot_be_tried_is_told() -> None:
    _, [note] = separate_source(RestlessEnv())
    assert "does not repeat itself" in note
