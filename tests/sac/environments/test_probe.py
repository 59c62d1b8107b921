"""What trying an environment tells: what the checker finds, and how much of its bounds counts."""

import re
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.registration import WrapperSpec

from sac.config import EnvConfig
from sac.environments import make_vector_environment
from sac.environments import probe as probing
from sac.environments.probe import checker_fault, probe, reach
from sac.errors import EnvironmentSetupError
from tests.sac.environments_for_tests import CountingEnv


class Levers(gymnasium.Env):
    """Observes what four levers do: all of them, a clipped one, a switch, one that does nothing."""

    observation_space = spaces.Box(-np.inf, np.inf, (4,))
    action_space = spaces.Box(np.float32(-1000), np.float32(1000), (4,))

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        return np.zeros(4, np.float32), {}

    def step(self, action: Any) -> Any:
        whole, clipped, switch, _ = action
        seen = np.array([whole, np.clip(clipped, -1, 1), float(switch > 300), 0], np.float32)
        return seen, 0.0, False, False, {}


class OneSided(Levers):
    """Bounds from 0 to 1000, of which 0 to 2 make a difference; an episode is one step."""

    action_space = spaces.Box(np.float32(0), np.float32(1000), (1,))

    def step(self, action: Any) -> Any:
        return np.full(4, min(action[0], 2), np.float32), 0.0, True, False, {}


class Leaving(Levers):
    """Counts to 30 in an observation that may be at most 20."""

    observation_space = spaces.Box(0, 20, (4,))

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        self.steps = 0
        return super().reset(seed=seed, options=options)

    def step(self, action: Any) -> Any:
        self.steps += 1
        return np.full(4, self.steps, np.float32), 0.0, self.steps == 30, False, {}


class Raising(Levers):
    """Fails in its first step."""

    def step(self, action: Any) -> Any:
        raise RuntimeError("no such lever")


def reach_in(source: Any) -> np.ndarray:
    environment = make_vector_environment(EnvConfig("Levers"), source=source)
    return reach(environment)


def test_reach_of_each_dimension() -> None:
    whole, clipped, switch, nothing = reach_in(Levers)
    assert whole == 1
    assert 0.001 <= clipped < 0.005
    assert np.isnan(switch), "which side of a threshold is no matter of bounds"
    assert np.isnan(nothing)


def test_reach_at_one_end_of_the_bounds() -> None:
    (share,) = reach_in(OneSided)
    assert 0.002 <= share < 0.02


def test_slow_environment_is_not_tried_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "SECONDS", -1.0)
    assert np.isnan(reach_in(Levers)).all()


def test_probe_of_an_environment_by_its_id() -> None:
    found = probe(EnvConfig("Pendulum-v1", vectorization="async"))
    assert found.fault is None
    assert found.reach is not None and found.reach.tolist() == [1]
    assert probe(EnvConfig("CartPole-v1")).reach is None
    with pytest.raises(EnvironmentSetupError, match="Pendulm-v1"):
        probe(EnvConfig("Pendulm-v1"))


def test_checker_says_what_is_wrong_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    gymnasium.register("Raising-v0", lambda **kwargs: Raising(), disable_env_checker=True)
    gymnasium.register("Counting-v0", CountingEnv, disable_env_checker=True)
    fault = checker_fault(EnvConfig("Raising-v0"))
    assert fault == "RuntimeError: no such lever"
    assert probe(EnvConfig("Raising-v0")).reach is None
    fault = checker_fault(EnvConfig("Counting-v0"))
    assert fault is not None and fault.startswith("AssertionError: ") and "\n" not in fault
    assert capfd.readouterr() == ("", "")


def test_checker_looks_at_more_than_the_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    gymnasium.register("Leaving-v0", lambda **kwargs: Leaving(), disable_env_checker=True)
    fault = checker_fault(EnvConfig("Leaving-v0"))
    assert fault == "The obs returned by the `step()` method is not within the observation space."
    monkeypatch.setattr(Leaving, "observation_space", spaces.Box(0, 30, (4,)))
    assert checker_fault(EnvConfig("Leaving-v0")) is None


def test_nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    def make_bare_environment(config: EnvConfig) -> gymnasium.Env:
        assert config.kwargs == {"g": 3}
        return Levers()

    monkeypatch.setattr(probing, "make_bare_environment", make_bare_environment)
    assert checker_fault(EnvConfig("Pendulum-v1", {"render_mode": "human", "g": 3})) is None


def test_checker_sees_the_wrappers_of_the_configuration() -> None:
    wrapper = {"class_path": "tests.sac.environments.test_probe.Broken"}
    config = EnvConfig("Pendulum-v1", wrappers=[wrapper])  # type: ignore[list-item]
    fault = checker_fault(config)
    assert fault is not None and "observation" in fault


class DrawsGlobally(CountingEnv):
    """Draws from the generators of the process when it is made and when it is closed."""

    def __init__(self) -> None:
        super().__init__()
        np.random.random()

    def close(self) -> None:
        np.random.random()


def test_the_generators_of_the_process_stay_as_they_were() -> None:
    """The doctor asks in the middle of a training, whose environments may draw from them."""
    gymnasium.register(
        "DrawsGlobally-v0", lambda **kwargs: DrawsGlobally(), disable_env_checker=True
    )
    np.random.seed(3)
    expected = np.random.random(2)[1]
    np.random.seed(3)
    np.random.random()
    checker_fault(EnvConfig("DrawsGlobally-v0"))
    assert np.random.random() == expected


class Alone(CountingEnv):
    """Can't begin without the wrapper that it is registered with."""

    task: int | None = None

    def reset(self, **kwargs: Any) -> Any:
        if self.task is None:
            raise AssertionError  # as by an assertion without a message
        return super().reset(**kwargs)


class GivesTask(gymnasium.Wrapper):
    def reset(self, **kwargs: Any) -> Any:
        self.env.unwrapped.task = 3  # type: ignore[attr-defined]
        return super().reset(**kwargs)


def test_checker_sees_the_wrappers_that_an_id_is_registered_with() -> None:
    wrapper = WrapperSpec("GivesTask", "tests.sac.environments.test_probe:GivesTask", {})
    gymnasium.register("Alone-v0", Alone, max_episode_steps=9)
    fault = checker_fault(EnvConfig("Alone-v0"))
    assert fault is not None
    assert re.fullmatch(
        r"AssertionError in test_probe\.py, line \d+: raise AssertionError.*", fault
    )
    gymnasium.register("Together-v0", Alone, max_episode_steps=9, additional_wrappers=(wrapper,))
    assert "task" not in str(checker_fault(EnvConfig("Together-v0")))


class Broken(gymnasium.ObservationWrapper):
    """Observations that are not in the space."""

    def observation(self, observation: Any) -> Any:
        return observation * 1000
