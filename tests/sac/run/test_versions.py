"""A run records the versions that it began with, and says on a resume which of them changed."""

import json
import platform
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from sac.run import versions
from sac.run.versions import changed_versions, current_versions
from sac.training.train import train
from tests.sac.tiny_runs import tiny_config

MORE = {"train": {"total_steps": 80}}


def recorded(run: Path) -> dict[str, Any]:
    return json.loads((run / "versions.json").read_bytes())


def test_run_records_what_it_began_with(tmp_path: Path) -> None:
    run = train(tiny_config(tmp_path)).run_directory
    found = recorded(run)
    assert found["python"] == platform.python_version()
    assert found["numpy"] == np.__version__
    assert found["gymnasium"] == gymnasium.__version__
    assert found["blas"]
    if platform.libc_ver()[0] == "glibc":
        assert found["libc"] == " ".join(platform.libc_ver())
    manifest = json.loads((run / "checkpoints" / "60" / "manifest.json").read_bytes())
    assert manifest["versions"] == found


def test_resume_says_what_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = train(tiny_config(tmp_path)).run_directory
    began = recorded(run) | {"numpy": "1.26.4", "blas": "mkl 2024.1"}
    (run / "versions.json").write_text(json.dumps(began))
    train(resume=run, overrides=MORE)
    text = " ".join(capsys.readouterr().out.split())
    assert f"numpy 1.26.4 -> {np.__version__}" in text
    assert f"blas mkl 2024.1 -> {current_versions()['blas']}" in text
    assert "may differ in their bits" in text
    assert "python" not in text.partition("versions changed")[2].partition(";")[0]
    assert recorded(run) == began


def test_resume_with_the_same_versions_says_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = train(tiny_config(tmp_path)).run_directory
    train(resume=run, overrides=MORE)
    assert "versions changed" not in capsys.readouterr().out


def test_versions_in_between_are_said_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "current_versions", lambda _: {"numpy": "2.0", "python": "3.13"})
    (tmp_path / "versions.json").write_text('{"numpy": "2.0", "python": "3.11"}')
    (note,) = changed_versions(tmp_path, {"numpy": "2.5", "python": "3.13"})
    assert "numpy 2.0 -> 2.5 -> 2.0, python 3.11 -> 3.13;" in note


@pytest.mark.parametrize("content", [None, "{", "[]", '{"numpy": 3}', '{"numpy": "\\u001b[2J"}'])
def test_record_that_says_nothing_is_no_hindrance(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "versions.json").write_text(content)
    assert changed_versions(tmp_path, {}) == []
    assert len(changed_versions(tmp_path, {"numpy": "1.0"})) == 1


def test_physics_engine_is_recorded_where_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "_installed", lambda library: "3.2")
    monkeypatch.setitem(sys.modules, "mujoco", sys)
    monkeypatch.delitem(sys.modules, "Box2D", raising=False)
    assert current_versions()["mujoco"] == "3.2"
    assert "box2d" not in current_versions()


def test_blas_is_told_without_threadpoolctl_knowing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("threadpoolctl.threadpool_info", lambda: [])
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    assert versions._blas.__wrapped__() == f"{built['name']} {built['version']}"


def test_blas_is_numpys_whichever_is_listed_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel of opencv-python-headless 5.0.0 brings an OpenBLAS of its own, 0.3.15.

    Once something has imported it, threadpoolctl 3.8 lists it before that of NumPy 2.4.
    """
    folder = Path(np.__file__).parent

    def library(path: Path, version: str) -> dict[str, str]:
        kind = {"user_api": "blas", "internal_api": "openblas", "architecture": "Zen"}
        return {**kind, "filepath": str(path), "version": version}

    theirs = library(folder.parent / "opencv_python_headless.libs" / "b.so", "0.3.15")
    for own in (folder.parent / "numpy.libs" / "a.so", folder / ".dylibs" / "a.dylib"):
        listed = [theirs, library(own, "0.3.31")]
        monkeypatch.setattr("threadpoolctl.threadpool_info", lambda listed=listed: listed)
        assert versions._blas.__wrapped__() == "openblas 0.3.31 Zen"
    monkeypatch.setattr("threadpoolctl.threadpool_info", lambda: [theirs])  # shared by both
    assert versions._blas.__wrapped__() == "openblas 0.3.15 Zen"
