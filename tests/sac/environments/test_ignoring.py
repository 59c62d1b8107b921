"""Parts of observations that are left out by name, wherever environments come from."""

from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from sac import train
from sac.config import EnvConfig
from sac.environments import make_vector_environment, separate_source
from sac.errors import EnvironmentSetupError, SpaceError
from sac.evaluation.evaluate import evaluate
from tests.sac.tiny_runs import assert_same_arrays, saved_arrays, tiny_config

ID = "TellingForTests-v0"
SPACE = spaces.Dict(
    {
        "mission": spaces.Text(9),
        "place": spaces.Box(-9, 9, (2,), np.float32),
        "camera": spaces.Dict({"caption": spaces.Text(3), "light": spaces.Discrete(2)}),
        "pair": spaces.Tuple([spaces.Box(0, 99, (1,), np.float32), spaces.Text(1)]),
    }
)
TEXTS = ("mission", "camera.caption", "pair.1")


class TellingEnv(gymnasium.Env):
    """Tells its mission beside the number of its step."""

    observation_space = SPACE
    action_space = spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.steps = 0
        return self.observe(), {}

    def step(self, action: Any) -> Any:
        self.steps += 1
        return self.observe(), float(action), False, self.steps == 5, {}

    def observe(self) -> Any:
        return {
            "mission": "go",
            "place": np.full(2, self.steps, np.float32),
            "camera": {"caption": "a", "light": np.int64(self.steps % 2)},
            "pair": (np.full(1, 7, np.float32), "b"),
        }


gymnasium.register(ID, lambda **kwargs: TellingEnv(), disable_env_checker=True)


def by_id(vectorization: str, names: Any) -> Any:
    return make_vector_environment(
        EnvConfig(ID, num_envs=2, vectorization=vectorization, ignore_observations=names)  # type: ignore[arg-type]
    )


def given(source: Any, names: Any) -> Any:
    return make_vector_environment(EnvConfig(ignore_observations=names), source=source)


def vectors() -> SyncVectorEnv:
    return SyncVectorEnv([TellingEnv] * 2, autoreset_mode=AutoresetMode.NEXT_STEP)


MAKERS: dict[str, Any] = {
    "sync": partial(by_id, "sync"),
    "async": partial(by_id, "async"),
    "object": partial(given, TellingEnv()),
    "callable": partial(given, TellingEnv),
    "vector environment": lambda names: given(vectors(), names),
    "copy": partial(given, separate_source(TellingEnv())[0]),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_numbers_are_left(make: Any) -> None:
    environment = make(TEXTS)
    try:
        n = environment.num_envs
        # Of light, pair and place.
        np.testing.assert_array_equal(environment.reset(), [[1, 0, 7, 0, 0]] * n)
        step = environment.step(np.zeros(n, np.int64))
        np.testing.assert_array_equal(step.observation, [[0, 1, 7, 1, 1]] * n)
    finally:
        environment.close()


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_refusal_names_the_part_and_the_cure(make: Any) -> None:
    cure = r"the part pair\.1 of the observation, Text.*env\.ignore_observations: \[pair\.1\]"
    with pytest.raises(SpaceError, match=cure):
        make(TEXTS[:2])


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_unknown_names_are_refused_with_those_there_are(make: Any) -> None:
    with pytest.raises(EnvironmentSetupError, match=r"camera\.caption.*pair\.0.*got 'caption'"):
        make(["caption"])


@pytest.mark.parametrize("vectorization", ["sync", "async"])
def test_all_parts_of_a_part_may_go_but_not_all_parts(vectorization: str) -> None:
    names = ["mission", "camera.caption", "camera.light", "pair"]
    environment = by_id(vectorization, names)
    assert environment.observation_space == spaces.Dict({"place": SPACE["place"]})
    environment.close()
    with pytest.raises(EnvironmentSetupError, match="expected a part to be left"):
        by_id(vectorization, [*names, "place"])


def test_an_observation_without_parts_is_refused() -> None:
    with pytest.raises(EnvironmentSetupError, match="none, as it is a Box"):
        make_vector_environment(EnvConfig("Pendulum-v1", ignore_observations=["mission"]))


def test_vector_environment_that_resets_in_the_same_step_is_refused() -> None:
    source = SyncVectorEnv([TellingEnv], autoreset_mode=AutoresetMode.SAME_STEP)
    with pytest.raises(EnvironmentSetupError, match="ignore_observations: Expected autoreset_mode"):
        given(source, TEXTS)


@pytest.mark.parametrize("vectorization", ["sync", "async"])
def test_a_resumed_run_is_the_same(tmp_path: Path, vectorization: str) -> None:
    env = {"id": ID, "num_envs": 2, "vectorization": vectorization, "ignore_observations": TEXTS}
    whole = train(tiny_config(tmp_path / "whole", {"env": env})).run_directory
    short = {"env": env, "train": {"total_steps": 34}}
    run = train(tiny_config(tmp_path / "short", short)).run_directory
    train(resume=run, overrides={"train": {"total_steps": 60}})
    assert_same_arrays(saved_arrays(run, "agent"), saved_arrays(whole, "agent"))
    assert evaluate(run, episodes=1).lengths == [5]
