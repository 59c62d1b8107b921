"""What YAML can't hold, in the keyword arguments of environments and wrappers."""

import math
import re
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from sac.config import Config, EnvConfig
from sac.environments import make_vector_environment
from sac.environments.values import built, imports
from sac.errors import EnvironmentSetupError, SpaceError
from sac.spaces import ObservationEncoder, space_from_json, space_to_json
from tests.sac.environments_for_tests import COUNTING

PAGE = Path(__file__).parents[3] / "configs" / "README.md"


def test_forms_are_built_wherever_they_stand() -> None:
    value = {
        "dtype": {"$dtype": "uint8"},
        "list": [{"$array": [1, 2], "dtype": "float32"}, 3],
        "nested": {"f": {"$import": "math.tanh"}, "plain": {"dtype": "text", "array": [1]}},
        "tuple": {"$tuple": [64, {"$tuple": [{"$dtype": "int8"}]}]},
        "space": {"$import": "tests.sac.environments_for_tests:OBSERVATION_SPACE"},
    }
    made = built(value, "env.kwargs")
    assert made["dtype"] is np.uint8
    assert (made["list"][0].dtype, made["list"][0].tolist()) == (np.float32, [1, 2])
    assert made["nested"] == {"f": math.tanh, "plain": {"dtype": "text", "array": [1]}}
    assert made["tuple"] == (64, (np.int8,))
    assert isinstance(made["space"], gymnasium.spaces.Box)
    assert list(imports(value)) == [
        "math.tanh",
        "tests.sac.environments_for_tests:OBSERVATION_SPACE",
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"$dtype": "float33"}, "expected a dtype of NumPy, such as uint8, got 'float33'"),
        ({"$dtype": 3}, "got 3"),
        ({"$array": ["a"]}, "expected numbers"),
        ({"$array": [[1], [1, 2]]}, "array"),
        ({"$array": [1], "shape": 3}, r"expected \{\$dtype: uint8\}"),
        ({"$tuple": 3}, r"expected \{\$dtype"),
        ({"$call": "os.getcwd"}, r"expected \{\$dtype: uint8\}"),
        ({"$import": "no_such_module.f"}, "no_such_module"),
        ({"$import": "math.tahn"}, "the nearest names are .*tanh"),
        ({"$import": 3}, r"expected \{\$dtype"),
    ],
)
def test_wrong_forms_name_their_key(value: Any, message: str) -> None:
    with pytest.raises(EnvironmentSetupError, match=f"env.kwargs: .*{message}"):
        built({"a": [value]}, "env.kwargs")


def test_the_pages_wrappers_are_made_and_stay_in_the_configuration() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    config = Config.from_yaml(text)
    assert Config.from_yaml(config.to_yaml()) == config
    environment = make_vector_environment(config.env, seed=0)
    environment.reset()
    assert environment.observation_space.high.tolist() == [2, 2, 1]  # type: ignore[attr-defined]
    assert -1 < environment.step(np.zeros((1, 1), np.float32)).reward[0] < 0


@pytest.mark.parametrize("vectorization", ["sync", "async"])
def test_an_environment_takes_them_too(vectorization: Any) -> None:
    kwargs = {"action_space": {"$import": "tests.sac.environments_for_tests.ACTION_SPACE"}}
    config = EnvConfig(COUNTING, kwargs=kwargs, vectorization=vectorization)
    environment = make_vector_environment(config)
    try:
        assert isinstance(environment.action_space, gymnasium.spaces.Box)
    finally:
        environment.close()


def test_keys_of_whole_numbers_keep_their_kind_in_files() -> None:
    parts: Any = {3: gymnasium.spaces.Discrete(2), 1: gymnasium.spaces.Discrete(3)}
    space = gymnasium.spaces.Dict(parts)
    assert space_from_json(space_to_json(space)) == space
    parts = {(1, 2): gymnasium.spaces.Discrete(2)}
    with pytest.raises(SpaceError, match="text or whole numbers"):
        space_to_json(gymnasium.spaces.Dict(parts))
    with pytest.raises(SpaceError, match="text or whole numbers"):
        ObservationEncoder(gymnasium.spaces.Dict(parts))
