"""The shipped configurations: valid, for environments that exist, and only what differs."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import gymnasium
import pytest

from sac.config import Config
from sac.config.yaml_text import read_yaml_mapping

FOLDER = Path(__file__).parents[1] / "configs"
FILES = sorted(FOLDER.glob("*.yaml"))
PRESETS = sorted((FOLDER / "presets").iterdir())
ENVIRONMENTS = {
    "acrobot": "Acrobot-v1",
    "ant": "Ant-v5",
    "bipedal_walker": "BipedalWalker-v3",
    "car_racing": "CarRacing-v3",
    "cartpole": "CartPole-v1",
    "fetch_reach": "FetchReach-v4",
    "half_cheetah": "HalfCheetah-v5",
    "hopper": "Hopper-v5",
    "humanoid": "Humanoid-v5",
    "inverted_pendulum": "InvertedPendulum-v5",
    "lunar_lander": "LunarLander-v3",
    "lunar_lander_continuous": "LunarLanderContinuous-v3",
    "mountain_car": "MountainCar-v0",
    "mountain_car_continuous": "MountainCarContinuous-v0",
    "pendulum": "Pendulum-v1",
    "reacher": "Reacher-v5",
    "walker2d": "Walker2d-v5",
}


def leaves(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in data.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def test_every_task_has_its_configuration() -> None:
    assert {path.name for path in FILES} == {f"{name}.yaml" for name in ENVIRONMENTS}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_configuration_is_valid_for_an_environment_that_exists(path: Path) -> None:
    config = Config.load(path)
    preset = read_yaml_mapping(path).get("preset")
    assert config.name == (f"{path.stem}-{preset}" if preset else path.stem)
    module, _, name = config.env.id.rpartition(":")
    assert name == ENVIRONMENTS[path.stem]
    assert module or name in gymnasium.registry  # one with a module comes with another package


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_configuration_holds_only_what_differs(path: Path) -> None:
    assert not repeated(read_yaml_mapping(path), Config.load(path))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_configuration_begins_with_what_it_is_for(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith(f"# {ENVIRONMENTS[path.stem]}: ")


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_preset_is_valid_and_holds_only_what_differs(path: Path) -> None:
    config = Config.from_dict({"preset": path.stem})
    assert not repeated(read_yaml_mapping(path), config)
    assert config.name == path.stem
    assert path.read_text(encoding="utf-8").startswith("# ")


def repeated(given: dict[str, Any], config: Config) -> list[str]:
    """The keys of a file that say what would hold without them."""
    without = {"preset": given.pop("preset")} if "preset" in given else {}
    outcome = dict(leaves(config.to_dict()))
    defaults = dict(leaves(Config.from_dict(without).to_dict()))
    return [key for key, _ in leaves(given) if outcome[key] == defaults.get(key)]
