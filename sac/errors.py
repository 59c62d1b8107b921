"""Errors for the user: the command line prints the message alone and exits with 2."""

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NAME = "sac-autograd"  # among installed packages


class SACError(Exception):
    """An error to put right; the message says what was expected, what came and what to do."""


class ConfigError(SACError):
    """A configuration file, key, value or command line that cannot be used."""


class SpaceError(SACError):
    """An observation or action space that the agent does not support."""


class EnvironmentSetupError(SACError):
    """An environment that is unknown, cannot be made, or lacks an installed extra."""


class CheckpointError(SACError):
    """A run or checkpoint that is missing, damaged or does not fit."""


class DiskError(CheckpointError):
    """A disk that is full, or a folder of a run that is gone or can't be written to."""


class UnreadableError(DiskError):
    """A file that is there and can't be read now, for want of permission or of the network.

    It need not be damaged: what it belongs to is neither replaced nor given up.
    """


class DeviceError(SACError):
    """A device that does not exist on this machine."""


class EnvironmentStepError(SACError):
    """An environment that failed, died, hung or gave an impossible number while it ran."""


class WorkerLostError(EnvironmentStepError):
    """An environment whose process died or hung: a new process may well work."""


class DivergenceError(SACError):
    """A training in which a number is no longer finite.

    `quantity` says which number, `update` in which update (from 1), if it was in one, and
    `evidence` holds the arrays around it by name.
    """

    def __init__(
        self,
        message: str,
        *,
        quantity: str = "a number",
        update: int | None = None,
        evidence: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.quantity = quantity
        self.update = update
        self.evidence = {} if evidence is None else dict(evidence)


class NotFiniteError(DivergenceError, EnvironmentStepError):
    """An environment, or the policy that acts in it, gave a number that is not finite."""


def told(error: BaseException) -> str:
    """Return kind and message of an error in one line; without a message, where it was raised."""
    kind, message = type(error).__name__, " ".join(str(error).split())
    if message or error.__traceback__ is None:
        return f"{kind}: {message}"
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{kind} in {Path(last.filename).name}, line {last.lineno}: {last.line}"


def install_command(extra: str) -> str:
    """Return the command that installs one of this project's extras, in a checkout or elsewhere."""
    is_checkout = (Path(__file__).parents[1] / "pyproject.toml").is_file()
    return f'pip install -e ".[{extra}]"' if is_checkout else f'pip install "{NAME}[{extra}]"'
