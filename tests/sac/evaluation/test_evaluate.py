import json
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from sac.config import Config
from sac.errors import CheckpointError, ConfigError, SpaceError
from sac.evaluation.evaluate import (
    EvaluationResult,
    check_spaces_fit,
    evaluate,
    run_episodes,
)
from sac.evaluation.random_policy import RandomPolicy
from sac.run.checkpoint import save_checkpoint
from sac.spaces import ObservationEncoder, action_codec

OBSERVATIONS = spaces.Box(-1, 1, (1,))
ACTIONS = spaces.Box(-2, 2, (1,))


@dataclass
class Codec:
    space: spaces.Space
    shape = (1,)
    dtype = np.dtype(np.float32)

    def to_environment(self, actions: np.ndarray) -> np.ndarray:
        return 2 * actions

    def uniform(self, n: int, generator: np.random.Generator) -> np.ndarray:
        return generator.uniform(-1, 1, (n, 1)).astype(np.float32)


@dataclass
class FakeAgent:
    """Contract's methods; anything that would disturb a training fails."""

    observation_encoder: ObservationEncoder = field(
        default_factory=lambda: ObservationEncoder(OBSERVATIONS)
    )
    action_codec: Codec = field(default_factory=lambda: Codec(ACTIONS))

    @property
    def spaces(self) -> tuple[spaces.Space, spaces.Space]:
        return self.observation_encoder.space, self.action_codec.space

    def greedy(self, observations: np.ndarray) -> np.ndarray:
        return np.full((len(observations), 1), 0.25, np.float32)

    def sample(self, observations: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        return generator.uniform(-1, 1, (len(observations), 1)).astype(np.float32)

    def explore(self, observations: np.ndarray) -> np.ndarray:
        raise AssertionError("advances the exploration generator")

    def observe(self, observations: np.ndarray) -> None:
        raise AssertionError("changes the observation statistics")


@dataclass
class Episode:
    episode_return: float
    length: int
    env_index: int
    truncated: bool = False
    success: bool | None = None


class FakeEnvironment:
    """The reward is the action; environment i's episodes are i + 1 steps long, or drawn by lot."""

    def __init__(self, num_envs: int = 1, *, by_lot: bool = False) -> None:
        self.num_envs = num_envs
        self.by_lot = by_lot
        self.observation_encoder = ObservationEncoder(OBSERVATIONS)
        self.action_space: spaces.Space = ACTIONS
        self.action_codec = Codec(ACTIONS)
        self.closed = self.is_endless = False

    def reset(self, seed: int | None = None) -> np.ndarray:
        self.generators = [np.random.default_rng([seed or 0, i]) for i in range(self.num_envs)]
        self.totals = np.zeros(self.num_envs)
        self.steps = np.zeros(self.num_envs, int)
        self.lengths = [self._length(i) for i in range(self.num_envs)]
        return np.zeros((self.num_envs, 1), np.float32)

    def _length(self, index: int) -> int:
        return int(self.generators[index].integers(1, 20)) if self.by_lot else index + 1

    def step(self, actions: np.ndarray) -> types.SimpleNamespace:
        assert actions.shape == (self.num_envs, 1)
        self.totals += actions[:, 0]
        self.steps += 1
        episodes = []
        for i in range(self.num_envs):
            if self.steps[i] < self.lengths[i]:
                continue
            episodes.append(Episode(self.totals[i], self.steps[i], i))
            self.totals[i] = self.steps[i] = 0
            self.lengths[i] = self._length(i)
        observation = np.zeros((self.num_envs, 1), np.float32)
        return types.SimpleNamespace(
            observation=observation,
            next_observation=observation,
            reward=actions[:, 0],
            episodes=episodes,
        )

    def close(self) -> None:
        self.closed = True


def play(environment: FakeEnvironment, **changes: Any) -> EvaluationResult:
    arguments = {"episodes": 6, "seed": 0, "deterministic": True} | changes
    return run_episodes(FakeAgent(), environment, **arguments)  # type: ignore[arg-type]


def test_returns_and_lengths_are_whole_episodes() -> None:
    result = play(FakeEnvironment(2), episodes=4)
    assert result.lengths == [1, 1, 2, 2]
    assert result.returns == [0.5, 0.5, 1.0, 1.0], "actions reach it in its own units"
    assert (result.mean_return, result.std_return) == (0.75, 0.25)
    assert (result.min_return, result.max_return, result.mean_length) == (0.5, 1.0, 1.5)


@pytest.mark.parametrize(
    ("num_envs", "episodes", "lengths"),
    [
        (1, 3, [1, 1, 1]),
        (3, 7, [1, 1, 1, 2, 2, 3, 3]),
        (5, 2, [1, 2]),
        (3, 3, [1, 2, 3]),
    ],
)
def test_short_episodes_are_not_preferred(num_envs: int, episodes: int, lengths: list[int]) -> None:
    assert play(FakeEnvironment(num_envs), episodes=episodes).lengths == lengths


@pytest.mark.parametrize("deterministic", [True, False])
def test_same_seed_same_result_whatever_was_played_before(deterministic: bool) -> None:
    environment = FakeEnvironment(3, by_lot=True)
    environment.reset(seed=99)
    environment.step(np.ones((3, 1)))
    first = play(environment, deterministic=deterministic, seed=7)
    assert play(environment, deterministic=deterministic, seed=7) == first
    assert play(FakeEnvironment(3, by_lot=True), deterministic=deterministic, seed=7) == first
    assert play(environment, deterministic=deterministic, seed=8) != first


def test_stochastic_samples_and_leaves_global_randomness_alone() -> None:
    np.random.seed(0)
    state = np.random.get_state(legacy=False)
    result = play(FakeEnvironment(), deterministic=False)
    assert len(set(result.returns)) > 1
    np.testing.assert_equal(np.random.get_state(legacy=False), state)


def test_result_as_json() -> None:
    result = EvaluationResult(
        [1.0, -2.0, 4.0, 5.0, 20.0], [5, 6, 7, 8, 9], env="E", checkpoint_step=100
    )
    document = json.loads(json.dumps(result.to_dict()))
    low, high = document.pop("mean_return_low"), document.pop("mean_return_high")
    assert (low, high) == result.return_interval
    assert -2 < low < 5.6 < high < 20
    assert document == {
        "run": None,
        "env": "E",
        "env_kwargs": {},
        "deterministic": True,
        "env_wrappers": [],
        "episodes": 5,
        "mean_return": 5.6,
        "std_return": pytest.approx(7.605, abs=1e-3),
        "median_return": 4.0,
        "iqm_return": pytest.approx(10 / 3),
        "min_return": -2.0,
        "max_return": 20.0,
        "mean_length": 7.0,
        "min_length": 5,
        "max_length": 9,
        "success_rate": None,
        "returns": [1.0, -2.0, 4.0, 5.0, 20.0],
        "lengths": [5, 6, 7, 8, 9],
        "successes": None,
        "checkpoint_step": 100,
        "published_return": None,
        "published_source": None,
        "random_policy": None,
    }


# Spaces.


def fit(observations: spaces.Space, actions: spaces.Space) -> None:
    environment = FakeEnvironment()
    environment.observation_encoder = ObservationEncoder(observations)
    environment.action_space = actions
    check_spaces_fit(*FakeAgent().spaces, environment)  # type: ignore[arg-type]


def test_bounds_of_observations_may_differ() -> None:
    fit(spaces.Box(-5, 5, (1,)), ACTIONS)


@pytest.mark.parametrize(
    ("observations", "actions"),
    [
        (spaces.Box(-1, 1, (2,)), ACTIONS),
        (spaces.Discrete(1), ACTIONS),
        (OBSERVATIONS, spaces.Box(-1, 1, (1,))),
        (OBSERVATIONS, spaces.Box(-2, 2, (2,))),
        (OBSERVATIONS, spaces.Discrete(2)),
    ],
    ids=str,
)
def test_spaces_that_do_not_fit_are_both_named(
    observations: spaces.Space, actions: spaces.Space
) -> None:
    with pytest.raises(SpaceError) as error:
        fit(observations, actions)
    found = observations if observations != OBSERVATIONS else actions
    trained = OBSERVATIONS if observations != OBSERVATIONS else ACTIONS
    assert str(found) in str(error.value) and str(trained) in str(error.value)


def test_nested_spaces_that_flatten_alike_are_told_apart() -> None:
    agent = FakeAgent(ObservationEncoder(spaces.Dict({"a": OBSERVATIONS})))
    environment = FakeEnvironment()
    environment.observation_encoder = ObservationEncoder(spaces.Dict({"b": OBSERVATIONS}))
    with pytest.raises(SpaceError):
        check_spaces_fit(*agent.spaces, environment)  # type: ignore[arg-type]


# From a run directory.


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stands in for the agent and the environments, and keeps what they were asked for."""
    calls: dict[str, Any] = {
        "agent": FakeAgent(),
        "environment": FakeEnvironment(),
        "configs": [],
    }

    def load(folder: Path, *, device: str) -> FakeAgent:
        calls.update(folder=folder, device=device)
        return calls["agent"]

    def make(config: Any, *, source: Any = None, seed: int) -> FakeEnvironment:
        calls.update(config=config, seed=seed, source=source)
        calls["configs"].append(config)
        calls["environment"].num_envs = config.num_envs
        return calls["environment"]

    agents = types.SimpleNamespace(load=load)
    monkeypatch.setattr("sac.evaluation.evaluate.SACAgent", agents)
    monkeypatch.setattr("sac.evaluation.evaluate.make_vector_environment", make)
    return calls


def make_run(run: Path, env: dict[str, Any]) -> Path:
    config = Config.from_dict({"env": env}).to_dict()
    run.mkdir(exist_ok=True)
    for folder, step in (("checkpoints/10", 10), ("checkpoints/20", 20), ("best", 10)):
        save_checkpoint(run / folder, {"policy": {}}, {"config": config}, step=step)
    return run


PENDULUM = {"id": "Pendulum-v1", "kwargs": {"g": 5}, "num_envs": 4, "vectorization": "async"}


def test_evaluate_a_run(tmp_path: Path, made: dict[str, Any]) -> None:
    run = make_run(tmp_path, PENDULUM)
    result = evaluate(run, episodes=3, seed=5, device="cpu")
    assert (result.env, result.episodes, result.checkpoint_step) == ("Pendulum-v1", 3, 10)
    assert (made["folder"], made["device"], made["seed"]) == (run / "best", "cpu", 5)
    config = made["config"]
    assert (config.id, config.kwargs, config.num_envs) == ("Pendulum-v1", {"g": 5}, 1)
    assert config.vectorization == "sync"
    assert made["environment"].closed


@pytest.mark.parametrize(("which", "step"), [("last", 20), ("10", 10), ("best", 10)])
def test_evaluate_which_checkpoint(
    tmp_path: Path, made: dict[str, Any], which: str, step: int
) -> None:
    assert evaluate(make_run(tmp_path, PENDULUM), checkpoint=which).checkpoint_step == step


def test_evaluate_a_checkpoint_folder(tmp_path: Path, made: dict[str, Any]) -> None:
    run = make_run(tmp_path, PENDULUM)
    assert evaluate(str(run / "checkpoints" / "20"), num_envs=2).checkpoint_step == 20
    assert made["config"].vectorization == "async"


def test_evaluate_closes_the_environment_that_does_not_fit(
    tmp_path: Path, made: dict[str, Any]
) -> None:
    made["environment"].action_space = gymnasium.spaces.Discrete(2)
    with pytest.raises(SpaceError):
        evaluate(make_run(tmp_path, PENDULUM))
    assert made["environment"].closed


def test_evaluate_on_an_environment_that_is_given(tmp_path: Path, made: dict[str, Any]) -> None:
    environment = object()
    result = evaluate(make_run(tmp_path, {}), env=environment, episodes=2)
    assert made["source"] is environment
    assert (result.episodes, result.env) == (2, str(environment))


def test_evaluate_with_other_arguments_of_the_environment(
    tmp_path: Path, made: dict[str, Any]
) -> None:
    run = make_run(tmp_path, {**PENDULUM, "kwargs": {"g": 5, "a": 1}})
    evaluate(run, env_overrides={"kwargs": {"g": 7}})
    assert made["config"].kwargs == {"g": 7, "a": 1}
    result = evaluate(run, env_overrides={"id": "Acrobot-v1", "kwargs": {"b": 2}})
    assert (made["config"].id, made["config"].kwargs) == ("Acrobot-v1", {"b": 2})
    assert result.env == "Acrobot-v1"
    with pytest.raises(ConfigError, match=r"env\.idd"):
        evaluate(run, env_overrides={"idd": "Acrobot-v1"})


def test_published_return_is_of_the_very_same_environment(
    tmp_path: Path, made: dict[str, Any]
) -> None:
    run = make_run(tmp_path, {"id": "Pendulum-v1"})
    published = evaluate(run, episodes=1).published
    assert published is not None and published.mean_return == -157.0
    result = evaluate(run, episodes=1, env_overrides={"kwargs": {"g": 5}})
    assert (result.published, result.env_kwargs) == (None, {"g": 5})
    assert json.loads(str(result.summary()["env_kwargs"])) == {"g": 5}
    assert evaluate(run, episodes=1, env_overrides={"id": "My-v0"}).published is None
    scaled = {"class_path": "gymnasium.wrappers.ClipReward", "kwargs": {"min_reward": -1}}
    result = evaluate(run, episodes=1, env_overrides={"wrappers": [scaled]})
    assert (result.published, result.env_wrappers) == (None, [scaled])
    assert json.loads(json.dumps(result.to_dict()))["env_wrappers"] == [scaled]


def test_environment_that_is_given_has_arguments_of_its_own(
    tmp_path: Path, made: dict[str, Any]
) -> None:
    run = make_run(tmp_path, {"id": "Pendulum-v1", "kwargs": {"g": 5}})
    result = evaluate(run, env=lambda: gymnasium.make("Pendulum-v1"), episodes=1)
    assert (result.env_kwargs, result.published) == ({}, None)
    with pytest.raises(ConfigError, match="give them or env, not both"):
        evaluate(run, env=lambda: None, env_overrides={"kwargs": {"g": 3}})


def test_random_actions_are_played_beside_the_policy(tmp_path: Path, made: dict[str, Any]) -> None:
    run = make_run(tmp_path, PENDULUM)
    plain = evaluate(run, episodes=4, num_envs=2)
    result = evaluate(run, episodes=4, num_envs=2, with_random=True)
    assert plain.random_policy is None
    assert result.returns == plain.returns
    untrained = result.random_policy
    assert untrained is not None and untrained.lengths == result.lengths
    assert len(set(untrained.returns)) == 4
    assert json.loads(json.dumps(result.to_dict()))["random_policy"]["returns"] == untrained.returns
    assert evaluate(run, episodes=4, num_envs=2, with_random=True) == result


def test_film_is_of_one_episode_in_an_environment_that_draws(
    tmp_path: Path, made: dict[str, Any]
) -> None:
    pytest.importorskip("PIL")
    wrapper = {"class_path": "gymnasium.wrappers.RescaleAction", "kwargs": {}}
    run = make_run(tmp_path, {**PENDULUM, "wrappers": [wrapper]})
    film = tmp_path / "a.gif"
    options: dict[str, Any] = {"seed": 3, "env_overrides": {"kwargs": {"g": 1}}}
    result = evaluate(run, episodes=4, num_envs=2, video=film, **options)
    assert result == evaluate(run, episodes=4, num_envs=2, **options)
    config = made["configs"][0]
    assert (config.num_envs, config.kwargs) == (2, {"g": 1})
    config = made["configs"][1]  # the film's
    assert (config.num_envs, config.vectorization, made["seed"]) == (1, "sync", 3)
    assert config.kwargs == {"g": 1, "render_mode": "rgb_array"}
    inner, limit, outer = config.wrappers
    assert inner.class_path == wrapper["class_path"]
    assert limit.kwargs == {"max_steps": 100_000}
    assert outer.kwargs == {"path": str(film)}


def test_film_that_cannot_be_is_refused_before_the_evaluation(
    tmp_path: Path, made: dict[str, Any]
) -> None:
    run = make_run(tmp_path, PENDULUM)
    with pytest.raises(ConfigError, match="with an id"):
        evaluate(run, env=object(), video=tmp_path / "a.gif")
    with pytest.raises(ConfigError, match=r"\.mp4 or \.gif"):
        evaluate(run, video=tmp_path / "a.avi")
    assert not made["configs"]


@pytest.mark.parametrize("space", [spaces.Box(-3, 1, (2, 3)), spaces.Discrete(3, start=5)], ids=str)
def test_random_policy_draws_from_the_whole_action_space(space: spaces.Space) -> None:
    codec = action_codec(space)
    policy = RandomPolicy(codec)
    units = policy.sample(np.zeros((500, 1)), np.random.default_rng(0))
    assert units.dtype == codec.dtype
    actions = codec.to_environment(units)
    assert all(space.contains(action) for action in actions)
    low, high = (-3, 1) if isinstance(space, spaces.Box) else (5, 7)
    assert low <= actions.min() < low + 0.1 and high - 0.1 < actions.max() <= high


def test_evaluate_says_what_is_missing(tmp_path: Path, made: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match="given as an object"):
        evaluate(make_run(tmp_path / "a", {}))
    (tmp_path / "b").mkdir()
    save_checkpoint(tmp_path / "b" / "best", {"policy": {}}, {}, step=0)
    with pytest.raises(CheckpointError, match="which environment"):
        evaluate(tmp_path / "b")


@pytest.mark.parametrize(("name", "value"), [("episodes", 0), ("seed", -1), ("num_envs", 0)])
def test_arguments_out_of_range_are_named(tmp_path: Path, name: str, value: int) -> None:
    arguments: dict[str, Any] = {name: value}
    with pytest.raises(ConfigError, match=f"{name}: expected a whole number"):
        evaluate(tmp_path, **arguments)


def test_whole_numbers_may_be_those_of_numpy(tmp_path: Path, made: dict[str, Any]) -> None:
    run = make_run(tmp_path, PENDULUM)
    expected = evaluate(run, episodes=2, seed=7, num_envs=2, deterministic=False)
    numbers: Any = {"episodes": np.int64(2), "seed": np.uint8(7), "num_envs": np.int32(2)}
    assert evaluate(run, deterministic=False, **numbers) == expected
    assert type(made["seed"]) is int
