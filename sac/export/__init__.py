"""Export of a trained policy to one file: ONNX, or safetensors for NumPy alone."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from sac.agent.agent import SACAgent
from sac.disk.files import replace_file
from sac.disk.places import check_file_place
from sac.errors import ConfigError, SACError, install_command
from sac.export.agreement import OBSERVATIONS, check
from sac.export.layers import Policy
from sac.run.checkpoint import find_checkpoint, is_checkpoint

__all__ = ["FORMATS", "Exported", "export"]

FORMATS = {"onnx": "onnx_file", "numpy": "numpy_file"}  # modules that write and run each
FORMAT_OF_ENDING = {".onnx": "onnx", ".safetensors": "numpy"}


@dataclass(frozen=True)
class Exported:
    """An exported file, and its largest difference from the agent."""

    output: Path
    checkpoint: Path
    policy: Policy
    largest_difference: float

    def __str__(self) -> str:
        """Return a description in words."""
        policy = self.policy
        flattened = ", as gymnasium.spaces.flatten makes it" if policy.is_encoded else ""
        return (
            f"{self.output}: the deterministic policy of {self.checkpoint}, which on "
            f"{OBSERVATIONS} random observations differs from the agent by at most "
            f"{self.largest_difference:.1e}\n"
            f"observation: {policy.observation_dtype} {_shape(policy.observation_shape)}"
            f"{flattened}\n"
            f"action: {policy.action_dtype} {_shape(policy.action_shape)}"
        )


def export(
    path: str | Path,
    output: str | Path,
    *,
    checkpoint: str | int = "best",
    format: str | None = None,
) -> Exported:
    """Write the deterministic policy of a run to one file, after comparing it with the agent.

    The file includes normalisation, squashing, scaling to the environment's bounds and the choice
    of a discrete action. `checkpoint` is "best", "last" or a step of the run directory `path`.
    `format` is "onnx" or "numpy"; by default, the ending of `output`, which is replaced, decides.

    SACError if there is no such policy, the file can't be written, onnx or onnxruntime is not
    installed, or the file's actions are not the agent's.
    """
    output = Path(output)
    writer = _writer(_format(output, format))
    folder = find_checkpoint(path, checkpoint)
    agent = SACAgent.load(folder)
    policy = Policy.of(agent)
    data = writer.encode(policy)
    largest_difference = check(writer.runner(data), agent, policy)
    try:
        replace_file(output, data)
    except OSError as error:
        raise SACError(f"Can't write '{output}': {error.strerror}.") from error
    return Exported(output, folder, policy, largest_difference)


def _writer(format: str) -> Any:
    """Return the module of a format; SACError if what it needs is not installed."""
    try:
        return import_module(f"sac.export.{FORMATS[format]}")
    except ModuleNotFoundError as error:
        raise SACError(
            f"an ONNX file needs {error.name}, which is not installed: "
            f"{install_command('onnx')} (or give --format numpy, which needs nothing more)"
        ) from None


def _format(output: Path, format: str | None) -> str:
    if format is None:
        format = FORMAT_OF_ENDING.get(output.suffix.lower())
        if format is None:
            raise ConfigError(
                f"--output: expected a name that ends in {' or '.join(FORMAT_OF_ENDING)}, or "
                f"--format, got '{output}'"
            )
    if format not in FORMATS:
        raise ConfigError(f"--format: expected {' or '.join(FORMATS)}, got '{format}'")
    check_file_place(output, "--output")
    if is_checkpoint(output.absolute().parent):
        raise ConfigError(
            f"--output: expected a file outside of checkpoints, which are replaced and removed as "
            f"a whole, got '{output}': give one beside them, such as in the run's own folder"
        )
    return format


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(['batch', *map(str, shape)])})"
