"""Wrappers whose statistics follow what they have seen are refused, and the agent's key named."""

from contextlib import closing
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from sac.config import EnvConfig, WrapperConfig
from sac.environments import make_vector_environment, separate_source
from sac.errors import EnvironmentSetupError
from tests.sac.environments_for_tests import COUNTING, NATIVE, CopyingCountingEnv

WRAPPERS = "gymnasium.wrappers"
KEYS = {
    "NormalizeObservation": "agent.normalize_observations: true",
    "NormalizeReward": "agent.reward_scale",
}


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("vectorization", ["sync", "async"])
def test_statistics_in_the_configuration_are_refused(name: str, vectorization: Any) -> None:
    wrappers = [WrapperConfig(f"{WRAPPERS}.{name}"), WrapperConfig(f"{WRAPPERS}.OrderEnforcing")]
    config = EnvConfig(COUNTING, wrappers=wrappers, vectorization=vectorization)
    with pytest.raises(EnvironmentSetupError, match=f"^{name} normalises.*{KEYS[name]}"):
        make_vector_environment(config)


@pytest.mark.parametrize("name", KEYS)
def test_statistics_of_given_environments_are_refused(name: str) -> None:
    wrap = getattr(gymnasium.wrappers, name)
    for source in (wrap(CopyingCountingEnv()), lambda: wrap(CopyingCountingEnv())):
        with pytest.raises(EnvironmentSetupError, match=KEYS[name]):
            make_vector_environment(EnvConfig(), source=source)


@pytest.mark.parametrize("name", KEYS)
def test_statistics_of_vector_environments_are_refused(name: str) -> None:
    config = EnvConfig(
        NATIVE, vectorization="native", wrappers=[WrapperConfig(f"{WRAPPERS}.vector.{name}")]
    )
    with pytest.raises(EnvironmentSetupError, match=KEYS[name]):
        make_vector_environment(config)
    wrapped = getattr(gymnasium.wrappers.vector, name)(
        SyncVectorEnv([CopyingCountingEnv], autoreset_mode=AutoresetMode.NEXT_STEP)
    )
    with pytest.raises(EnvironmentSetupError, match=KEYS[name]):
        make_vector_environment(EnvConfig(), source=wrapped)


@pytest.mark.parametrize("has_id", [True, False])
def test_frozen_statistics_stay_and_are_those_of_the_copy(has_id: bool) -> None:
    single: gymnasium.Env = gymnasium.make(COUNTING) if has_id else CopyingCountingEnv()
    env: Any = gymnasium.wrappers.NormalizeObservation(single)
    env.reset(seed=1)
    for _ in range(3):
        env.step(np.zeros(1, np.float32))
    env.update_running_mean = False
    source, _ = separate_source(env)
    first = make_vector_environment(EnvConfig(), source=env, seed=3).reset()
    np.testing.assert_array_equal(
        make_vector_environment(EnvConfig(), source=source, seed=3).reset()[:, [0, 2]],
        first[:, [0, 2]],
    )
    assert (np.abs(first) > 0).any()


class NeedsTuple(gymnasium.Wrapper):
    """Asks for its shape as Gymnasium's ResizeObservation does."""

    def __init__(self, env: gymnasium.Env, shape: Any) -> None:
        super().__init__(env)
        if not isinstance(shape, tuple):
            raise TypeError(f"expected a tuple, got {type(shape)}")


def test_a_list_in_place_of_a_tuple_is_told_how_to_be_one() -> None:
    def made(shape: Any) -> Any:
        wrapper = WrapperConfig(f"{__name__}.NeedsTuple", {"shape": shape})
        return make_vector_environment(EnvConfig(COUNTING, wrappers=[wrapper]))

    with pytest.raises(EnvironmentSetupError, match=r"written shape: \{\$tuple: \[6, 4\]\}"):
        made([6, 4])
    made({"$tuple": [6, 4]}).close()


class NeedsPygame(gymnasium.Wrapper):
    """Draws in its reset, as environments with render_mode human do."""

    def reset(self, **kwargs: Any) -> Any:
        raise gymnasium.error.DependencyNotInstalled("pygame is not installed, run `pip install`")


def test_a_package_that_is_missed_in_a_reset_is_told_by_its_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sac.environments.explain.find_spec", lambda name: None)
    wrapper = WrapperConfig(f"{__name__}.NeedsPygame")
    with (
        closing(make_vector_environment(EnvConfig(COUNTING, wrappers=[wrapper]))) as environment,
        pytest.raises(EnvironmentSetupError, match=r"is not installed: .*classic-control"),
    ):
        environment.reset(seed=0)


def test_a_missing_opencv_is_told_by_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(env: gymnasium.Env) -> None:
        raise gymnasium.error.DependencyNotInstalled("opencv (cv2) is not installed")

    monkeypatch.setattr("gymnasium.wrappers.ResizeObservation", missing)
    config = EnvConfig(COUNTING, wrappers=[WrapperConfig(f"{WRAPPERS}.ResizeObservation")])
    with pytest.raises(EnvironmentSetupError, match=r"here: .*images"):
        make_vector_environment(config)
