"""Places that a user names, looked at before the work: to read from, or for what it results in."""

import os
import stat
from pathlib import Path

from sac.errors import ConfigError


def folder_fault(path: Path) -> str | None:
    """Return why a path leads to no folder, as the end of a sentence; None if it does."""
    try:
        is_folder = stat.S_ISDIR(os.stat(path).st_mode)
    except PermissionError:
        return "is in a folder without permission to look into"
    except (OSError, ValueError):  # such as a name that is too long, or has a null byte
        return "does not exist"
    return None if is_folder else "is not a folder"


def check_place(path: Path, option: str) -> None:
    """Raise ConfigError, which names the option, where nothing can be made at `path`."""
    folder = path.absolute().parent
    if not folder.is_dir():
        raise ConfigError(f"{option}: the folder '{path.parent}' does not exist")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(
            f"{option}: expected a place in a folder that you may write to, got '{path}'"
        )


def check_file_place(path: Path, option: str) -> None:
    """Raise ConfigError, which names the option, where no file can be made at `path`."""
    check_place(path, option)
    if path.is_dir():
        raise ConfigError(f"{option}: expected the name of a file, got the folder '{path}'")
