"""The versions that a run's numbers depend on, and which of them changed when it is resumed."""

import importlib.metadata
import os
import platform
import sys
from collections.abc import Mapping
from functools import cache
from itertools import groupby
from pathlib import Path

import numpy as np

from sac.disk.encoding import read_document
from sac.errors import CheckpointError
from sac.run.layout import VERSIONS_FILE

LIBRARIES = ("sac-autograd", "numpy", "gymnasium")
# Module and distribution of what moves an environment: recorded once the module is imported.
ENGINES = (("mujoco", "mujoco"), ("Box2D", "box2d"), ("Box2D", "box2d-py"), ("ale_py", "ale-py"))
MAX_LENGTH = 100  # of a version that is read from a file


def current_versions(updates: str | None = None) -> dict[str, str]:
    """Return the version of everything whose change may change a run's numbers, by name.

    `updates`: what they run in, such as a compiler's code; None if there are none.
    """
    libraries = [*LIBRARIES, *(name for module, name in ENGINES if module in sys.modules)]
    versions = {
        "python": platform.python_version(),
        "libc": _libc(),
        "blas": _blas(),
        "updates": updates,
        **{name: _installed(name) for name in libraries},
    }
    return {name: version for name, version in versions.items() if version is not None}


def changed_versions(
    run_directory: Path, of_checkpoint: Mapping[str, str], updates: str | None = None
) -> list[str]:
    """Say which versions a resumed run began with, or was saved with, that are others now.

    Nothing is said of what was not recorded, as in a run of an older version of this library.
    """
    began = _read(run_directory / VERSIONS_FILE)
    changes = []
    for name, now in current_versions(updates).items():
        stages = [versions[name] for versions in (began, _plain(of_checkpoint)) if name in versions]
        if any(version != now for version in stages):
            changes.append(f"{name} {' -> '.join(part for part, _ in groupby([*stages, now]))}")
    if not changes:
        return []
    return [
        f"versions changed since the run began: {', '.join(changes)}; from here on its numbers may "
        "differ in their bits from those of a run that kept its versions"
    ]


@cache
def _installed(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:  # such as a checkout that is not installed
        return None


def _libc() -> str | None:
    """Return the GNU C library's version: its sines, which environments use, differ by version."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, ValueError):  # another C library
        return None


@cache
def _blas() -> str:
    """Return NumPy's BLAS, its version and, where it says so, the processor it computes for."""
    from threadpoolctl import threadpool_info  # here, to keep `import sac` quick

    found = [library for library in threadpool_info() if library["user_api"] == "blas"]
    if found:
        # Others bring one of their own, such as OpenCV's wheels, and it may be listed first.
        beside = str(Path(np.__file__).parent)  # a wheel's lies in numpy.libs or numpy/.dylibs
        library = next((each for each in found if each["filepath"].startswith(beside)), found[0])
        words = (library["internal_api"], library["version"], library.get("architecture"))
        return " ".join(word for word in words if word)
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]  # such as Accelerate
    return f"{built['name']} {built['version']}"


def _read(path: Path) -> dict[str, str]:
    try:
        return _plain(read_document(path))
    except CheckpointError:  # missing or damaged: no reason not to go on
        return {}


def _plain(versions: Mapping[str, object]) -> dict[str, str]:
    """Return what may be shown on a terminal: the file may be somebody else's."""
    return {
        name: version
        for name, version in versions.items()
        if isinstance(version, str) and version.isprintable() and len(version) <= MAX_LENGTH
    }
