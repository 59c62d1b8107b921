"""The device of a name in the configuration, or a clear error."""

import autograd as torch
from sac.errors import DeviceError


def resolve_device(name: str) -> torch.device:
    """Return the device called auto, cpu, cuda or cuda:N; DeviceError if it is missing."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError) as error:
        text = f"device: expected auto, cpu, cuda or cuda:N, got {name!r}"
        raise DeviceError(text) from error
    if device.type == "cpu":
        return device
    if not torch.cuda.is_available():
        raise DeviceError(
            f"device: expected one that this machine has, got {name}, and no GPU can be used here: "
            f"{_missing()}; or set device: cpu, or auto"
        )
    count = torch.cuda.device_count()
    if device.index is not None and device.index >= count:
        raise DeviceError(
            f"device: expected one that this machine has, got {name}, and the last one is "
            f"cuda:{count - 1}"
        )
    return device


def fallback_note(name: str) -> list[str]:
    """Return a note that says why `auto` uses the CPU, if it does."""
    if name != "auto" or torch.cuda.is_available():
        return []
    reason, _, _ = _missing().partition(";")
    return [f"device: auto is the CPU here, as {reason}"]


def _missing() -> str:
    """Return why no GPU can be used."""
    try:
        torch.cuda.current_device()
    except (AssertionError, RuntimeError) as error:
        # autograd's message begins with torch's.
        return str(error).partition(": ")[2] or str(error)
    return "none is available"
