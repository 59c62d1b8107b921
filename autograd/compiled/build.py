"""The kernels' machine code: compiled once for a text, a compiler and a processor, then kept."""

from __future__ import annotations

import atexit
import functools
import hashlib
import importlib.util
import os
import platform
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

from autograd.compiled.instructions import SOURCE

# No -ffast-math: a loss that is not finite must be seen. No contraction: the kernels say where a
# product is added in one rounding.
FLAGS = (
    "-O3", "-march=native", "-std=gnu11", "-ffp-contract=off", "-fno-math-errno",
    "-fno-trapping-math", "-fno-sanitize=undefined", "-shared", "-fPIC",
)  # fmt: skip
NAMES = ("cc", "gcc", "clang")
TIMEOUT = 120  # seconds


class BuildError(Exception):
    """The kernels can't be compiled here; the text says why, and what helps."""


def shared_library() -> Path:
    """Return the file with the compiled kernels, made if it is not there.

    It lies in a folder of the user that nobody else can write to. BuildError if it can't be made.
    """
    compiler = _compiler()
    text = SOURCE.read_bytes()
    key = "\0".join([*compiler, _version(compiler), *FLAGS, _processor()]).encode() + text
    name = f"kernels-{hashlib.sha256(key).hexdigest()[:32]}{_suffix()}"
    try:
        path = _folder() / name
        if not path.is_file():
            _compile(compiler, path)
    except OSError as error:
        raise BuildError(f"the compiled kernels can't be written: {error}") from None
    return path


@functools.cache
def compiler_name() -> str:
    """Return the compiler's name and version, in words."""
    return _version(_compiler())


def _compiler() -> list[str]:
    """Return the command of a C compiler: CC of the environment, the system's, or ziglang's."""
    if os.environ.get("CC"):
        return shlex.split(os.environ["CC"])
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is not None:
        return [found]
    if importlib.util.find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang", "cc"]
    raise BuildError("there is no C compiler: install one, such as gcc, or the extra 'fast'")


def _version(command: list[str]) -> str:
    return _run([*command, "--version"]).stdout.split("\n", 1)[0].strip() or command[0]


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"'{command[0]}' can't be run: {error}") from None
    if result.returncode:
        lines = (result.stderr or result.stdout).strip().splitlines() or ["no message"]
        message = next((line for line in lines if "error" in line), lines[0])
        raise BuildError(f"'{command[0]}' failed: {message:.300}")
    return result


def _processor() -> str:
    """Return what tells processors with other instructions apart."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()} {platform.node()}"
    wanted = ("flags", "Features", "model name", "CPU part")
    return "\n".join(sorted({line for line in lines if line.startswith(wanted)}))


def _suffix() -> str:
    return ".dll" if sys.platform == "win32" else ".so"


def _folder() -> Path:
    """Return the user's folder for kernels, or one of this process if there can't be one."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        base = {
            "win32": os.environ.get("LOCALAPPDATA", ""),
            "darwin": os.path.expanduser("~/Library/Caches"),
        }.get(sys.platform, os.path.expanduser("~/.cache"))
    folder = Path(base) / "sac-autograd"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.access(folder, os.W_OK) and _is_private(folder):
            return folder
    except OSError:
        pass
    return _temporary_folder()


@functools.cache
def _temporary_folder() -> Path:
    """Return a folder that is removed when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="sac-autograd-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _is_private(folder: Path) -> bool:
    """Whether a folder belongs to the user, and only the user can write to it."""
    if os.name != "posix":
        return True
    facts = folder.lstat()
    return (
        stat.S_ISDIR(facts.st_mode)
        and facts.st_uid == os.getuid()
        and not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )


def _compile(compiler: list[str], path: Path) -> None:
    """Compile into a file of another name first: neither a kill nor a power cut leaves a half."""
    handle, name = tempfile.mkstemp(prefix=".new-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    try:
        _run([*compiler, *FLAGS, str(SOURCE), "-o", name, "-lm", "-lpthread"])
        with open(name, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
