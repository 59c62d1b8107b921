"""What an environment returns is checked once, with the same words sync and async."""

import functools
from contextlib import closing
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from sac.config import EnvConfig
from sac.environments import Step, make_vector_environment
from sac.errors import EnvironmentStepError, NotFiniteError, SpaceError
from sac.spaces import ObservationEncoder
from tests.sac.environments_for_tests import ACTION_SPACE, CountingVectorEnv

BOX = spaces.Box(-1.0, 1.0, (2,), np.float32)
IMAGE = spaces.Box(0, 255, (2,), np.uint8)
FRAMES = spaces.Dict({"image": IMAGE, "speed": spaces.Discrete(3, start=1)})
ZEROS = np.zeros(2, np.float32)


class ReturningEnv(gymnasium.Env):
    """Returns from its reset and its steps what it was given."""

    action_space = ACTION_SPACE

    def __init__(self, step: Any, reset: Any, space: spaces.Space) -> None:
        self.observation_space = space
        self.returned = {"step": step, "reset": reset}

    def reset(self, **kwargs: Any) -> Any:
        return self.returned["reset"]

    def step(self, action: Any) -> Any:
        return self.returned["step"]


class UnpackingEnv(gymnasium.Wrapper):
    """As most of Gymnasium's wrappers do, in a module of Gymnasium's."""

    def __init__(self, env: gymnasium.Env) -> None:
        super().__init__(gymnasium.wrappers.TimeLimit(env, 100))


def stepped(
    *step: Any,
    reset: Any = None,
    space: spaces.Space = BOX,
    vectorization: Any = "sync",
    wrap: Any = lambda env: env,
) -> Step:
    """Return the first step of an environment that returns this."""
    first = space.sample() if reset is None else reset
    result = (first, {}) if reset is None else reset
    make = functools.partial(ReturningEnv, step, result, space)
    config = EnvConfig(vectorization=vectorization)
    made = make_vector_environment(config, source=lambda: wrap(make()), seed=0)
    with closing(made) as environment:
        environment.reset()
        return environment.step(np.zeros((1, 1), np.float32))


@pytest.mark.parametrize(
    "reward",
    [
        2.5,
        np.float32(2.5),
        np.array(2.5),
        np.array([2.5]),
        np.array([[2.5]]),
        [2.5],
    ],
    ids=repr,
)
def test_rewards_of_one_number_are_taken(reward: Any) -> None:
    step = stepped(ZEROS, reward, False, False, {})
    assert step.reward.tolist() == [2.5]
    assert step.reward.dtype == np.float32


@pytest.mark.parametrize("end", [True, np.True_, 1, 1.0, np.array([True]), [True]], ids=repr)
def test_ends_of_one_truth_are_taken(end: Any) -> None:
    step = stepped(ZEROS, 1, end, np.array([0]), {})
    assert (step.terminated.tolist(), step.truncated.tolist()) == ([True], [False])


REFUSED: dict[str, tuple[tuple[Any, ...], str]] = {
    "vector reward": (
        (ZEROS, np.array([1.0, 2.0]), False, False, {}),
        r"the reward array\(\[1., 2.\]\): expected one number.*mo_gymnasium.wrappers.LinearReward",
    ),
    "no reward": ((ZEROS, None, False, False, {}), "the reward None: expected one number"),
    "reward as text": ((ZEROS, "2", False, False, {}), "the reward '2'"),
    "end as text": ((ZEROS, 1.0, False, "no", {}), "'no' as truncated: expected true or false"),
    "no end": ((ZEROS, 1.0, None, False, {}), "None as terminated"),
    "end of two": ((ZEROS, 1.0, [True, False], False, {}), "as terminated"),
    "end that is nan": ((ZEROS, 1.0, np.nan, False, {}), "nan as terminated"),
    "no info": ((ZEROS, 1.0, False, False, None), "the info None: expected a dict"),
    "old step": ((ZEROS, 1.0, False, {}), "its step returned 4 values.*GymV21CompatibilityV0"),
    "shape": ((np.zeros(3), 1.0, False, False, {}), r"shape \(2,\), got \(3,\).*Reshape"),
    "text": ((["a", "b"], 1.0, False, False, {}), "expected an observation of float32"),
    "nothing": ((None, 1.0, False, False, {}), r"shape \(2,\), got \(\)"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_rest_says_what_came_and_what_helps(name: str) -> None:
    step, message = REFUSED[name]
    with pytest.raises(EnvironmentStepError, match=f"^environment 0: .*{message}"):
        stepped(*step)


@pytest.mark.parametrize("name", ["vector reward", "old step"])
def test_a_worker_says_the_same(name: str) -> None:
    step, message = REFUSED[name]
    with pytest.raises(EnvironmentStepError, match=f"^environment 0: .*{message}"):
        stepped(*step, vectorization="async")


@pytest.mark.parametrize("result", [ZEROS, (ZEROS, None), (ZEROS,)], ids=["array", "None", "one"])
def test_a_reset_without_info_is_refused(result: Any) -> None:
    with pytest.raises(EnvironmentStepError, match=r"its reset returned .*\(observation, info\)"):
        stepped(reset=result)


def test_a_wrapper_that_takes_a_wrong_result_to_pieces_is_explained() -> None:
    with pytest.raises(EnvironmentStepError, match=r"environment 0: .*expected 5, got 4.*GymV21"):
        stepped(ZEROS, 1.0, False, {}, wrap=UnpackingEnv)


class Unpacks(gymnasium.Wrapper):
    def step(self, action: Any) -> Any:
        a, b, c, d = super().step(action)  # type: ignore[misc]
        return a, b, c, d


def test_other_unpacking_stays_the_users_own_error() -> None:
    with pytest.raises(ValueError, match="too many values to unpack"):
        stepped(ZEROS, 1.0, False, False, {}, wrap=Unpacks)


@pytest.mark.parametrize("vectorization", ["sync", "async"])
@pytest.mark.parametrize("space", [IMAGE, FRAMES], ids=["Box", "Dict"])
def test_floats_are_no_image(space: spaces.Space, vectorization: str) -> None:
    image = np.array([0.25, 0.5])
    observation = image if space is IMAGE else {"image": image, "speed": 1}
    with pytest.raises(EnvironmentStepError, match=r"of uint8.*got float64 from 0.25 to 0.5"):
        stepped(observation, 1.0, False, False, {}, space=space, vectorization=vectorization)


def test_an_agent_takes_no_image_of_floats() -> None:
    with pytest.raises(SpaceError, match=r"expected an observation of uint8.*got float64"):
        ObservationEncoder(IMAGE).encode(np.array([0, 255]) / 255)


@pytest.mark.parametrize("image", [[0, 256], [-1, 3]])
def test_whole_numbers_outside_of_an_image_are_refused(image: list[int]) -> None:
    with pytest.raises(EnvironmentStepError, match=r"of uint8.*got int64 from"):
        stepped(image, 1.0, False, False, {}, space=IMAGE)


def test_whole_numbers_within_an_image_are_taken() -> None:
    assert stepped([7, 255], 1.0, False, False, {}, space=IMAGE).observation.tolist() == [[7, 255]]


@pytest.mark.parametrize("speed", [0, 1.0, [1, 2], None], ids=repr)
def test_parts_of_a_dict_are_checked(speed: Any) -> None:
    observation = {"image": np.zeros(2, np.uint8), "speed": speed}
    with pytest.raises(EnvironmentStepError, match="expected an observation of Discrete"):
        stepped(observation, 1.0, False, False, {}, space=FRAMES)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_finite_number_too_large_is_called_by_its_value(dtype: Any) -> None:
    space = spaces.Box(-np.inf, np.inf, (2,), dtype)
    for observation, reward in (([0.0, -1e300], 1.0), ([0.0, 0.0], 1e300)):
        name = "observation holds -1e" if reward == 1 else "reward holds 1e"
        with pytest.raises(NotFiniteError, match=rf"environment 0: the {name}\+300, too large"):
            stepped(np.array(observation), reward, False, False, {}, space=space)


@pytest.mark.parametrize(
    ("rewards", "message"),
    [
        (np.ones((2, 1)), None),
        ([1.0, 1.0], None),
        (np.ones((2, 3)), r"the reward an array of shape \(2, 3\): expected one for each of 2"),
        (np.ones(3), "the reward"),
        (["1", "1"], "the reward"),
    ],
)
def test_rewards_of_vector_environments(rewards: Any, message: str | None) -> None:
    env: Any = CountingVectorEnv(2)
    given = env.step
    env.step = lambda actions: (given(actions)[0], rewards, *given(actions)[2:])
    environment = make_vector_environment(EnvConfig(num_envs=2), source=env)
    environment.reset()
    if message is None:
        assert environment.step(np.zeros((2, 1), np.float32)).reward.tolist() == [1, 1]
    else:
        with pytest.raises(EnvironmentStepError, match=message):
            environment.step(np.zeros((2, 1), np.float32))
