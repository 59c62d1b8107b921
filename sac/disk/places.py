"""Where a user lets something be written: looked at before the work whose result it is."""

import os
from pathlib import Path

from sac.errors import ConfigError


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
