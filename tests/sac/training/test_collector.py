"""The collector stores real transitions, in policy units, and never a number that is not finite."""

import functools
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from sac.config import EnvConfig
from sac.environments import Restored, VectorEnvironment, make_vector_environment
from sac.errors import EnvironmentStepError
from sac.exploration.noise import Noise
from sac.exploration.random_actions import RandomActions
from sac.replay.buffer import ReplayBuffer
from sac.seeding import Streams
from sac.training.collector import Collected, Collector
from tests.sac.environments_for_tests import (
    ACTION_SPACE,
    CopyingCountingEnv,
    CountingEnv,
    CountingVectorEnv,
    TroubleEnv,
    episode_length,
)
from tests.sac.exploration.test_noise import count_pieces
from tests.sac.tiny_runs import one_step_each


class FixedAgent:
    """Acts with a constant, or with the given number, and remembers what it saw."""

    def __init__(self, action: Any = 0.25, dtype: type = np.float32, size: int = 1) -> None:
        self.action, self.dtype, self.size = action, dtype, size
        self.seen: list[np.ndarray] = []
        self.acted_on: list[np.ndarray] = []
        self.returns: list[np.ndarray] = []

    def explore(self, observations: np.ndarray) -> np.ndarray:
        self.acted_on.append(observations)
        shape = (len(observations), self.size) if self.dtype is np.float32 else (len(observations),)
        return np.full(shape, self.action, self.dtype)

    def observe(self, observations: np.ndarray) -> None:
        self.seen.append(observations.copy())

    def observe_returns(self, returns: np.ndarray) -> None:
        self.returns.append(returns.copy())


class Everything:
    """A stand-in for the replay: keeps whatever is added."""

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []

    def add(self, valid: np.ndarray, **arrays: np.ndarray) -> None:
        self.rows += [[a[i].copy() for a in arrays.values()] for i in np.flatnonzero(valid)]


def make_collector(
    source: Any, agent: Any = None, replay: Any = None, seed: int = 0, **keys: Any
) -> Collector:
    environment = make_vector_environment(EnvConfig(**keys), source=source, seed=5)
    return make_collector_of(environment, agent, replay, seed)


def make_collector_of(
    environment: VectorEnvironment, agent: Any = None, replay: Any = None, seed: int = 0
) -> Collector:
    agent = FixedAgent() if agent is None else agent
    replay = Everything() if replay is None else replay
    return Collector(environment, agent, replay, random_actions=one_step_each(environment, seed))


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_stored_transitions_equal_real_steps(mode: AutoresetMode) -> None:
    env = CountingVectorEnv(3, mode)
    replay, agent = Everything(), FixedAgent()
    collector = make_collector(env, agent, replay)
    collected = [collector.collect(random=False) for _ in range(30)]
    real_steps = sum(single.steps_in_all for single in env.envs)
    assert sum(c.transitions for c in collected) == len(replay.rows) == real_steps
    for before, _, reward, terminated, truncated, after in replay.rows:
        seed, episode, count, total = before
        np.testing.assert_array_equal(after, [seed, episode, count + 1, total + 1])
        assert reward == count + 1
        assert (terminated or truncated) == (count + 1 == episode_length(int(episode)))
    steps_seen = {(row[0], row[3]) for row in np.concatenate(agent.seen).tolist()}
    assert steps_seen == {(row[0][0], row[0][3]) for row in replay.rows}
    episodes = [episode for c in collected for episode in c.episodes]
    assert len(episodes) == sum(bool(row[3] or row[4]) for row in replay.rows)


class NoisyAgent(FixedAgent):
    """Acts with its noise, and remembers it."""

    def perturb(self, observations: np.ndarray, noise: np.ndarray) -> np.ndarray:
        return noise / 10_000


def noisy_collector(
    environment: VectorEnvironment, replay: Any, monkeypatch: pytest.MonkeyPatch
) -> Collector:
    """Its actions are its noise, which tells pieces and steps."""
    count_pieces(monkeypatch)
    agent: Any = NoisyAgent()
    noise = Noise("pink", environment.num_envs, 1, Streams.from_seed(0).noise)
    random_actions = RandomActions(environment.action_codec, environment.num_envs, 4, 0)
    return Collector(environment, agent, replay, random_actions=random_actions, noise=noise)


def pieces_and_steps(replay: Everything) -> list[tuple[int, int]]:
    return [divmod(round(float(row[1][0]) * 10_000), 100) for row in replay.rows]


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_noise_of_an_episode_begins_with_it(
    mode: AutoresetMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = make_vector_environment(EnvConfig(), source=CountingVectorEnv(3, mode), seed=5)
    replay = Everything()
    collector = noisy_collector(environment, replay, monkeypatch)
    for _ in range(40):
        collector.collect(random=False)
    owners: dict[int, list[float]] = {}  # of the first piece of each episode
    for (piece, step), (before, *_) in zip(pieces_and_steps(replay), replay.rows, strict=True):
        seed, episode, count, _ = before.tolist()
        assert step == count % 5
        if count < 5:
            assert owners.setdefault(piece, [seed, episode]) == [seed, episode]
    assert len(owners) > 9


@pytest.mark.parametrize("random", [True, False])
def test_exploration_begins_anew_where_an_episode_is_lost(
    random: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = CountingVectorEnv(2, AutoresetMode.SAME_STEP)
    environment = make_vector_environment(EnvConfig(), source=source, seed=5)
    replay: Any = Everything()
    replay.truncate = list
    collector = noisy_collector(environment, replay, monkeypatch)
    for _ in range(2):  # the first episodes have one step
        collector.collect(random=random)
    state = collector.state()
    lost = Restored({1: "a reason"}, environment.reset())
    monkeypatch.setattr(environment, "load_state", lambda state: lost)
    collector.load_state(state)
    collector.collect(random=random)
    if random:
        actions = [float(row[1][0]) for row in replay.rows]
        assert actions[4] == actions[2] and actions[5] != actions[3]
    else:
        assert pieces_and_steps(replay)[2:] == [(3, 0), (4, 0), (3, 1), (5, 0)]


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_discounted_returns_are_those_of_the_episodes_up_to_now(mode: AutoresetMode) -> None:
    agent, replay, discount = FixedAgent(), Everything(), 0.5
    collector = make_collector(CountingVectorEnv(2, mode), agent, replay)
    collector._discount = discount
    for _ in range(30):
        collector.collect(random=False)
    expected = []
    for before, *_ in replay.rows:
        count = int(before[2]) + 1  # the reward of a step is its number
        expected.append(sum(k * discount ** (count - k) for k in range(1, count + 1)))
    np.testing.assert_allclose(np.concatenate(agent.returns), expected)


def test_policy_sees_the_first_observation_of_the_next_episode() -> None:
    agent = FixedAgent()
    collector = make_collector(CountingEnv, agent)
    for _ in range(6):
        collector.collect(random=False)
    assert [int(o[0, 2]) for o in agent.acted_on] == [0, 0, 1, 2, 3, 0]  # steps of the episodes


@pytest.mark.parametrize("random", [True, False])
def test_replay_holds_policy_units_and_the_environment_its_own(random: bool) -> None:
    env = CountingEnv()
    replay = Everything()
    collector = make_collector(env, replay=replay)
    for _ in range(50):
        collector.collect(random=random)
    stored = np.array([row[1] for row in replay.rows])
    taken = np.array(env.actions)
    assert stored.dtype == np.float32
    np.testing.assert_allclose(taken, 2.0 * stored, rtol=1e-6)  # the bounds are -2 and 2
    if random:
        assert np.abs(stored).max() > 0.9
        assert np.std(stored) == pytest.approx(1 / np.sqrt(3), rel=0.2)
    else:
        assert (stored == 0.25).all()


@pytest.mark.parametrize("random", [True, False])
def test_discrete_actions_are_stored_from_zero(random: bool) -> None:
    env = CountingEnv(action_space=spaces.Discrete(3, start=5))
    replay = ReplayBuffer(
        40, 1, (4,), np.float32, (), np.int64, np.random.default_rng(0), gamma=0.99
    )
    collector = make_collector(env, FixedAgent(2, np.int64), replay)
    for _ in range(40):
        collector.collect(random=random)
    stored = set(replay.sample(500).action.ravel().tolist())
    assert stored == ({0, 1, 2} if random else {2})
    assert {int(action) for action in env.actions} == {action + 5 for action in stored}


def random_actions(seed: int, count: int = 8) -> np.ndarray:
    env = CountingEnv()
    collector = make_collector(env, seed=seed)
    for _ in range(count):
        collector.collect(random=True)
    return np.array(env.actions)


def test_random_actions_are_seeded() -> None:
    np.testing.assert_array_equal(random_actions(1), random_actions(1))
    assert not np.isin(random_actions(2), random_actions(1)).any()


def test_random_actions_differ_between_environments() -> None:
    replay = Everything()
    make_collector(CountingEnv, replay=replay, num_envs=4).collect(random=True)
    assert len({float(row[1][0]) for row in replay.rows}) == 4


def test_random_actions_are_apart_from_the_environments_own_use_of_its_space() -> None:
    env = CountingEnv(action_space=spaces.Box(-2.0, 2.0, (1,), np.float32))
    collector = make_collector(env, seed=1)
    for _ in range(8):
        env.action_space.sample()
        collector.collect(random=True)
    np.testing.assert_array_equal(np.array(env.actions), random_actions(1))
    assert ACTION_SPACE is not collector._random_actions._space


def test_random_actions_go_on_from_a_saved_state() -> None:
    expected = random_actions(3, count=8)
    collector = make_collector(CountingEnv(), seed=3)
    for _ in range(5):
        collector.collect(random=True)
    state = collector.state()
    state["random_actions"] = json.loads(json.dumps(state["random_actions"]))
    env = CountingEnv()
    resumed = make_collector(env, seed=99)
    resumed.load_state({**state, "environment": None})
    for _ in range(3):
        resumed.collect(random=True)
    np.testing.assert_array_equal(np.array(env.actions), expected[5:])


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        ("nan observation", "environment 1 gave the observation nan after 6 transitions"),
        ("infinite observation", "environment 1 gave the observation inf"),
        ("nan reward", "environment 1 gave the reward nan"),
        ("infinite reward", "environment 1 gave the reward -inf"),
        ("huge reward", r"environment 1: the reward holds 1e\+300, too large for float32"),
    ],
)
def test_what_is_not_finite_is_refused_and_not_stored(trouble: str, message: str) -> None:
    troubled = functools.partial(TroubleEnv, trouble)
    makers: Iterator[Any] = iter([CopyingCountingEnv, troubled, CopyingCountingEnv])
    replay = Everything()
    collector = make_collector(lambda: next(makers)(), replay=replay, num_envs=3)
    for _ in range(2):
        collector.collect(random=False)
    with pytest.raises(EnvironmentStepError, match=message):
        collector.collect(random=False)
    assert len(replay.rows) == 6


class BadStart(CopyingCountingEnv):
    """Starts its second episode with nan."""

    def reset(self, **kwargs: Any) -> Any:
        observation, info = super().reset(**kwargs)
        return observation + np.float32(np.nan if self.episode == 1 else 0.0), info


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_a_start_that_is_not_finite_is_refused(mode: AutoresetMode) -> None:
    replay = Everything()
    environment = VectorEnvironment(SyncVectorEnv([BadStart], autoreset_mode=mode))
    collector = make_collector_of(environment, replay=replay)
    with pytest.raises(EnvironmentStepError, match="observation nan"):
        for _ in range(4):
            collector.collect(random=False)
    assert np.isfinite([row[0] for row in replay.rows]).all()


def test_an_action_that_is_not_finite_is_the_policys_fault() -> None:
    env = CountingEnv()
    collector = make_collector(env, FixedAgent(np.nan))
    with pytest.raises(EnvironmentStepError, match=r"policy gave the action nan.*diverged"):
        collector.collect(random=False)
    assert not env.actions


def test_environments_are_reset_once_with_their_seed() -> None:
    env = CountingEnv()
    replay = Everything()
    collector = make_collector(env, replay=replay)
    assert env.episode == -1  # nothing runs before the first step
    results = [collector.collect(random=False) for _ in range(2)]
    assert [r.transitions for r in results] == [1, 1]
    assert isinstance(results[0], Collected)
    assert replay.rows[0][0].tolist() == [5, 0, 0, 0]
