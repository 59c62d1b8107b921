"""Recognises the runs of this user on this machine, by a signature under a key of the user's own.

Some configurations name code: modules to import, wrappers to call. A run signs what it names, so
that its own user need not say again that it may run. The key never leaves the user's folder: a run
from elsewhere carries no signature that fits, nor does one whose environment has been edited.
"""

import hashlib
import hmac
import os
import secrets
import sys
import tempfile
from contextlib import suppress
from importlib.machinery import PathFinder
from pathlib import Path

from sac.config import EnvConfig
from sac.config.keys import to_plain
from sac.config.yaml_text import dump_yaml
from sac.disk.files import replace_file
from sac.run.layout import SIGNATURE_FILE
from sac.run.rules import cluster_of, imports_of, names_code

KEY_BYTES = 32


def sign(run_directory: Path, env: EnvConfig) -> None:
    """Let `is_own` recognise a run whose environment names code, if that is possible."""
    if names_code(env) and (key := _key()) is not None:
        with suppress(OSError):  # without a signature, --trust is needed, and nothing is lost
            replace_file(run_directory / SIGNATURE_FILE, _signature(key, env).encode())


def is_own(folder: Path, env: EnvConfig) -> bool:
    """Return whether a run, or the run around a checkpoint, was signed for this environment."""
    folder = folder.resolve()
    files = [run / SIGNATURE_FILE for run in (folder, *folder.parents[:2])]
    path = next((file for file in files if file.is_file()), None)
    key = None if path is None else _key()
    if path is None or key is None:
        return False
    expected, found = _signature(key, env).encode(), b""
    with suppress(OSError), open(path, "rb") as file:
        found = file.read(len(expected) + 1)
    return hmac.compare_digest(found, expected)


def needs_trust(run_directory: Path, env: EnvConfig) -> bool:
    """Return whether a command on a run has to be given --trust."""
    return names_code(env) and not is_own(run_directory, env)


def _signature(key: bytes, env: EnvConfig) -> str:
    """Return the signature of the code that is run, of where it lies and of what it is given."""
    paths = [env.id, *(wrapper.class_path for wrapper in env.wrappers), *imports_of(env)]
    places = [_place(path.replace(":", ".").partition(".")[0]) for path in paths]
    named = {"id": env.id, "kwargs": env.kwargs, "wrappers": env.wrappers, "places": places}
    if address := cluster_of(env):
        named["ray_address"] = address
    return hmac.new(key, dump_yaml(to_plain(named)).encode(), hashlib.sha256).hexdigest()


def _place(module: str) -> str:
    """Return where a top-level module would be imported from, without importing it; or "".

    A stranger's folder may hold another module of that name beside a copied signature.
    """
    spec = PathFinder.find_spec(module, [*sys.path, os.getcwd()])
    return "" if spec is None else str(spec.origin or list(spec.submodule_search_locations or []))


def _key() -> bytes | None:
    """Return the user's key, made when it is first needed; None if nobody else must not read it."""
    try:
        path = _key_path()
        if not path.exists():
            _make_key(path)
        with open(path, "rb") as file:
            status, key = os.fstat(file.fileno()), file.read()
    except (OSError, RuntimeError):  # RuntimeError: the user has no home
        return None
    is_private = os.name != "posix" or (status.st_uid == os.getuid() and not status.st_mode & 0o077)
    return key if is_private and len(key) == KEY_BYTES else None


def _key_path() -> Path:
    for variable in ("XDG_DATA_HOME", "LOCALAPPDATA"):
        folder = os.environ.get(variable, "")
        if os.path.isabs(folder):
            return Path(folder) / "sac" / "key"
    return Path.home() / ".local" / "share" / "sac" / "key"


def _make_key(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent) as file:  # which only its owner can read
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        with suppress(FileExistsError):  # another process was first, and its key counts
            os.link(file.name, path)
