"""What an environment is brought back to in another process, and what is left to that process."""

import itertools
import json
import random
from typing import Any

import gymnasium
import numpy as np
import pytest

from sac.config import EnvConfig
from sac.disk.encoding import join_arrays, split_arrays
from sac.environments import VectorEnvironment, make_vector_environment
from sac.environments.rebuild import nodes
from sac.environments.rebuild.made import read_made
from sac.environments.rebuild.nodes import is_process_bound, read_layers
from sac.environments.rebuild.recorder import Recorder
from sac.environments.rebuild.snapshot import load_attributes, load_snapshot, take_snapshot
from sac.errors import EnvironmentStepError
from tests.sac.environments_for_tests import ACTION_SPACE, OBSERVATION_SPACE, CopyingCountingEnv

NUMBERS = itertools.count(5000)  # as an operating system gives them out


class Body:
    def __init__(self) -> None:
        self.mass, self.speed, self.socket_fd = 1.0, 0.0, next(NUMBERS)


class ConnectedEnv(CopyingCountingEnv):
    """Talks to something by numbers that are good for this object alone."""

    def __init__(self) -> None:
        super().__init__()
        self.number = next(NUMBERS)  # no name tells, but it never changes
        self.port = next(NUMBERS)
        self.settings = {"server_port": next(NUMBERS), "level": 0}
        self.body = Body()
        self.client: int | None = None
        self.is_odd = False

    def reset(self, **kwargs: Any) -> Any:
        if self.client is None:
            self.client = next(NUMBERS)
        self.is_odd = not self.is_odd
        self.settings["level"] += 1
        return super().reset(**kwargs)

    def step(self, action: Any) -> Any:
        self.body.speed += 1
        return super().step(action)


def own_numbers(env: ConnectedEnv) -> list[Any]:
    settings = env.settings["server_port"]
    return [env.number, env.port, settings, env.body.socket_fd, env.client]


def through_files(tree: Any) -> Any:
    document, arrays = split_arrays(tree)
    return join_arrays(json.loads(json.dumps(document)), arrays)


def brought_to(env: gymnasium.Env, other: gymnasium.Env, made: Any, others_made: Any) -> list[str]:
    """Bring an environment, after a reset, to where another is."""
    env.reset()
    return load_snapshot(env, through_files(take_snapshot(other, others_made)), made)


def test_what_a_constructor_set_is_left_to_the_constructor() -> None:
    first, second = ConnectedEnv(), ConnectedEnv()
    made, others = read_made(second), read_made(first)
    second.reset()
    for _ in range(2):
        first.reset()
        first.step(np.zeros(1, np.float32))
    own = own_numbers(second)
    left = brought_to(second, first, made, others)
    assert own_numbers(second) == own
    assert left == ["client"]  # changed since construction, unlike the others
    assert (second.episode, second.body.speed, second.settings["level"]) == (1, 2.0, 2)


def test_what_changed_back_is_brought_back_too() -> None:
    first, second = ConnectedEnv(), ConnectedEnv()
    made, others = read_made(second), read_made(first)
    for _ in range(2):  # as constructed, but `brought_to` resets once
        first.reset()
    brought_to(second, first, made, others)
    assert second.is_odd is False


def test_the_users_own_object_goes_back_to_where_it_was() -> None:
    """As a run that diverged brings it back, or one that is resumed with the same object."""
    env = ConnectedEnv()
    environment = make_vector_environment(EnvConfig(), source=env, seed=1)
    environment.reset()
    played(environment, 5 + 1)  # two episodes and a step: before the third, nothing is odd
    assert env.is_odd is True
    state = through_files(environment.state())
    again = make_vector_environment(EnvConfig(), source=env, seed=1)
    assert again.load_state(state).lost == {}
    assert (env.is_odd, env.episode, env.step_count) == (True, 2, 1)


@pytest.mark.parametrize(
    "name",
    ["port", "server_port", "physicsClientId", "pid", "ports", "_handle", "fd", "window_id"],
)
def test_names_of_processes(name: str) -> None:
    assert is_process_bound(name, 3)
    assert is_process_bound(name, [3, np.int64(4)])
    assert not is_process_bound(name, 3.5)
    assert not is_process_bound(name, True)
    assert not is_process_bound(name, None)


def test_a_snapshot_that_names_a_number_of_the_process_changes_nothing() -> None:
    values = {"port": 3, "client": 3, "level": 3}
    load_attributes(values, {"port": 7, "client": None, "level": 7})
    assert values == {"port": 3, "client": 3, "level": 7}


@pytest.mark.parametrize("name", ["position", "portion", "support", "rapid", "handled", "steps"])
def test_names_of_states(name: str) -> None:
    assert not is_process_bound(name, 3)
    assert is_process_bound(name, 0x7F3A_1234_5678)  # where memory lies


class ManagedEnv(CopyingCountingEnv):
    """Never listens to a seed; draws from generators that lie deep, of every kind."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        tasks = [object(), {"random": np.random.RandomState(seed)}]
        self.manager = type("Manager", (), {})()
        self.manager.tasks, self.manager.file = tasks, open  # not plain
        self.manager.again = self.manager  # a circle
        self.manager.dice = (random.Random(seed),)
        self.own = np.random.Generator(np.random.MT19937(seed))

    def draws(self) -> list[float]:
        legacy = self.manager.tasks[1]["random"]
        return [legacy.normal(), self.manager.dice[0].gauss(0, 1), self.own.normal()]


def test_generators_are_found_wherever_they_lie() -> None:
    first, second = ManagedEnv(1), ManagedEnv(2)
    made, others = read_made(second), read_made(first)
    first.draws()
    brought_to(second, first, made, others)
    assert second.draws() == first.draws()
    assert second.draws() == first.draws()


def test_a_generator_that_is_missing_is_told() -> None:
    first, second = ManagedEnv(1), ManagedEnv(2)
    made, others = read_made(second), read_made(first)
    second.manager.tasks.clear()
    with pytest.raises(ValueError, match=r"no generator at manager\.tasks\.1\.random"):
        brought_to(second, first, made, others)


def test_a_generator_that_gymnasium_makes_at_first_use_is_made() -> None:
    first, second = CopyingCountingEnv(), CopyingCountingEnv()
    made, others = read_made(second), read_made(first)
    first.reset()
    expected = first.np_random.random(3).tolist()
    first.reset(seed=3)
    brought_to(second, first, made, others)
    assert second.np_random.random(3).tolist() == first.np_random.random(3).tolist() != expected


class ChoosingEnv(CopyingCountingEnv):
    """Plays with one of its pieces in each episode."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces = {"a": Body(), "b": Body()}
        self.piece: Body | None = None

    def reset(self, **kwargs: Any) -> Any:
        self.piece = self.pieces["ab"[self.episode % 2]]
        return super().reset(**kwargs)


def test_an_object_that_is_one_of_several_is_not_made_another() -> None:
    first, second = ChoosingEnv(), ChoosingEnv()
    made, others = read_made(second), read_made(first)
    first.pieces["a"].mass, second.pieces["a"].mass = 7.0, 7.0
    for _ in range(2):
        first.reset()  # `second`, after one reset, plays with the other piece
    brought_to(second, first, made, others)
    assert second.piece is not None
    assert (second.piece.mass, second.pieces["b"].mass) == (7.0, 1.0)


class BoardEnv(CopyingCountingEnv):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.board = [[0.0] * size for _ in range(size)]

    def reset(self, **kwargs: Any) -> Any:
        self.board[1][1] += 1
        return super().reset(**kwargs)


class Piece:
    """Something of an engine's, without attributes that Python sees."""

    __slots__ = ()


class EngineEnv(CopyingCountingEnv):
    """Holds pieces in an engine, as Box2D's environments do: a reset takes out those it knows."""

    def __init__(self, begins_empty: bool) -> None:
        super().__init__()
        self.engine = frozenset[Piece]()
        self.pieces: list[Piece] | None = [] if begins_empty else None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.engine -= set(self.pieces or ())
        self.pieces = [Piece(), Piece()]
        self.engine |= set(self.pieces)
        return super().reset(seed=seed, options=options)

    def observe(self) -> np.ndarray:
        return np.array([*super().observe()[:3], len(self.engine)], np.float32)


@pytest.mark.parametrize("begins_empty", [True, False])
def test_pieces_of_an_engine_can_still_be_taken_out(begins_empty: bool) -> None:
    """Gymnasium 1.4.0's CarRacing-v3 begins without a list of its Box2D bodies, as None.

    Brought back to that, its next track lay on the tiles of the one before.
    """
    env, other = (Recorder(EngineEnv(begins_empty)) for _ in range(2))
    env.reset(seed=3)
    env.step(np.zeros(1, np.float32))
    other.reset(seed=4)
    other.to_load = env.recording()
    assert other.rebuild()["reason"] is None


def test_lists_of_lists_are_saved_as_arrays_and_never_without_bound() -> None:
    for size, is_saved in ((100, True), (1000, False)):
        first, second = BoardEnv(size), BoardEnv(size)
        made, others = read_made(second), read_made(first)
        for _ in range(3):
            first.reset()
        document, arrays = split_arrays(take_snapshot(first, others))
        assert len(json.dumps(document)) + sum(a.nbytes for a in arrays.values()) < 200_000
        brought_to(second, first, made, others)
        assert second.board[1][1] == (3.0 if is_saved else 1.0)
        assert type(second.board[1]) is list


def test_an_attribute_of_many_objects_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    env = CopyingCountingEnv()
    env.history = {"a": [[i, None] for i in range(600)]}  # type: ignore[attr-defined]
    (layer,) = read_layers(env)
    assert "history" not in layer
    monkeypatch.setattr(nodes, "MAX_ITEMS", 5000)
    (layer,) = read_layers(env)
    assert "history" in layer


class Deep:
    def __init__(self) -> None:
        self.table = np.ones(2)


class ForgetfulEnv(CopyingCountingEnv):
    """Takes out, in its first reset, what its constructor has set, or what lies `is_deep` in it."""

    def __init__(self, is_deep: bool = False) -> None:
        super().__init__()
        self.is_deep, self.is_first = is_deep, True
        self.table, self.deep = np.ones(2), Deep()

    def reset(self, **kwargs: Any) -> Any:
        if self.is_first:
            owner: Any = self.deep if self.is_deep else self
            del owner.table
            self.is_first = False
        return super().reset(**kwargs)


def forgetful(is_deep: bool) -> VectorEnvironment:
    return make_vector_environment(EnvConfig(), source=lambda: ForgetfulEnv(is_deep), seed=7)


@pytest.mark.parametrize("episodes", [0, 1])
def test_what_a_reset_takes_out_is_there_again_and_gone_again(episodes: int) -> None:
    whole = forgetful(False)
    whole.reset()
    for _ in range(episodes):
        while not whole.step(np.zeros((1, 1), np.float32)).episodes:
            pass
    state = through_files(whole.state())
    resumed = forgetful(False)
    assert resumed.load_state(state).lost == {}
    np.testing.assert_array_equal(played(resumed, 8), played(whole, 8))
    assert not hasattr(resumed.innermost[0], "table")


def test_an_episode_that_can_not_be_rebuilt_leaves_an_environment_that_resets() -> None:
    whole = forgetful(True)
    whole.reset()
    state = through_files(whole.state())
    resumed = forgetful(True)
    (reason,) = resumed.load_state(state).lost.values()
    assert "AttributeError" in reason and "table" in reason
    played(resumed, 8)


def test_an_environment_that_fails_in_the_reset_of_a_resume_is_no_damaged_checkpoint() -> None:
    whole = forgetful(False)
    whole.reset()
    state = through_files(whole.state())
    resumed = forgetful(False)
    del resumed.innermost[0].table
    with pytest.raises(EnvironmentStepError, match=r"ForgetfulEnv failed in a reset.*init_from"):
        resumed.load_state(state)


# --- seeds


class EntropicEnv(gymnasium.Env):
    """Shows in its observations all that may differ between two runs of one seed."""

    observation_space = OBSERVATION_SPACE

    def __init__(self) -> None:
        self.action_space = gymnasium.spaces.Box(-2.0, 2.0, (1,), np.float32)
        self.steps, self.mass = 0, np.random.random()

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        self.own = np.random.default_rng(seed)  # fresh entropy where none is given
        self.action_space = gymnasium.spaces.Box(-2.0, 2.0, (1,), np.float32)
        self.steps = 0
        return self.observe(), {}

    def step(self, action: Any) -> Any:
        self.steps += 1
        return self.observe(), 0.0, self.steps == 3, False, {}

    def observe(self) -> Any:
        chosen = self.action_space.sample()[0] if self.steps else self.mass
        drawn = [self.own.random(), np.random.random(), random.random(), chosen]
        return np.array(drawn, np.float32)


class DrawsFromItsSpace(CopyingCountingEnv):
    """Begins where its own space says."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed, options=options)
        return np.clip(self.observation_space.sample(), -9, 9), {}


def test_spaces_that_a_wrapper_hides_are_seeded() -> None:
    """Runs of one seed began differently under a wrapper with a space of its own."""
    wide = gymnasium.spaces.Box(-99, 99, OBSERVATION_SPACE.shape, np.float32)
    first = []
    for _ in range(2):
        inner = DrawsFromItsSpace()
        env = gymnasium.wrappers.TransformObservation(inner, lambda o: o, wide)
        first.append(Recorder(env).reset(seed=3)[0])
    np.testing.assert_array_equal(*first)


def played(environment: VectorEnvironment, steps: int = 10) -> np.ndarray:
    actions = np.zeros((environment.num_envs, 1), np.float32)
    return np.stack([environment.step(actions).next_observation for _ in range(steps)])


def entropic(vectorization: Any, num_envs: int = 2) -> VectorEnvironment:
    config = EnvConfig(num_envs=num_envs, vectorization=vectorization)
    np.random.seed(3)  # as a training does, for constructors in its own process
    return make_vector_environment(config, source=EntropicEnv, seed=7)


@pytest.mark.parametrize("vectorization", ["sync", "async"])
def test_every_reset_and_every_generator_is_seeded(vectorization: str) -> None:
    runs = []
    for _ in range(2):
        environment = entropic(vectorization)
        begun = environment.reset()
        assert begun[0, 3] != begun[1, 3]  # drawn by the constructors
        runs.append([begun, *played(environment)])
        environment.close()
    np.testing.assert_array_equal(runs[0], runs[1])
    first = np.array(runs[0])[1:, 0, 0]
    assert len(np.unique(first)) == len(first)  # no episode is played twice


def test_episodes_of_global_generators_are_brought_back() -> None:
    whole = entropic("sync", 1)
    whole.reset()
    played(whole, 4)
    state = through_files(whole.state())
    expected = played(whole, 8)
    resumed = entropic("sync", 1)
    assert resumed.load_state(state).lost == {}
    np.testing.assert_array_equal(played(resumed, 8), expected)


def test_native_environments_are_seeded_at_each_reset_that_is_asked_for() -> None:
    seeds: list[Any] = []

    class Native(gymnasium.vector.VectorEnv):
        num_envs = 1
        metadata = {"autoreset_mode": gymnasium.vector.AutoresetMode.DISABLED}  # noqa: RUF012
        single_observation_space, single_action_space = OBSERVATION_SPACE, ACTION_SPACE

        def reset(self, *, seed: Any = None, options: Any = None) -> Any:
            seeds.append((seed, np.random.randint(1000)))
            return np.zeros((1, 4), np.float32), {}

        def step(self, actions: Any) -> Any:
            end = np.array([True])
            return np.zeros((1, 4), np.float32), np.zeros(1), end, ~end, {}

    for _ in range(2):
        environment = make_vector_environment(EnvConfig(), source=Native(), seed=7)
        environment.reset()
        played(environment, 2)
    assert seeds[:3] == seeds[3:]
    assert len(set(seeds)) == 3
    assert seeds[0][0] == 7
