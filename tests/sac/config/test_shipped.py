"""Shipped configurations by name, and presets below a configuration's own keys."""

from pathlib import Path
from typing import Any

import pytest

from sac.config import Config
from sac.config.shipped import FOLDER, names, overruled
from sac.errors import ConfigError

REDQ = {"preset": "redq"}


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_name_stands_for_the_shipped_file() -> None:
    assert "pendulum" in names(FOLDER)
    assert Config.load("pendulum") == Config.load(FOLDER / "pendulum.yaml")


def test_file_that_exists_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "pendulum", "env: {id: CartPole-v1}")
    monkeypatch.chdir(tmp_path)
    assert Config.load("pendulum").env.id == "CartPole-v1"


def test_folder_hides_no_shipped_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("pendulum", "redq", "mine"):
        (tmp_path / name).mkdir()
    assert Config.load("pendulum", REDQ).agent.critic == "redq"
    with pytest.raises(ConfigError, match="mine is a directory, expected a YAML file"):
        Config.load("mine")


@pytest.mark.parametrize("name", ["nowhere/pendulum", "pendulum.yml"])
def test_other_names_are_files(name: str) -> None:
    with pytest.raises(ConfigError, match=f"config file {name} does not exist"):
        Config.load(name)


def test_a_name_that_is_nothing_is_told_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"called 'pendulms'; the nearest is pendulum \("):
        Config.load("pendulms")


def test_a_preset_of_which_a_file_leaves_nothing_is_refused(tmp_path: Path) -> None:
    plain = written(tmp_path / "whole.yaml", Config.load("pendulum").to_yaml())
    with pytest.raises(ConfigError, match=r"whole\.yaml sets every key of crossq itself, \d+ of"):
        Config.load(plain, {"preset": "crossq"})
    assert Config.load(plain, {"preset": "none"}).agent == Config.load("pendulum").agent
    own = Config.load("pendulum", {"preset": "crossq"})
    same = written(tmp_path / "same.yaml", own.to_yaml())
    assert Config.load(same, {"preset": "crossq"}) == own


def test_keys_that_overrule_a_preset_are_found() -> None:
    preset = {"agent": {"critic": "tqc", "soft_q_lr": 1, "policy_lr": 2}, "train": {"n_step": 2}}
    own = {"agent": {"critic": None, "policy_lr": 2}, "seed": 3}
    assert overruled(own, preset) == (["agent.critic"], 2)


def test_section_left_empty_takes_that_of_the_preset(tmp_path: Path) -> None:
    file = written(tmp_path / "mine.yaml", "preset: redq\nagent:\n  # all as in the paper\ntrain:")
    config = Config.load(file, {"train": None})
    assert (config.agent, config.train) == (
        Config.from_dict(REDQ).agent,
        Config.from_dict(REDQ).train,
    )
    assert config.agent.critic == "redq"
    preset = {"agent": {"critic": "redq"}, "train": {"hindsight": {"goals": 4}}}
    assert overruled({"agent": None, "train": {"hindsight": None}}, preset) == (
        ["train.hindsight"],
        1,
    )


def test_setting_that_is_null_wins_over_the_preset(tmp_path: Path) -> None:
    preset = written(tmp_path / "goals.yaml", "train: {hindsight: {goals: 2}}")
    data = {"preset": str(preset), "train": {"hindsight": None}}
    assert Config.from_dict(data).train.hindsight is None


def test_keys_win_over_the_preset(tmp_path: Path) -> None:
    file = written(tmp_path / "mine.yaml", "preset: redq\nagent: {num_soft_q_nets: 5}")
    config = Config.load(file, {"train": {"updates_per_step": 3}})
    assert (config.agent.critic, config.agent.num_soft_q_nets) == ("redq", 5)
    assert (config.train.updates_per_step, config.name) == (3, "mine-redq")


def test_option_wins_over_the_preset_that_a_file_names(tmp_path: Path) -> None:
    other = written(tmp_path / "small.yaml", "agent: {hidden_sizes: [8]}")
    file = written(tmp_path / "mine.yaml", "preset: redq")
    config = Config.load(file, {"preset": str(other)})
    assert (config.agent.critic, config.agent.hidden_sizes) == ("sac", (8,))
    assert config.name == "mine-small"
    for nothing in (None, "none"):
        assert Config.load(file, {"preset": nothing}) == Config.from_dict({"name": "mine"})


def test_preset_may_be_laid_over_another(tmp_path: Path) -> None:
    small = written(tmp_path / "small.yaml", "preset: redq\nagent: {hidden_sizes: [8]}")
    config = Config.from_dict({"preset": str(small), "agent": {"num_soft_q_nets": 5}})
    assert (config.agent.critic, config.agent.num_soft_q_nets) == ("redq", 5)
    assert (config.agent.hidden_sizes, config.train.updates_per_step) == ((8,), 20)
    assert config.name == "small"


def test_preset_that_is_laid_over_itself_is_refused(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    written(first, f"preset: {second}")
    written(second, f"preset: {first}")
    with pytest.raises(ConfigError, match=r"laid over itself; take the key out of .*second\.yaml"):
        Config.from_dict({"preset": str(first)})


def test_outcome_names_no_preset() -> None:
    config = Config.from_dict(REDQ)
    assert "preset" not in config.to_dict()
    assert Config.from_yaml(config.to_yaml()) == config
    assert config.name == "redq"


@pytest.mark.parametrize("preset", ["red", 3, "configs/presets", ["redq"]])
def test_preset_that_is_none_is_refused_with_those_there_are(preset: Any) -> None:
    with pytest.raises(ConfigError, match="preset: expected") as caught:
        Config.from_dict({"preset": preset})
    assert isinstance(preset, int | list) or "redq" in str(caught.value)


def test_preset_of_a_finished_configuration_is_refused() -> None:
    with pytest.raises(ConfigError, match="where a Config is made"):
        Config().merged(REDQ)
