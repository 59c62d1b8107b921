"""Explanations of why an environment could not be made, and what to do."""

import contextlib
import difflib
import importlib
from collections.abc import Iterator
from importlib.util import find_spec

import gymnasium
from gymnasium import error as gymnasium_error

from sac.errors import EnvironmentSetupError, EnvironmentStepError, SACError, install_command, told

EXTRA_OF_PACKAGE = {
    "mujoco": "mujoco",
    "box2d": "box2d",
    "ale_py": "atari",
    "ale-py": "atari",
    "pygame": "classic-control",
}
MODULES = {"box2d": "Box2D", "ale-py": "ale_py"}  # where a package's name is another
ATARI_NAMESPACE = "ALE/"


@contextlib.contextmanager
def explained(env_id: str) -> Iterator[None]:
    """Turn every error while `env_id` is made into an EnvironmentSetupError."""
    try:
        yield
    except SACError:
        raise
    except Exception as error:
        raise EnvironmentSetupError(_explain(env_id, error)) from error


@contextlib.contextmanager
def going_on(name: str) -> Iterator[None]:
    """Turn every error of a reset for a saved episode into one that says what can be done."""
    try:
        yield
    except SACError:
        raise
    except Exception as error:
        raise EnvironmentStepError(
            f"{name} failed in a reset, before a saved episode could be gone on with: "
            f"{told(error)}. Mend the environment; or start a new run with the "
            "weights of this one, by --train.init_from <run>"
        ) from error


def _explain(env_id: str, error: Exception) -> str:
    name = env_id.rpartition(":")[2]
    match error:
        case gymnasium_error.NamespaceNotFound() if name.startswith(ATARI_NAMESPACE):
            command = install_command("atari")
            return f"env.id: {env_id!r} needs a package that is not installed: {command}"
        case gymnasium_error.DeprecatedEnv():
            return f"env.id: {error}"
        case gymnasium_error.UnregisteredEnv():
            return f"env.id: unknown environment {env_id!r}{_nearest(name)}"
        case gymnasium_error.DependencyNotInstalled() | ModuleNotFoundError():
            return f"the environment {env_id!r} needs a package that {how(error)}"
        case TypeError() if "was raised from the environment creator" in str(error):
            return f"env.kwargs: {error}"
        case EOFError() | OSError():
            return (
                f"an async worker ended while it made {env_id!r}; its own message is printed above "
                "(a script that starts workers needs `if __name__ == '__main__':` around its start)"
            )
    return f"cannot make the environment {env_id!r}: {told(error)}"


def _nearest(name: str) -> str:
    known = {known_id.lower(): known_id for known_id in gymnasium.registry}
    nearest = [known[match] for match in difflib.get_close_matches(name.lower(), known, n=3)]
    if not nearest:
        return ": write module:EnvId if a module of yours registers it"
    return f"; the nearest names are {', '.join(nearest)}"


def how(error: Exception) -> str:
    """Return how a package that an environment needs is missing, and the command for it."""
    text = f"{getattr(error, 'name', None)} {error}".lower()
    for package, extra in EXTRA_OF_PACKAGE.items():
        if package in text:
            reason = _import_failure(package)
            if reason is not None:
                return f"is installed, but can't be imported: {reason}"
            return f"is not installed: {install_command(extra)}"
    return f"is not installed ({error})"


def _import_failure(package: str) -> str | None:
    """Return why a package that is there can't be imported; None if it is not, or it can be.

    Gymnasium calls such a one not installed, and MuJoCo's own message has the cure of its split
    into several packages, which an upgrade from 3.x leaves incomplete.
    """
    name = MODULES.get(package, package)
    try:
        if find_spec(name) is None:
            return None
        importlib.import_module(name)
    except Exception as error:  # whatever a package may raise
        return told(error)
    return None
