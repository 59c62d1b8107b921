"""Episodes that a policy plays, written for Minari and read back."""

import json
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from sac import evaluate, train
from sac.cli import run_command
from sac.environments import make_vector_environment
from sac.errors import ConfigError, SACError
from sac.share.episodes import record
from sac.training.demonstrations import read_steps
from tests.sac.tiny_runs import tiny_config

IMAGE = spaces.Box(0, 255, (32, 32, 3), np.uint8)  # Minari takes smaller ones for no pictures
VECTOR = spaces.Box(-1, 1, (2,), np.float32)
SPACES: dict[str, tuple[spaces.Space, spaces.Space]] = {
    "vector": (VECTOR, spaces.Box(-2, 2, (1,), np.float32)),
    "discrete": (VECTOR, spaces.Discrete(3)),
    "image": (IMAGE, spaces.Discrete(2)),
    "dict": (spaces.Dict(place=VECTOR, inner=spaces.Dict(kind=spaces.Discrete(4))), VECTOR),
    "tuple": (spaces.Tuple((VECTOR, spaces.MultiBinary(3))), VECTOR),
}


class DrawnEnv(gymnasium.Env):
    """Observations at random from a space, in episodes of 1 to 5 steps."""

    def __init__(self, kind: str = "vector") -> None:
        self.observation_space, self.action_space = SPACES[kind]

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        if seed is not None:
            self.observation_space.seed(seed)
        self.left = int(self.np_random.integers(1, 6))
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> Any:
        self.left -= 1
        return self.observation_space.sample(), float(self.left), self.left == 0, False, {}


gymnasium.register(  # a function, which no data set can name
    "DrawnForTests-v0", lambda **kwargs: DrawnEnv(**kwargs), disable_env_checker=True
)
pytestmark = [
    pytest.mark.extras,
    # protobuf's generated code, not ours
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def played(tmp_path: Path, kind: str) -> Path:
    env = {"id": "DrawnForTests-v0", "kwargs": {"kind": kind}}
    changes = {"env": env, "train": {"total_steps": 20}}
    return train(tiny_config(tmp_path / "runs", changes)).run_directory


@pytest.mark.parametrize("kind", SPACES)
def test_what_is_recorded_is_read_back_to_the_last_bit(tmp_path: Path, kind: str) -> None:
    minari = pytest.importorskip("minari")
    run = played(tmp_path, kind)
    told = record(run, tmp_path / "set-v1", episodes=7, seed=3, device="cpu")
    result = evaluate(run, episodes=7, seed=3, device="cpu")
    assert told.startswith(f"{tmp_path / 'set-v1'}: 7 episodes, {sum(result.lengths)} steps, mean")
    data = minari.MinariDataset(tmp_path / "set-v1" / "data")
    episodes = list(data.iterate_episodes())
    assert [float(np.sum(episode.rewards)) for episode in episodes] == result.returns
    assert [len(episode.rewards) for episode in episodes] == result.lengths
    assert (data.observation_space, data.action_space) == SPACES[kind]

    config = tiny_config(tmp_path, {"train": {"demonstrations": str(tmp_path / "set-v1")}})
    env = config.merged({"env": {"id": "DrawnForTests-v0", "kwargs": {"kind": kind}}}).env
    environment = make_vector_environment(env)
    steps = read_steps(config, environment)
    environment.close()
    assert len(steps.reward) == sum(result.lengths)
    seen = DrawnEnv(kind)  # shows the same: no action changes what it shows
    first, _ = seen.reset(seed=3)
    np.testing.assert_array_equal(
        steps.observation[0], environment.observation_encoder.encode_batch(_batch(first), 1)[0]
    )
    np.testing.assert_array_equal(np.flatnonzero(steps.terminated), np.cumsum(result.lengths) - 1)


def _batch(observation: Any) -> Any:
    if isinstance(observation, dict):
        return {name: _batch(part) for name, part in observation.items()}
    if isinstance(observation, tuple):
        return tuple(_batch(part) for part in observation)
    return np.asarray(observation)[None]


def test_a_run_learns_from_what_another_has_recorded(tmp_path: Path) -> None:
    pytest.importorskip("minari")
    run = train(tiny_config(tmp_path)).run_directory
    arguments = [str(run), "-o", str(tmp_path / "data"), "--episodes", "3", "--stochastic"]
    assert run_command("record", arguments, "record.py") == 0
    changes = {"train": {"demonstrations": str(tmp_path / "data")}}
    assert train(tiny_config(tmp_path, changes)).step == 60


def test_minari_finds_it_and_makes_its_environment_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    minari = pytest.importorskip("minari")
    run = train(tiny_config(tmp_path / "runs")).run_directory
    record(run, tmp_path / "cartpole-sac-v0", episodes=2, device="cpu")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    data = minari.load_dataset("cartpole-sac-v0")
    assert data.recover_environment().spec.id == "CartPole-v1"
    assert data.total_episodes == 2
    with pytest.raises(ConfigError, match="holds something already"):
        record(run, tmp_path / "cartpole-sac-v0")
    record(run, tmp_path / "no version", episodes=1, device="cpu")
    metadata = json.loads((tmp_path / "no version" / "data" / "metadata.json").read_text())
    assert metadata["dataset_id"] == "no_version-v0"


def test_spaces_that_minari_does_not_know_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = pytest.importorskip("minari.dataset.minari_storage")
    run = train(tiny_config(tmp_path / "runs")).run_directory

    def refuse(space: object) -> None:
        raise NotImplementedError("No serialization method available")

    monkeypatch.setattr(storage, "serialize_space", refuse)
    with pytest.raises(SACError, match=r"Minari can't hold episodes of Box.*No serialization"):
        record(run, tmp_path / "data", episodes=1, device="cpu")
    assert not (tmp_path / "data").exists()


def test_minari_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "minari.dataset.minari_storage", None)
    with pytest.raises(ConfigError, match=r"a data set needs minari.*\[minari\]"):
        record(tmp_path, tmp_path / "data")
