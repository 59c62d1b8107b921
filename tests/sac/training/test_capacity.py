"""Observations that can't fit are refused with figures and cures, before anything is made."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from sac import train
from sac.agent.agent import SACAgent
from sac.config import AgentConfig, Config
from sac.errors import SACError, SpaceError
from sac.spaces import ObservationEncoder
from sac.training import capacity
from sac.training.capacity import MANY_FEATURES, Capacity, learning_bytes, size_note
from tests.sac.tiny_runs import TINY, tiny_config

ID = "LargeForTests-v0"
ACTIONS = spaces.Discrete(2)
IMAGE = spaces.Box(0, 255, (210, 160, 3), np.uint8)
MIXED = spaces.Dict({"small": ACTIONS, "map": spaces.Box(0, 1, (3000,)), "step": ACTIONS})
GIGABYTE = 10**9
PLENTY = 10**15


class LargeEnv(gymnasium.Env):
    """Is never reset."""

    action_space = ACTIONS

    def __init__(self, n: int = 20_000_000) -> None:
        self.observation_space = spaces.Discrete(n)


gymnasium.register(ID, lambda **kwargs: LargeEnv(**kwargs), disable_env_checker=True)


def refusal(space: Any, memory: int | None, disk: int | None, **train: int) -> str:
    config = Config.from_dict({"train": {"total_steps": 10**6, **train}})
    with pytest.raises(SACError) as caught:
        Capacity(config, memory, disk).check(space, ACTIONS)
    return str(caught.value)


def test_replay_is_refused_with_the_buffer_that_fits() -> None:
    text = refusal(IMAGE, None, 60 * GIGABYTE)
    for words in ("100,800 features", "1,000,000 trans", "100.8 GB", "60.0 GB are free"):
        assert words in text
    assert "GrayscaleObservation and ResizeObservation" in text and "memory" not in text
    fitting = int(text.partition("train.buffer_size below ")[2].split()[0].replace(",", ""))
    config = Config.from_dict({"train": {"total_steps": 10**6, "buffer_size": fitting}})
    Capacity(config, None, 60 * GIGABYTE).check(IMAGE, ACTIONS)
    # A short run never fills a large buffer.
    short = Config.from_dict({"train": {"total_steps": fitting}})
    Capacity(short, None, 60 * GIGABYTE).check(IMAGE, ACTIONS)


def test_disk_is_named_where_it_is_too_small_for_small_observations() -> None:
    small = spaces.Box(-1, 1, (3,))
    text = refusal(small, PLENTY, 20 * 10**6)
    for words in (
        "does not fit on the disk of 'runs': 1,000,000",
        "20.0 MB are free",
        "another log",
    ):
        assert words in text
    fitting = int(text.partition("train.buffer_size below ")[2].split()[0].replace(",", ""))
    assert 500_000 < fitting < 1_000_000
    assert "which do not fit" not in text and "TransformObservation" not in text


@pytest.mark.parametrize("disk", [0, 1000])
def test_no_buffer_is_named_that_can_not_be(disk: int) -> None:
    text = refusal(spaces.Box(-1, 1, (3,)), PLENTY, disk)
    assert "0.0 MB are free. What helps: more room there, or another logging.root." in text


def test_folder_that_is_on_no_disk_is_refused_where_it_is_made(tmp_path: Path) -> None:
    usage = SimpleNamespace(total=0, used=0, free=0)  # as of /proc
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
        assert Capacity.of(tiny_config(tmp_path), SACAgent(IMAGE, ACTIONS).device).disk is None


def test_networks_are_refused_with_what_helps_for_the_kind() -> None:
    text = refusal(spaces.Discrete(10**6), 16 * GIGABYTE, PLENTY)
    assert "27.6 GB of memory, and 16.0 GB are available" in text
    assert "a smaller code in the place of one-hots" in text and "buffer_size" not in text
    text = refusal(MIXED, 10**6, PLENTY)
    assert "env.ignore_observations" in text and "map with 3,000 features" in text


def test_more_than_a_saved_agent_may_have_never_fits() -> None:
    assert "at most 16,777,216" in refusal(spaces.Discrete(2 * 10**7), PLENTY, PLENTY)


def test_what_fits_or_is_not_known_goes_on() -> None:
    for free in (PLENTY, None):
        Capacity(Config(), free, free).check(IMAGE, ACTIONS)


def test_bytes_are_those_of_a_real_agent() -> None:
    config = AgentConfig(hidden_sizes=(8,), critic_hidden_sizes=(6,))

    def numbers(features: int) -> int:
        state = SACAgent(spaces.Box(-1, 1, (features,)), ACTIONS, config).state_dict()
        return sum(array.size for array in state.values())

    learned, target = 8 + 2 * 6, 2 * 6
    assert numbers(11) - numbers(10) == learned + target  # no moments before a step
    one = ObservationEncoder(spaces.Box(-1, 1, (1,)))
    assert learning_bytes(config, one, 5) == 4 * (7 * learned + 2 * target + 2 * 5)


@pytest.mark.parametrize("vectorization", ["sync", "async"])
def test_training_is_refused_before_processes_start(
    tmp_path: Path, vectorization: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []
    monkeypatch.setattr("multiprocessing.process.BaseProcess.start", started.append)
    env = {"id": ID, "num_envs": 2, "vectorization": vectorization}
    with pytest.raises(SpaceError, match="20,000,000 features, which do not fit"):
        train(tiny_config(tmp_path, {"env": env}))
    assert not list(tmp_path.iterdir()) and not started


def test_memory_that_runs_out_all_the_same_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> None:
        raise MemoryError("cannot allocate")

    monkeypatch.setattr("sac.training.setup.RunState.new", fail)
    with pytest.raises(SACError, match=r"more memory than there is.*picks or sums up"):
        train(tiny_config(tmp_path))


def test_memory_is_unknown_where_the_system_does_not_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capacity, "MEMORY_INFO", tmp_path / "none")
    found = Capacity.of(Config.from_dict(TINY), SACAgent(IMAGE, ACTIONS).device)
    assert found.memory is None and found.disk is not None and found.disk > 0


def test_many_features_begin_with_a_warning() -> None:
    config, encoder = AgentConfig(), ObservationEncoder(spaces.Box(0, 1, (MANY_FEATURES,)))
    assert size_note(encoder, config) == []
    image = ObservationEncoder(IMAGE)
    assert size_note(image, config) == []  # convolutions read it
    [note] = size_note(image, AgentConfig(encoder="none"))
    assert "100,800 features" in note and "GrayscaleObservation" in note


def test_single_and_vector_environments_are_checked() -> None:
    source = gymnasium.make_vec("CartPole-v1", 3)
    for given in (source, gymnasium.make("CartPole-v1")):
        with pytest.raises(SpaceError, match="4 features, which do not fit"):
            Capacity(Config(), 1, None).checked(given)
        assert Capacity(Config(), None, None).checked(given) is given
    source.close()
