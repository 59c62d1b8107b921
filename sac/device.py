"""From a device's name in a configuration to the device, or a clear error."""

import autograd as torch
from sac.errors import DeviceError


def resolve_device(name: str) -> torch.device:
    """Return the device called auto, cpu, cuda or cuda:N; DeviceError where it is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise DeviceError(
            f"device: expected one that this machine has, got {name}, and no GPU can be used here; "
            "set device: cpu, or auto"
        )
    return device
