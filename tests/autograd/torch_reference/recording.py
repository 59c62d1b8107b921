"""How results are written down, read back and compared."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

REFERENCE = Path(__file__).with_name("reference.json")

# (relative, absolute): float64 is tight enough to notice a detour through float32.
TOLERANCES = {"float16": (1e-3, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-9, 1e-10)}
DIGITS = {"float16": 5, "float32": 7, "float64": 11}


def record(value: Any) -> Any:
    """A result as plain data: tensors with their values, dtype, shape and place in the graph."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float | np.floating):
        return float(value)
    if isinstance(value, np.ndarray):
        return {"array": value.tolist(), "dtype": str(value.dtype), "shape": list(value.shape)}
    if isinstance(value, dict):
        return {str(key): record(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [record(entry) for entry in value]
    if hasattr(value, "requires_grad"):
        return record_tensor(value)
    return str(value).rpartition(".")[2]  # a dtype or a device: without the name of the package


def record_tensor(tensor: Any) -> dict[str, Any]:
    """A tensor as its kind (dtype, shape, place in the graph) and its flat values."""
    dtype = str(tensor.dtype).rpartition(".")[2]
    kind = [dtype, str(list(tensor.shape))]
    if tensor.requires_grad:
        kind += ["requires_grad"]
    if not tensor.is_leaf:
        kind += ["not is_leaf"]
    if tensor.grad_fn is not None:
        kind += ["grad_fn"]
    values = tensor.detach().reshape(-1).tolist()
    if dtype in DIGITS:
        values = [float(f"{value:.{DIGITS[dtype]}g}") for value in values]
    return {"tensor": " ".join(kind), "values": values}


def differences(ours: Any, torchs: Any, where: str = "") -> Iterator[str]:
    """Where two recorded results differ: in anything but the last digits of floats."""
    if isinstance(ours, float) and isinstance(torchs, float):
        same = close(ours, torchs, "float32")
    elif isinstance(ours, dict) and isinstance(torchs, dict) and ours.keys() == torchs.keys():
        if "tensor" in torchs:
            same = same_tensor(ours, torchs)
        else:
            for key, entry in torchs.items():
                yield from differences(ours[key], entry, f"{where}[{key!r}]")
            return
    elif isinstance(ours, list) and isinstance(torchs, list) and len(ours) == len(torchs):
        for i, entry in enumerate(torchs):
            yield from differences(ours[i], entry, f"{where}[{i}]")
        return
    else:
        same = type(ours) is type(torchs) and ours == torchs
    if not same:
        yield f"{where or 'result'}: {ours}, but torch has {torchs}"


def same_tensor(ours: dict[str, Any], torchs: dict[str, Any]) -> bool:
    """Whether two recorded tensors are of one kind, with close values."""
    if ours["tensor"] != torchs["tensor"]:
        return False
    dtype = torchs["tensor"].split()[0]
    pairs = zip(ours["values"], torchs["values"], strict=True)
    return all(close(a, b, dtype) for a, b in pairs)


def close(ours: float, torchs: float, dtype: str) -> bool:
    """Whether two numbers agree as far as the dtype can tell."""
    if ours == torchs or (math.isnan(ours) and math.isnan(torchs)):
        return True
    relative, absolute = TOLERANCES.get(dtype, (0.0, 0.0))
    return math.isfinite(ours) and abs(ours - torchs) <= absolute + relative * abs(torchs)


def assert_same(ours: Any, torchs: Any) -> None:
    """Compare two results and tell all that differs."""
    found = list(differences(record(ours), torchs))
    assert not found, "\n".join([f"{len(found)} differences:", *found])


def write_reference(results: dict[str, Any], torch_version: str) -> None:
    """Write what torch answered, one case a line."""
    header = json.dumps({"torch": torch_version})
    compact = json.JSONEncoder(separators=(",", ":")).encode
    lines = (f"{compact(name)}:{compact(result)}" for name, result in results.items())
    REFERENCE.write_text(f'{{"made_with": {header},\n' + ",\n".join(lines) + "}\n")


def read_reference() -> dict[str, Any]:
    """What torch answered, by case."""
    results = json.loads(REFERENCE.read_text())
    del results["made_with"]
    return results
