"""Checkpoints of another format than this version's are refused."""

from pathlib import Path

import pytest

from sac.errors import CheckpointError
from sac.run import manifest
from sac.training.train import train
from tests.sac.tiny_runs import tiny_config


@pytest.mark.parametrize("version", [1, 2, 4])
def test_another_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(manifest, "FORMAT_VERSION", version)
        run = train(tiny_config(tmp_path)).run_directory
    message = rf"Expected checkpoint format version 3 in .* got {version}\. Read it with"
    with pytest.raises(CheckpointError, match=message):
        train(resume=run, overrides={"train": {"total_steps": 70}})
