"""A policy's folder for others: its card, what loads from it, and what it does not tell."""

import json
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import yaml

from sac import SACAgent, evaluate, train
from sac.cli import run_command
from sac.config import Config
from sac.errors import CheckpointError, ConfigError
from sac.run.rules import names_code
from sac.run.versions import current_versions
from sac.share.card import _public, write_card
from tests.sac.environments_for_tests import CopyingCountingEnv
from tests.sac.tiny_runs import tiny_config


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tiny_config(tmp_path_factory.mktemp("secret"))).run_directory


@pytest.fixture(scope="module")
def folder(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("share") / "card"
    told = write_card(run, output, episodes=3)
    assert told.startswith(f"{output}: the policy of {run / 'best'} and its card, mean return ")
    assert "no curve" not in told
    return output


def front_matter(folder: Path) -> dict[str, Any]:
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert text.startswith("---\n")
    return yaml.safe_load(text.split("---\n")[1])


def test_folder_is_all_of_acting_and_no_more(folder: Path) -> None:
    policy = ["config.json", "manifest.json", "policy.json", "policy.safetensors"]
    shown = ["README.md", "curve.png", "evaluation.json"]
    assert sorted(path.name for path in folder.iterdir()) == sorted([*policy, *shown])
    assert (folder / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_policy_loads_from_it_and_is_evaluated(run: Path, folder: Path) -> None:
    observation = np.array([0.1, -0.2, 0.03, 0.4], np.float32)
    given, own = SACAgent.load(folder), SACAgent.load(run)
    assert given.act(observation, deterministic=True) == own.act(observation, deterministic=True)
    result = evaluate(folder, episodes=3, device="cpu")
    assert result.returns == json.loads((folder / "evaluation.json").read_text())["returns"]
    assert run_command("evaluate", [str(folder), "--episodes", "2"], "evaluate.py") == 0


def test_every_file_of_the_policy_is_checked_by_its_hash(
    run: Path, tmp_path: Path, folder: Path
) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = bytearray((folder / "policy.safetensors").read_bytes())
    weights[-1] ^= 1
    (tmp_path / "policy.safetensors").write_bytes(weights)
    for use in (SACAgent.load, evaluate):
        with pytest.raises(CheckpointError, match="does not match the checksum"):
            use(tmp_path)


def test_card_says_what_the_policy_is_and_does(run: Path, folder: Path) -> None:
    metadata, told = front_matter(folder), (folder / "README.md").read_text(encoding="utf-8")
    result = evaluate(run, episodes=3, device="cpu")
    measured = f"{result.mean_return:.2f} +/- {result.std_return:.2f}"
    assert metadata["library_name"] == "sac-autograd"
    assert {"CartPole-v1", "reinforcement-learning"} <= set(metadata["tags"])
    (model,) = metadata["model-index"]
    (measurement,) = model["results"]
    assert measurement["dataset"] == {"name": "CartPole-v1", "type": "CartPole-v1"}
    assert "| environment | CartPole-v1 |" in told
    assert [metric["value"] for metric in measurement["metrics"]] == [measured]
    assert f"| mean return | {measured} (standard deviation) |" in told
    assert "![Return in evaluations during training](curve.png)" in told
    assert "  hidden_sizes: [8]" in told
    for name, version in current_versions().items():
        assert f"| {name} | {version} |" in told


def test_it_does_not_tell_where_files_lay(folder: Path, run: Path) -> None:
    for path in folder.iterdir():
        assert str(run.parent).encode() not in path.read_bytes(), path.name
        assert b"secret" not in path.read_bytes(), path.name


def test_a_start_and_demonstrations_are_named_without_their_folders(
    run: Path, tmp_path: Path
) -> None:
    changes = {"train": {"init_from": str(run), "demonstrations": str(run)}}
    other = train(tiny_config(tmp_path / "runs", changes)).run_directory
    write_card(other, tmp_path / "card", episodes=1)
    config = json.loads((tmp_path / "card" / "config.json").read_text())
    assert config["train"]["init_from"] == run.name
    assert config["train"]["demonstrations"] == run.name


def test_cluster_is_not_told() -> None:
    cluster = {"vectorization": "ray", "ray_address": "10.1.2.3:6379", "max_lag": 8}
    trained = Config.from_dict({"env": {"id": "CartPole-v1", "num_envs": 4, **cluster}})
    env = _public(trained).env
    assert (env.ray_address, env.max_lag, env.num_envs) == (None, 0, 4)
    assert names_code(trained.env) and not names_code(env)


class FileEnv(CopyingCountingEnv):
    """Takes the names of files."""

    def __init__(self, file: Any = None) -> None:
        super().__init__()


class FileWrapper(gymnasium.Wrapper):
    """Takes the name of a file."""

    def __init__(self, env: gymnasium.Env, file: str) -> None:
        super().__init__(env)


gymnasium.register("FileForTests-v0", FileEnv, disable_env_checker=True)  # type: ignore[arg-type]


def test_paths_of_environments_are_named_without_their_folders(tmp_path: Path) -> None:
    given = ["/secret/robot.xml", {"a": "~/secret/b"}, "C:\\secret\\c.png", "a/b", "/topic", "", 3]
    cut = ["robot.xml", {"a": "b"}, "c.png", "a/b", "/topic", "", 3]
    wrapper = {"class_path": f"{__name__}.FileWrapper", "kwargs": {"file": "/secret/world.png"}}
    env = {"id": "FileForTests-v0", "kwargs": {"file": given}, "wrappers": [wrapper]}
    run = train(tiny_config(tmp_path / "secret", {"env": env})).run_directory
    told = write_card(run, tmp_path / "card", episodes=1, trust=True)
    config = json.loads((tmp_path / "card" / "config.json").read_text())
    assert config["env"]["kwargs"] == {"file": cut}
    assert config["env"]["wrappers"][0]["kwargs"] == {"file": "world.png"}
    text = (tmp_path / "card" / "README.md").read_text()
    for words in (text, told.rpartition("\n")[2]):
        assert "only the last part is left: give your own by --env.kwargs.NAME" in words
    for path in (tmp_path / "card").iterdir():
        assert b"secret" not in path.read_bytes(), path.name


def test_another_task_does_not_stand_beside_the_plain_one(tmp_path: Path) -> None:
    wrapper = {
        "class_path": "gymnasium.wrappers.TransformReward",
        "kwargs": {"func": {"$import": "math.tanh"}},
    }
    env = {"id": "CartPole-v1", "kwargs": {"sutton_barto_reward": True}, "wrappers": [wrapper]}
    run = train(tiny_config(tmp_path / "runs", {"env": env})).run_directory
    write_card(run, tmp_path / "card", episodes=1)
    task = "CartPole-v1, sutton_barto_reward=True, TransformReward(func={'$import': 'math.tanh'})"
    (measurement,) = front_matter(tmp_path / "card")["model-index"][0]["results"]
    assert measurement["dataset"] == {"name": task, "type": task}
    text = (tmp_path / "card" / "README.md").read_text()
    assert f"| environment | {task} |" in text and "# SAC on CartPole-v1\n" in text


def test_card_says_that_code_needs_trust(folder: Path, tmp_path: Path) -> None:
    assert "trust" not in (folder / "README.md").read_text()
    wrapper = {"class_path": f"{__name__}.FileWrapper", "kwargs": {"file": "a"}}
    env = {"id": "CartPole-v1", "wrappers": [wrapper]}
    run = train(tiny_config(tmp_path / "runs", {"env": env})).run_directory
    write_card(run, tmp_path / "card", episodes=1, trust=True)
    text = (tmp_path / "card" / "README.md").read_text()
    assert 'evaluate("FOLDER", trust=True)' in text and "evaluate.py --trust" in text


def test_checkpoint_alone_has_no_curve(run: Path, tmp_path: Path) -> None:
    told = write_card(run / "checkpoints" / "40", tmp_path / "card", episodes=1)
    assert "\nno curve: " in told
    assert not (tmp_path / "card" / "curve.png").exists()
    assert "curve.png" not in (tmp_path / "card" / "README.md").read_text()


def test_environment_that_is_an_object_is_given_again(tmp_path: Path) -> None:
    config = tiny_config(tmp_path / "runs", {"env": {"id": ""}})
    run = train(config, env=CopyingCountingEnv).run_directory
    with pytest.raises(CheckpointError, match="does not say which environment"):
        write_card(run, tmp_path / "card")
    assert not (tmp_path / "card").exists()
    write_card(run, tmp_path / "card", env=CopyingCountingEnv, episodes=1)
    assert "SAC on CopyingCountingEnv" in (tmp_path / "card" / "README.md").read_text()


@pytest.mark.parametrize("place", ["full", "full/file", "nowhere/card"])
def test_nothing_is_replaced(run: Path, tmp_path: Path, place: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    with pytest.raises(ConfigError, match="--output: "):
        write_card(run, tmp_path / place, episodes=1)
    assert (tmp_path / "full" / "file").read_text() == "mine"


@pytest.mark.extras
def test_the_hub_reads_the_card_and_takes_the_folder(folder: Path) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="the Hub's own reader")
    card = hub.ModelCard.load(folder / "README.md")
    (result,) = card.data.eval_results
    assert (card.data.library_name, card.data.model_name) == ("sac-autograd", "SAC")
    assert (result.task_type, result.dataset_type) == ("reinforcement-learning", "CartPole-v1")
    assert (
        result.metric_value
        == front_matter(folder)["model-index"][0]["results"][0]["metrics"][0]["value"]
    )
    assert hub.metadata_load(folder / "README.md") == front_matter(folder)
