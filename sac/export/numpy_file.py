"""A policy as one safetensors file, with its layers in the metadata."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from sac.disk.encoding import encode_tensors
from sac.export.layers import Policy
from sac.export.reader import NumpyPolicy

VERSION = 1


def encode(policy: Policy) -> bytes:
    """Return the bytes of a safetensors file, for `sac/export/reader.py`."""
    tensors: dict[str, NDArray[Any]] = {}
    layers = []
    for i, layer in enumerate(policy.layers):
        own = {f"{i}.{name}": array for name, array in layer.arrays.items()}
        layers.append({"kind": layer.kind, "tensors": list(own)})
        tensors |= own
    about = {
        "version": VERSION,
        "layers": layers,
        "observation": {
            "shape": policy.observation_shape,
            "dtype": policy.observation_dtype.name,
            "space": policy.spaces["observation"],
        },
        "action": {
            "shape": policy.action_shape,
            "dtype": policy.action_dtype.name,
            "space": policy.spaces["action"],
        },
    }
    return encode_tensors(tensors, {"policy": json.dumps(about)})


def runner(data: bytes) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return the function from observations to actions in the bytes of a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy.safetensors"
        path.write_bytes(data)
        return NumpyPolicy(path)
