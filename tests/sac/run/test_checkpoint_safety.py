"""What a run from a stranger could bring: it is read as data, within its folder and in bounds."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sac import SACAgent, evaluate
from sac.disk.lock import RunLock
from sac.errors import CheckpointError, ConfigError, SACError
from sac.metrics.table import MetricsFile
from sac.run.checkpoint import find_checkpoint, load_checkpoint, save_checkpoint
from sac.training.train import train
from tests.sac.tiny_runs import tiny_config

MORE = {"train": {"total_steps": 70}}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = tiny_config(tmp_path_factory.mktemp("runs"), {"env": {"id": "Pendulum-v1"}})
    return train(config).run_directory


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "run"))


# Links that lead out of the run.


def events_of(run: Path) -> str:
    return max(path.name for path in run.glob("events.out.tfevents.*"))


LINKS: list[Callable[[Path], str]] = [
    lambda run: "run.lock",
    lambda run: "metrics.csv",
    lambda run: "config.yaml",
    events_of,
    lambda run: "replay/ring-observation.bin",
    lambda run: "checkpoints/60/policy.safetensors",
]


@pytest.mark.parametrize("name_in", LINKS)
def test_run_with_a_link_is_not_written_to(
    run: Path, tmp_path: Path, name_in: Callable[[Path], str]
) -> None:
    path = run / name_in(run)
    precious = tmp_path / "precious"
    path.rename(precious)
    before = precious.read_bytes()
    path.symlink_to(precious)
    with pytest.raises(CheckpointError, match="is a symbolic link"):
        train(resume=run, overrides=MORE)
    assert precious.read_bytes() == before
    assert path.is_symlink()


@pytest.mark.parametrize("name", ["replay", "checkpoints", "best"])
def test_run_with_a_linked_folder_is_not_written_to(run: Path, tmp_path: Path, name: str) -> None:
    (run / name).rename(tmp_path / name)
    (run / name).symlink_to(tmp_path / name, target_is_directory=True)
    with pytest.raises(CheckpointError, match=f"{name}' is a symbolic link"):
        train(resume=run, overrides=MORE)


def test_lock_is_not_taken_through_a_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    (tmp_path / "run.lock").symlink_to(precious)
    with pytest.raises(SACError, match="Can't write into"), RunLock(tmp_path):
        pass
    assert precious.read_bytes() == b"precious"


# Sizes, before memory is taken.


def test_manifest_of_a_gigabyte_is_not_read(run: Path) -> None:
    with open(run / "best" / "manifest.json", "ab") as file:
        file.truncate(10**12)
    with pytest.raises(CheckpointError, match=r"manifest\.json.*1000000000000"):
        SACAgent.load(run)


def test_configuration_of_a_gigabyte_is_not_read(run: Path) -> None:
    with open(run / "config.yaml", "ab") as file:
        file.truncate(10**12)
    with pytest.raises(ConfigError, match="which is no configuration"):
        train(resume=run, overrides=MORE)


@pytest.mark.parametrize("hidden_sizes", [[2**16, 2**16], [2**16], [8] * 10_000])
def test_network_larger_than_its_weights_is_not_built(run: Path, hidden_sizes: list[int]) -> None:
    best = load_checkpoint(run / "best")
    policy = best.documents["policy"]
    policy["agent"]["hidden_sizes"] = hidden_sizes
    save_checkpoint(run / "best", dict(best.tensors), best.documents, step=60)
    with pytest.raises(CheckpointError, match=r"describes a network of|does not fit"):
        SACAgent.load(run)


def test_replay_longer_than_its_files_is_not_mapped(run: Path) -> None:
    saved = load_checkpoint(find_checkpoint(run, "last"))
    ring = saved.documents["replay"]["tables"]["ring"]
    ring["segments"] = [[10**12, segment[1]] for segment in ring["segments"]]
    save_checkpoint(run / "checkpoints" / "61", dict(saved.tensors), saved.documents, step=61)
    before = sum(path.stat().st_size for path in (run / "replay").iterdir())
    assert train(resume=run, overrides={"train": {"total_steps": 80}}).step == 80
    assert (run / "damaged-61").is_dir(), "the checkpoint before it is used"
    assert sum(path.stat().st_size for path in (run / "replay").iterdir()) < before + 10**6


@pytest.mark.parametrize(
    "line", ["9" * 5000 + ",1\n", '"', "1," + "x" * 200_000 + "\n", "\x00\n"], ids=len
)
def test_hostile_metrics(run: Path, line: str) -> None:
    with open(run / "metrics.csv", "a", newline="") as file:
        file.write(line)
    try:
        train(resume=run, overrides=MORE)
    except SACError as error:
        assert "metrics.csv" in str(error)


def test_row_that_a_crash_cut_short_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(b"step,a,b\n1,2.5,3.25\n2,2.5,3.2")
    file = MetricsFile(path, ["a", "b"], resume_step=5)
    assert (file.step, file.row) == (1, {"a": "2.5", "b": "3.25"})
    file.close()
    assert path.read_bytes() == b"step,a,b\n1,2.5,3.25\n"


# The policy alone.


def test_policy_alone_acts_and_is_evaluated(run: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    for name in ("policy.json", "policy.safetensors"):
        shutil.copy(run / "best" / name, alone)
    observations = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    expected = SACAgent.load(run).act(observations, deterministic=True)
    found = SACAgent.load(alone).act(observations, deterministic=True)
    np.testing.assert_array_equal(found, expected)
    whole = evaluate(run, episodes=2, seed=3, device="cpu")
    part = evaluate(alone, env_overrides={"id": "Pendulum-v1"}, episodes=2, seed=3, device="cpu")
    assert part.returns == whole.returns
    with pytest.raises(CheckpointError, match=r"which environment.*policy alone.*env\.id"):
        evaluate(alone)
    with pytest.raises(CheckpointError, match=r"holds no agent"):
        train(tiny_config(tmp_path / "new").merged({"train": {"init_from": str(alone)}}))


@pytest.mark.parametrize("name", ["policy.json", "policy.safetensors"])
def test_damaged_policy_alone(run: Path, tmp_path: Path, name: str) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    for part in ("policy.json", "policy.safetensors"):
        shutil.copy(run / "best" / part, alone)
    (alone / name).write_bytes(b"junk")
    with pytest.raises(CheckpointError, match=name.replace(".", r"\.")):
        SACAgent.load(alone)


def test_checkpoint_without_its_manifest_is_no_policy_alone(run: Path) -> None:
    (run / "best" / "manifest.json").unlink()
    with pytest.raises(CheckpointError, match=r"manifest\.json"):
        SACAgent.load(run)


def test_documents_hold_nothing_but_json(run: Path) -> None:
    for path in run.rglob("*.json"):
        json.loads(path.read_text())
    suffixes = {path.suffix for path in (run / "checkpoints").rglob("*") if path.is_file()}
    assert suffixes == {".json", ".safetensors"}
