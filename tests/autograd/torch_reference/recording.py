"""How results are written down, read back and compared."""

import json
import math
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


def assert_same(actual: Any, expected: Any, where: str = "result") -> None:
    """Compare two recorded results: everything exactly, but for the last digits of floats."""
    if isinstance(expected, float) and isinstance(actual, float):
        assert close(actual, expected, "float32"), f"{where}: {actual}, torch has {expected}"
    elif isinstance(expected, dict) and isinstance(actual, dict):
        assert actual.keys() == expected.keys(), f"{where}: {list(actual)}, torch {list(expected)}"
        if "tensor" in expected:
            assert_same_tensor(actual, expected, where)
            return
        for key in expected:
            assert_same(actual[key], expected[key], f"{where}[{key!r}]")
    elif isinstance(expected, list) and isinstance(actual, list):
        assert len(actual) == len(expected), f"{where}: {actual}, torch has {expected}"
        for i, (ours, theirs) in enumerate(zip(actual, expected, strict=True)):
            assert_same(ours, theirs, f"{where}[{i}]")
    else:
        same = type(actual) is type(expected) and actual == expected
        assert same, f"{where}: {actual!r}, torch has {expected!r}"


def assert_same_tensor(actual: dict[str, Any], expected: dict[str, Any], where: str) -> None:
    """Compare two recorded tensors."""
    kind = expected["tensor"]
    assert actual["tensor"] == kind, f"{where}: {actual['tensor']}, torch has {kind}"
    for ours, theirs in zip(actual["values"], expected["values"], strict=True):
        same = close(ours, theirs, kind.split()[0])
        assert same, f"{where}: {actual['values']}, torch has {expected['values']}"


def close(actual: float, expected: float, dtype: str) -> bool:
    """Whether two numbers agree as far as the dtype can tell."""
    if actual == expected or (math.isnan(actual) and math.isnan(expected)):
        return True
    relative, absolute = TOLERANCES.get(dtype, (0.0, 0.0))
    return abs(actual - expected) <= absolute + relative * abs(expected)


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
