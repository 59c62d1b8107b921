"""Which runs are recognised as this user's own, and which are not."""

import os
import shutil
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from sac.config import EnvConfig, WrapperConfig
from sac.run.origin import is_own, needs_trust, sign

SIGNED = EnvConfig(
    "tests.sac.tiny_runs:Env-v0",
    {"g": 9.8, "names": ["a", "b"]},
    wrappers=[WrapperConfig("tests.sac.environments_for_tests.TimesTen", {"offset": 1.0})],
)
OTHERS = {
    "id": replace(SIGNED, id="tests.sac.tiny_runs:Other-v0"),
    "arguments": replace(SIGNED, kwargs={**SIGNED.kwargs, "g": 9.81}),
    "wrapper": replace(SIGNED, wrappers=[WrapperConfig("os.system")]),
    "no wrapper": replace(SIGNED, wrappers=[]),
    "arguments of a wrapper": replace(
        SIGNED, wrappers=[replace(SIGNED.wrappers[0], kwargs={"offset": 2.0})]
    ),
}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's data."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def run(data: Path, tmp_path: Path) -> Path:
    """A folder of a run that the user has signed."""
    folder = tmp_path / "run"
    (folder / "checkpoints" / "5").mkdir(parents=True)
    sign(folder, SIGNED)
    return folder


def test_signed_run_is_recognised_as_often_as_it_is_signed_and_wherever_it_lies(run: Path) -> None:
    sign(run, SIGNED)
    assert is_own(run, SIGNED) and not needs_trust(run, SIGNED)
    assert is_own(run / "checkpoints" / "5", SIGNED) and is_own(run / "checkpoints", SIGNED)
    moved = Path(shutil.copytree(run, run.parent / "elsewhere" / "run"))
    assert is_own(moved, SIGNED)


@pytest.mark.parametrize("env", OTHERS.values(), ids=OTHERS)
def test_signature_is_for_what_was_run(run: Path, env: EnvConfig) -> None:
    assert not is_own(run, env) and needs_trust(run, env)


def test_imports_in_arguments_alone_are_signed_too(data: Path, tmp_path: Path) -> None:
    env = EnvConfig("CartPole-v1", {"f": {"$import": "tests.sac.tiny_runs.tiny_config"}})
    assert needs_trust(tmp_path, env)
    sign(tmp_path, env)
    assert is_own(tmp_path, env) and not needs_trust(tmp_path, env)
    assert not is_own(tmp_path, replace(env, kwargs={"f": {"$import": "os.system"}}))


def test_signature_of_somebody_else(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(run.parent / "another user"))
    assert not is_own(run, SIGNED)
    sign(run, SIGNED)
    assert is_own(run, SIGNED)


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, b"0" * 64, b"\0" * 10**6])
def test_what_is_no_signature(run: Path, content: bytes) -> None:
    (run / "signature").write_bytes(content)
    assert not is_own(run, SIGNED)
    (run / "signature").unlink()
    assert not is_own(run, SIGNED)


def test_module_of_the_same_name_elsewhere(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for owner in ("own", "strange"):
        (tmp_path / owner).mkdir()
        (tmp_path / owner / "envs_of_a_user.py").write_text("raise AssertionError('imported')")
    env = EnvConfig("envs_of_a_user:Env-v0")
    monkeypatch.chdir(tmp_path / "own")
    sign(tmp_path, env)
    assert is_own(tmp_path, env)
    monkeypatch.chdir(tmp_path / "strange")
    assert not is_own(tmp_path, env)
    monkeypatch.syspath_prepend(tmp_path / "own")
    assert is_own(tmp_path, env)


def test_run_that_names_no_code_needs_neither_signature_nor_key(data: Path, tmp_path: Path) -> None:
    env = EnvConfig("CartPole-v1", wrappers=[WrapperConfig("gymnasium.wrappers.RescaleAction")])
    sign(tmp_path, env)
    assert not needs_trust(tmp_path, env)
    assert list(tmp_path.iterdir()) == []


def test_run_that_cannot_be_signed_goes_on(data: Path, tmp_path: Path) -> None:
    (tmp_path / "signature").mkdir()
    sign(tmp_path, SIGNED)
    assert not is_own(tmp_path, SIGNED) and needs_trust(tmp_path, SIGNED)


# The key.


@pytest.mark.skipif(os.name != "posix", reason="only there files have such modes")
def test_key_is_for_its_owner_alone_and_not_in_the_run(run: Path, data: Path) -> None:
    key = data / "sac" / "key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert list(key.parent.iterdir()) == [key], "nothing unfinished is left"
    secret = key.read_bytes()
    for file in filter(Path.is_file, run.rglob("*")):
        assert secret not in file.read_bytes() and secret.hex() not in file.read_text()
    key.chmod(0o640)  # others may know it now
    assert not is_own(run, SIGNED)


@pytest.mark.parametrize("content", [b"", b"short"])
def test_key_that_could_be_guessed_is_none(run: Path, data: Path, content: bytes) -> None:
    (data / "sac" / "key").write_bytes(content)
    (run / "signature").unlink()
    sign(run, SIGNED)
    assert not (run / "signature").exists() and not is_own(run, SIGNED)


def test_without_a_place_for_a_key_nothing_is_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/dev/null")
    sign(tmp_path, SIGNED)
    assert list(tmp_path.iterdir()) == [] and needs_trust(tmp_path, SIGNED)


def test_runs_that_begin_at_once_share_one_key(data: Path, tmp_path: Path) -> None:
    folders = [tmp_path / str(i) for i in range(8)]
    barrier = threading.Barrier(len(folders))

    def begin(folder: Path) -> None:
        folder.mkdir()
        barrier.wait()
        sign(folder, SIGNED)

    with ThreadPoolExecutor(len(folders)) as threads:
        list(threads.map(begin, folders))
    assert all(is_own(folder, SIGNED) for folder in folders)
