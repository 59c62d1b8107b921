"""Runs that an older version of this library wrote go on, and newer ones are refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from sac.errors import CheckpointError
from sac.run import manifest
from sac.training import train as trainer
from sac.training.run_state import RunState
from sac.training.train import train
from tests.sac.tiny_runs import checkpoint_steps, tiny_config
from tests.sac.training.test_exact_resume import assert_same_runs, train_until_killed


def old_run(monkeypatch: pytest.MonkeyPatch, root: Path, changes: dict[str, Any]) -> Path:
    """Killed at step 45, with the whole replay in each checkpoint: format version 1."""
    with monkeypatch.context() as patch:
        patch.setattr(manifest, "FORMAT_VERSION", 1)
        patch.setattr(trainer, "DiskStorage", lambda: None)
        patch.setattr(RunState, "open_replay", lambda self, run_directory: None)
        train_until_killed(monkeypatch, 45, config=tiny_config(root, changes))
    (run,) = root.iterdir()
    return run


@pytest.mark.parametrize("buffer_size", [1000, 15])
def test_run_of_version_1_is_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, buffer_size: int
) -> None:
    changes = {"env": {"num_envs": 2}, "train": {"buffer_size": buffer_size}}
    undisturbed = train(tiny_config(tmp_path / "undisturbed", changes)).run_directory
    run = old_run(monkeypatch, tmp_path / "old", changes)
    assert not (run / "replay").exists()
    for step in (20, 40):
        folder = run / "checkpoints" / str(step)
        assert json.loads((folder / "manifest.json").read_bytes())["format_version"] == 1
        assert (folder / "replay.safetensors").is_file()
    train_until_killed(monkeypatch, 50, resume=run)
    train(resume=run)
    assert checkpoint_steps(run) == [20, 40, 60]
    assert (run / "checkpoints" / "60" / "replay.json").is_file()
    assert_same_runs(undisturbed, run)


def test_damaged_replay_of_version_1_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = old_run(monkeypatch, tmp_path, {})
    for step in ("0", "20", "40"):
        (run / "checkpoints" / step / "replay.safetensors").write_bytes(b"junk")
    with pytest.raises(CheckpointError, match=r"None of the 3 .*replay\.safetensors' is damaged"):
        train(resume=run)


def test_newer_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(manifest, "FORMAT_VERSION", 3)
        run = train(tiny_config(tmp_path)).run_directory
    with pytest.raises(
        CheckpointError, match=r"Expected checkpoint format version 1 or 2 .* got 3"
    ):
        train(resume=run, overrides={"train": {"total_steps": 70}})
