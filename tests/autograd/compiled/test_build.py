"""Where the kernels' machine code lies, and what happens where it can't be made."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograd.compiled import BuildError, build, library, load
from autograd.compiled.build import FLAGS, shared_library

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the compilers here are shell scripts")

Make = Callable[..., Path]
# Writes the file after -o in two halves; `calls` counts.
COMPILER = """#!/bin/sh
if [ "$1" = --version ]; then echo "{version}"; exit 0; fi
echo >> "{folder}/calls"
while [ "$1" != -o ]; do shift; done
printf half > "$2"; {between}
printf whole > "$2"
"""


@pytest.fixture
def make_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Let CC be a script that takes the place of a compiler; the cache is in `tmp_path`."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    build._temporary_folder.cache_clear()

    def make(between: str = "", version: str = "cc 1.0") -> Path:
        script = tmp_path / "compiler"
        script.write_text(COMPILER.format(folder=tmp_path, between=between, version=version))
        script.chmod(0o700)
        monkeypatch.setenv("CC", str(script))
        return tmp_path

    return make


def calls(tmp_path: Path) -> int:
    path = tmp_path / "calls"
    return len(path.read_text().splitlines()) if path.exists() else 0


def kept(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "cache").rglob("*") if path.is_file())


def test_kernels_are_compiled_once_into_a_private_folder(make_compiler: Make) -> None:
    tmp_path = make_compiler()
    path = shared_library()
    assert path.parent == tmp_path / "cache" / "sac-autograd"
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.read_text() == "whole" and kept(tmp_path) == [path.name]
    assert shared_library() == path and calls(tmp_path) == 1


def test_other_compilers_flags_and_processors_have_files_of_their_own(
    make_compiler: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_compiler()
    paths = {shared_library()}
    monkeypatch.setattr(build, "FLAGS", (*FLAGS, "-g"))
    paths.add(shared_library())
    make_compiler(version="cc 2.0")
    paths.add(shared_library())
    monkeypatch.setattr(build, "_processor", lambda: "another")
    paths.add(shared_library())
    assert len(paths) == 4


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_folder_that_others_can_write_to_is_not_used(make_compiler: Make, mode: int) -> None:
    tmp_path = make_compiler()
    folder = tmp_path / "cache" / "sac-autograd"
    folder.mkdir(parents=True)
    folder.chmod(mode)
    path = shared_library()
    assert not list(folder.iterdir())
    assert path.read_text() == "whole" and path.parent.stat().st_mode & 0o777 == 0o700


def test_link_to_a_folder_is_not_used(make_compiler: Make) -> None:
    tmp_path = make_compiler()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "sac-autograd").symlink_to(tmp_path / "elsewhere")
    assert shared_library().read_text() == "whole"
    assert not list((tmp_path / "elsewhere").iterdir())


def test_path_of_the_cache_must_be_absolute(
    make_compiler: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path = make_compiler()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    monkeypatch.setattr(sys, "platform", "linux")
    assert shared_library().parent == tmp_path / "home" / ".cache" / "sac-autograd"


@pytest.mark.parametrize(
    ("between", "message"),
    [
        ("echo 'no such flag' >&2; echo more >&2; exit 1", "failed: no such flag$"),
        ("echo 'k.c: In f:' >&2; echo 'k.c: error: x' >&2; exit 1", "failed: k.c: error: x$"),
        ("kill -9 $$", "failed: no message"),
    ],
    ids=["text", "error", "killed"],
)
def test_compiler_that_fails_is_told_and_leaves_no_half(
    make_compiler: Make, between: str, message: str
) -> None:
    tmp_path = make_compiler(between)
    with pytest.raises(BuildError, match=message):
        shared_library()
    assert kept(tmp_path) == []
    make_compiler()
    assert shared_library().read_text() == "whole"


def test_half_that_a_killed_process_left_is_not_used(make_compiler: Make) -> None:
    tmp_path = make_compiler()
    folder = tmp_path / "cache" / "sac-autograd"
    folder.mkdir(parents=True, mode=0o700)
    (folder / ".new-1.so").write_text("half")
    assert shared_library().read_text() == "whole"


def test_interrupt_leaves_no_half(make_compiler: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path = make_compiler()
    run = build._run

    def interrupted(command: list[str]) -> Any:
        result = run(command)
        if "--version" not in command:
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(build, "_run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        shared_library()
    assert kept(tmp_path) == []


def test_two_processes_at_once(make_compiler: Make) -> None:
    """Each compiles a file of its own while the other does; both find a whole one."""
    meet = 'touch "{0}/$$.here"; while [ $(ls "{0}" | grep -c here) -lt 2 ]; do sleep 0.01; done'
    tmp_path = make_compiler()
    make_compiler(meet.format(tmp_path))
    code = "from autograd.compiled.build import shared_library; print(shared_library().read_text())"
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [process.communicate()[0] for process in processes] == ["whole\n", "whole\n"]
    assert calls(tmp_path) == 2 and len(kept(tmp_path)) == 1


def test_no_compiler_at_all_says_what_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(BuildError, match=r"no C compiler: install one, such as gcc, or .*'fast'"):
        shared_library()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name == "ziglang" or None)
    assert build._compiler() == [sys.executable, "-m", "ziglang", "cc"]


def test_compiler_that_is_not_there_is_told(
    make_compiler: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_compiler()
    monkeypatch.setenv("CC", "/nowhere/cc -m64")
    with pytest.raises(BuildError, match="'/nowhere/cc' can't be run"):
        shared_library()


@pytest.mark.parametrize("function", ["mkstemp", "mkdtemp"])
def test_disk_that_is_full_is_told(
    make_compiler: Make, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    tmp_path = make_compiler()
    if function == "mkdtemp":
        (tmp_path / "cache").write_text("a file in the folder's place")

    def full(*args: Any, **kwargs: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build.tempfile, function, full)
    with pytest.raises(BuildError, match=r"can't be written: .*No space left on device"):
        shared_library()


def test_file_that_is_no_library_is_told(
    make_compiler: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_compiler()
    monkeypatch.setattr(library, "shared_library", shared_library)
    with pytest.raises(BuildError, match="can't be loaded"):
        load.__wrapped__()


def test_numbers_that_are_not_finite_are_seen() -> None:
    assert not {"-ffast-math", "-Ofast", "-ffinite-math-only"} & set(FLAGS)
